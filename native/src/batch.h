// Builds batches: rows are appended to column buffers by one thread, and sealed into one block of memory.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "batch_layout.h"

namespace procflow {

using Address = std::array<std::uint8_t, 16>;

inline constexpr std::uint32_t kUnknownString = 0xffffffffu;

// The C++ type of each column type.
struct ColumnTypes {
  using u8 = std::uint8_t;
  using u16 = std::uint16_t;
  using u32 = std::uint32_t;
  using i32 = std::int32_t;
  using f64 = double;
  using str = std::uint32_t;
  using addr = Address;
};

// A row of each table, with the columns as members: ProcessRow, SocketRow, … Members start at zero.
#define PF_MEMBER(name, type) ColumnTypes::type name{};
struct ProcessRow { PF_PROCESS_COLUMNS(PF_MEMBER) };
struct SocketRow { PF_SOCKET_COLUMNS(PF_MEMBER) };
struct TrafficRow { PF_TRAFFIC_COLUMNS(PF_MEMBER) };
struct AddressRow { PF_ADDRESS_COLUMNS(PF_MEMBER) };
struct LossRow { PF_LOSS_COLUMNS(PF_MEMBER) };
struct UsageRow { PF_USAGE_COLUMNS(PF_MEMBER) };
struct ExchangeRow { PF_EXCHANGE_COLUMNS(PF_MEMBER) };
struct ApplicationRow { PF_APPLICATION_COLUMNS(PF_MEMBER) };
struct PeerRow { PF_PEER_COLUMNS(PF_MEMBER) };
struct TierRow { PF_TIER_COLUMNS(PF_MEMBER) };
#undef PF_MEMBER

// A sealed batch: memory that the receiver frees.
struct Block {
  std::uint8_t* data = nullptr;
  std::size_t size = 0;
};

class BatchBuilder {
 public:
  BatchBuilder() = default;
  BatchBuilder(const BatchBuilder&) = delete;
  BatchBuilder& operator=(const BatchBuilder&) = delete;

  // The index of a string in this batch, equal strings stored once. The view's bytes are copied.
  std::uint32_t intern(std::string_view text);

  void add(const ProcessRow& row) { append(process_, row); }
  void add(const SocketRow& row) { append(socket_, row); }
  void add(const TrafficRow& row) { append(traffic_, row); }
  void add(const AddressRow& row) { append(address_, row); }
  void add(const LossRow& row) { append(loss_, row); }
  void add(const UsageRow& row) { append(usage_, row); }
  void add(const ExchangeRow& row) { append(exchange_, row); }
  void add(const ApplicationRow& row) { append(application_, row); }
  void add(const PeerRow& row) { append(peer_, row); }
  void add(const TierRow& row) { append(tier_, row); }

  bool empty() const { return rows_ == 0; }
  // Rows of all tables together.
  std::size_t rows() const { return rows_; }

  // Closes the batch and starts the next one. The block was allocated with malloc.
  Block seal();

 private:
  // Rows wait as they are; `seal` turns them into columns.
  std::vector<ProcessRow> process_;
  std::vector<SocketRow> socket_;
  std::vector<TrafficRow> traffic_;
  std::vector<AddressRow> address_;
  std::vector<LossRow> loss_;
  std::vector<UsageRow> usage_;
  std::vector<ExchangeRow> exchange_;
  std::vector<ApplicationRow> application_;
  std::vector<PeerRow> peer_;
  std::vector<TierRow> tier_;
  template <typename Row>
  void append(std::vector<Row>& table, const Row& row) {
    table.push_back(row);
    rows_++;
  }

  std::size_t rows_ = 0;
  double sequence_ = 0;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> string_index_;
  std::vector<std::uint32_t> string_ends_;
  std::vector<std::uint8_t> string_bytes_;
};

// The layout as text, one line a column ("socket cookie f64"), for the check against the reader's own description.
std::string layout_text();

}  // namespace procflow
