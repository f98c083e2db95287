#include "batch.h"

#include <cstdlib>
#include <ctime>
#include <new>
#include <type_traits>

namespace procflow {
namespace {

constexpr std::uint32_t kMagic = 0x31424650;  // "PFB1"

double now_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// Unix time minus boot time. Of a few readings the one with the shortest gap between its two clock reads is taken.
double boot_to_unix_ns() {
  double best_gap = 1e18;
  double best = 0;
  for (int i = 0; i < 3; i++) {
    timespec before{}, unix_time{}, after{};
    clock_gettime(CLOCK_BOOTTIME, &before);
    clock_gettime(CLOCK_REALTIME, &unix_time);
    clock_gettime(CLOCK_BOOTTIME, &after);
    const double gap = static_cast<double>(after.tv_sec - before.tv_sec) * 1e9 +
                       static_cast<double>(after.tv_nsec - before.tv_nsec);
    if (gap < best_gap) {
      best_gap = gap;
      best = static_cast<double>(unix_time.tv_sec - before.tv_sec) * 1e9 +
             static_cast<double>(unix_time.tv_nsec - before.tv_nsec) - gap / 2;
    }
  }
  return best;
}

constexpr std::size_t padded(std::size_t size) { return (size + 7) & ~std::size_t{7}; }

// Bytes of a table's columns, each padded.
#define PF_PLUS_COLUMN(name, type) +padded(rows * sizeof(ColumnTypes::type))
#define PF_DEFINE_COLUMN_BYTES(table, COLUMNS) \
  std::size_t table##_bytes(std::size_t rows) { return 0 COLUMNS(PF_PLUS_COLUMN); }
PF_TABLES(PF_DEFINE_COLUMN_BYTES)
#undef PF_DEFINE_COLUMN_BYTES
#undef PF_PLUS_COLUMN

template <typename Row, typename Column>
std::uint8_t* write_column(std::uint8_t* to, const std::vector<Row>& rows, Column Row::*member) {
  std::uint8_t* at = to;
  for (const Row& row : rows) {
    std::memcpy(at, &(row.*member), sizeof(Column));
    at += sizeof(Column);
  }
  return to + padded(rows.size() * sizeof(Column));
}

#define PF_COUNT_TABLE(name, columns) +1
constexpr std::size_t kTables = 0 PF_TABLES(PF_COUNT_TABLE);
#undef PF_COUNT_TABLE

}  // namespace

std::uint32_t BatchBuilder::intern(std::string_view text) {
  const auto known = string_index_.find(text);
  if (known != string_index_.end()) return known->second;
  const auto index = static_cast<std::uint32_t>(string_ends_.size());
  string_index_.emplace(text, index);
  string_bytes_.insert(string_bytes_.end(), text.begin(), text.end());
  string_ends_.push_back(static_cast<std::uint32_t>(string_bytes_.size()));
  return index;
}

Block BatchBuilder::seal() {
  const std::size_t header = padded(36 + 4 * kTables + 8);
  std::size_t size = header;
#define PF_ADD_TABLE(name, columns) size += name##_bytes(name##_.size());
  PF_TABLES(PF_ADD_TABLE)
#undef PF_ADD_TABLE
  size += padded(string_ends_.size() * 4) + padded(string_bytes_.size());

  auto* data = static_cast<std::uint8_t*>(std::calloc(1, size));
  if (data == nullptr) throw std::bad_alloc();
  std::uint8_t* to = data;
  const auto write = [&to](const auto& value) {
    std::memcpy(to, &value, sizeof value);
    to += sizeof value;
  };
  write(kMagic);
  write(std::uint32_t{PF_LAYOUT_VERSION});
  write(sequence_++);
  write(now_ns(CLOCK_BOOTTIME));
  write(boot_to_unix_ns());
  write(static_cast<std::uint32_t>(kTables));
#define PF_WRITE_ROWS(name, columns) write(static_cast<std::uint32_t>(name##_.size()));
  PF_TABLES(PF_WRITE_ROWS)
#undef PF_WRITE_ROWS
  write(static_cast<std::uint32_t>(string_ends_.size()));
  write(static_cast<std::uint32_t>(string_bytes_.size()));

  to = data + header;
  const auto append = [&to](const void* bytes, std::size_t length) {
    if (length > 0) std::memcpy(to, bytes, length);
    to += padded(length);
  };
#define PF_WRITE_COLUMN(name, type) to = write_column(to, rows, &Row::name);
#define PF_WRITE_TABLE(name, COLUMNS)                                   \
  {                                                                     \
    const auto& rows = name##_;                                         \
    using Row = std::remove_cvref_t<decltype(rows)>::value_type;        \
    COLUMNS(PF_WRITE_COLUMN)                                            \
    name##_.clear();                                                    \
  }
  PF_TABLES(PF_WRITE_TABLE)
#undef PF_WRITE_TABLE
#undef PF_WRITE_COLUMN
  append(string_ends_.data(), string_ends_.size() * 4);
  append(string_bytes_.data(), string_bytes_.size());
  string_index_.clear();
  string_ends_.clear();
  string_bytes_.clear();
  rows_ = 0;
  return {data, size};
}

std::string layout_text() {
  std::string text;
#define PF_COLUMN_TEXT(name, type) text += current + " " #name " " #type "\n";
#define PF_TABLE_TEXT(name, COLUMNS) \
  {                                  \
    const std::string current = #name; \
    COLUMNS(PF_COLUMN_TEXT)          \
  }
  PF_TABLES(PF_TABLE_TEXT)
#undef PF_TABLE_TEXT
#undef PF_COLUMN_TEXT
  return text;
}

}  // namespace procflow
