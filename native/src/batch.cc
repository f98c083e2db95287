#include "batch.h"

#include <cstdlib>
#include <ctime>
#include <new>

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

enum TableIndex : std::size_t {
#define PF_TABLE_INDEX(name, columns) kTable_##name,
  PF_TABLES(PF_TABLE_INDEX)
#undef PF_TABLE_INDEX
};

}  // namespace

std::uint32_t BatchBuilder::intern(std::string_view text) {
  const auto [entry, added] =
      string_index_.try_emplace(std::string(text), static_cast<std::uint32_t>(string_ends_.size()));
  if (added) {
    string_bytes_.insert(string_bytes_.end(), text.begin(), text.end());
    string_ends_.push_back(static_cast<std::uint32_t>(string_bytes_.size()));
  }
  return entry->second;
}

BatchBuilder::Table& BatchBuilder::table(std::size_t index, std::size_t columns) {
  Table& table = tables_[index];
  if (table.columns.size() != columns) table.columns.resize(columns);
  table.rows++;
  rows_++;
  return table;
}

#define PF_COUNT_COLUMN(name, type) +1
#define PF_PUT_COLUMN(name, type) put(columns[column++], row.name);
#define PF_DEFINE_ADD(name, COLUMNS, Row)                                   \
  void BatchBuilder::add(const Row& row) {                                  \
    auto& columns = table(kTable_##name, 0 COLUMNS(PF_COUNT_COLUMN)).columns; \
    std::size_t column = 0;                                                 \
    COLUMNS(PF_PUT_COLUMN)                                                  \
  }
PF_DEFINE_ADD(process, PF_PROCESS_COLUMNS, ProcessRow)
PF_DEFINE_ADD(socket, PF_SOCKET_COLUMNS, SocketRow)
PF_DEFINE_ADD(traffic, PF_TRAFFIC_COLUMNS, TrafficRow)
PF_DEFINE_ADD(address, PF_ADDRESS_COLUMNS, AddressRow)
PF_DEFINE_ADD(loss, PF_LOSS_COLUMNS, LossRow)
#undef PF_DEFINE_ADD
#undef PF_PUT_COLUMN
#undef PF_COUNT_COLUMN

Block BatchBuilder::seal() {
  const std::size_t header = padded(36 + 4 * kTables + 8);
  std::size_t size = header;
  for (const Table& table : tables_)
    for (const auto& column : table.columns) size += padded(column.size());
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
  for (const Table& table : tables_) write(table.rows);
  write(static_cast<std::uint32_t>(string_ends_.size()));
  write(static_cast<std::uint32_t>(string_bytes_.size()));

  to = data + header;
  const auto append = [&to](const void* bytes, std::size_t length) {
    if (length > 0) std::memcpy(to, bytes, length);
    to += padded(length);
  };
  for (Table& table : tables_) {
    for (auto& column : table.columns) {
      append(column.data(), column.size());
      column.clear();
    }
    table.rows = 0;
  }
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
