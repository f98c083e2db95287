// Puts HTTP exchanges together of what the kernel programs tell of them: heads of requests, and where requests and
// responses end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../bpf/wire.h"
#include "batch.h"
#include "http_head.h"

namespace procflow {

class Exchanges {
 public:
  // Bounds: what is above them is lost, and counted.
  static constexpr std::size_t kMostOpen = 65536;       // exchanges that are not over
  static constexpr std::size_t kMostPartialHeads = 1024;  // heads that came in part so far
  static constexpr std::size_t kMostTextBytes = 64 << 20;  // of the open exchanges' heads, together
  static constexpr std::uint64_t kSlowNs = 100'000'000;    // an exchange of which people ask why

  // `sockets_map`: the kernel's table of HTTP connections, from which one that is none is taken out.
  explicit Exchanges(int sockets_map) : map_(sockets_map) {}
  Exchanges(const Exchanges&) = delete;
  Exchanges& operator=(const Exchanges&) = delete;

  // A record of the ring buffer; `size` is what it has with the bytes behind it.
  void record(const pf_http_record& record, std::size_t size, BatchBuilder& out);
  // The socket is closed, and nothing more will come: what is still open was lost from sight.
  void socket_ended(std::uint64_t cookie, std::uint64_t time_ns, BatchBuilder& out);
  // Tells of the exchanges that began since the last call and are not over.
  void tell_started(std::uint64_t time_ns, BatchBuilder& out);

  // Nothing more will come of what is under way. No row tells of that: a row of the tier does.
  void forget_all();

  std::size_t open() const { return open_; }
  // When the latest exchange ended that took long, in ns since boot; 0 when none has.
  std::uint64_t slow_ended_ns() const { return slow_ended_ns_; }
  // Exchanges and heads that there was no room for.
  std::uint64_t lost() const { return lost_; }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffu;

  // An exchange under way. Its place is used again, with the memory of its text.
  struct Exchange {
    std::uint32_t next = kNone;     // on the same connection, or among the free ones
    std::uint32_t generation = 0;   // counts the uses of the place
    pf_http_record request;         // as of its first byte, with the reading
    std::uint32_t ordinal;
    std::uint8_t version;
    bool request_ended, response_ended;
    std::uint16_t flags;
    std::uint64_t request_end_ns, request_bytes;
    pf_http_record response;  // its end; ordinary only when response_ended
    std::string text;         // method, target, host and user agent, one after the other
    std::uint32_t method_bytes, target_bytes, host_bytes;
  };
  struct Connection {
    std::uint32_t first = kNone, last = kNone;
    std::uint32_t partial = kNone;
  };
  // A head of which more is to come.
  struct PartialHead {
    std::uint64_t cookie = 0;  // 0 is free
    pf_http_record first;
    std::string text;
  };
  using Connections = std::unordered_map<std::uint64_t, Connection>;

  void head(const pf_http_record& record, std::string_view data, BatchBuilder& out);
  void begin(Connection& connection, const pf_http_record& first, const pf_http_record& last, std::string_view text,
             BatchBuilder& out);
  void request_ended(Connection& connection, const pf_http_record& record, BatchBuilder& out);
  void response_ended(Connection& connection, const pf_http_record& record, BatchBuilder& out);
  void closed(Connection& connection, const pf_http_record& record, BatchBuilder& out);
  void finish_first(Connection& connection, std::uint64_t time_ns, BatchBuilder& out);
  void free_first(Connection& connection);
  ExchangeRow row_of(const Exchange& exchange, std::uint64_t time_ns, BatchBuilder& out) const;

  Connections::iterator connection_of(std::uint64_t cookie);
  void drop_if_idle(Connections::iterator connection);
  std::uint32_t partial_head(std::uint64_t cookie);
  void free_partial(Connection& connection);
  std::uint32_t new_exchange();
  void no_http(const pf_http_record& record);

  int map_;
  Connections connections_;  // those with something under way
  std::vector<Connections::node_type> spare_nodes_;
  std::vector<Exchange> exchanges_;
  std::uint32_t free_ = kNone;
  std::size_t open_ = 0, text_bytes_ = 0;
  std::uint64_t slow_ended_ns_ = 0;
  std::vector<PartialHead> partial_heads_;
  std::uint32_t next_partial_ = 0;
  struct Started {
    std::uint32_t place, generation;
  };
  std::vector<Started> started_;
  std::uint64_t lost_ = 0;
};

}  // namespace procflow
