// Reads a sealed batch back into rows, for tests.
#pragma once

#include <cstdlib>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "../src/batch.h"

namespace procflow::test {

struct Batch {
  std::vector<ProcessRow> process;
  std::vector<SocketRow> socket;
  std::vector<TrafficRow> traffic;
  std::vector<AddressRow> address;
  std::vector<LossRow> loss;
  std::vector<UsageRow> usage;
  std::vector<ExchangeRow> exchange;
  std::vector<ApplicationRow> application;
  std::vector<PeerRow> peer;
  std::vector<TierRow> tier;
  std::vector<std::string> strings;
  std::string text(std::uint32_t index) const { return index < strings.size() ? strings[index] : "<unknown>"; }
};

// Seals and reads what the builder holds.
inline Batch take(BatchBuilder& builder) {
  const Block block = builder.seal();
  Batch batch;
  const std::uint8_t* at = block.data + 36;
  const auto number = [&at] {
    std::uint32_t value;
    std::memcpy(&value, at, 4);
    at += 4;
    return value;
  };
  const auto padded = [](std::size_t size) { return (size + 7) & ~std::size_t{7}; };
#define PF_RESIZE(name, columns) batch.name.resize(number());
  PF_TABLES(PF_RESIZE)
#undef PF_RESIZE
  const std::uint32_t strings = number(), bytes = number();
  at = block.data + padded(static_cast<std::size_t>(at - block.data));
  const auto column = [&](auto& rows, auto member) {
    if (rows.empty()) return;
    using Value = std::remove_reference_t<decltype(rows[0].*member)>;
    for (std::size_t i = 0; i < rows.size(); i++)
      std::memcpy(&(rows[i].*member), at + i * sizeof(Value), sizeof(Value));
    at += padded(rows.size() * sizeof(Value));
  };
#define PF_COLUMN(name, type) column(rows, &Row::name);
#define PF_TABLE(name, COLUMNS)                               \
  {                                                           \
    auto& rows = batch.name;                                  \
    using Row = std::remove_reference_t<decltype(rows)>::value_type; \
    COLUMNS(PF_COLUMN)                                        \
  }
  PF_TABLES(PF_TABLE)
#undef PF_TABLE
#undef PF_COLUMN
  const std::uint8_t* text = at + padded(strings * 4);
  std::uint32_t start = 0;
  for (std::uint32_t i = 0; i < strings; i++) {
    const std::uint32_t end = number();
    batch.strings.emplace_back(reinterpret_cast<const char*>(text) + start, end - start);
    start = end;
  }
  (void)bytes;
  std::free(block.data);
  return batch;
}

}  // namespace procflow::test
