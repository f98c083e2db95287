// Makes rows of what the kernel programs tell of sockets, and of the processes that moved bytes on them.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "../bpf/wire.h"
#include "batch.h"
#include "netns.h"
#include "tier_epochs.h"
#include "share_table.h"

namespace procflow {

// A process that used a socket, and the window that its use began.
struct SocketUser {
  pf_process_ref process;
  std::uint32_t window;
};

class EbpfRows {
 public:
  // `messages_counted`: whether the messages tier runs, though not always for TCP: that `messages_of_tcp` tells.
  EbpfRows(int shares_map, bool messages_counted, const TierEpochs& messages_of_tcp, const TierEpochs& packets)
      : shares_(shares_map), messages_counted_(messages_counted), messages_of_tcp_(messages_of_tcp), packets_(packets) {}
  EbpfRows(const EbpfRows&) = delete;
  EbpfRows& operator=(const EbpfRows&) = delete;

  // A socket, with what its first process moved; when it has ended, also with the last of the others. Returns who used a
  // socket that has ended, but for who closed it.
  std::vector<SocketUser> socket(const pf_socket_record& record, std::uint32_t extra_flags, BatchBuilder& out);
  // A further process or peer of a socket.
  void new_share(const pf_traffic_record& record, BatchBuilder& out);
  // The further processes and peers whose counters changed.
  void poll_shares(BatchBuilder& out);
  // The addresses that came or went in the namespaces of the sockets seen.
  void addresses(BatchBuilder& out) { netns_.addresses(out); }

  std::size_t shares() const { return shares_.size(); }

 private:
  void add_tcp_flags(const pf_socket_record& record, SocketRow& row) const;
  void add_socket_row(const pf_socket_record& record, std::uint32_t extra_flags, BatchBuilder& out);
  void traffic(double cookie, std::uint64_t netns, std::uint16_t protocol, const Address& local,
               const pf_traffic& traffic, double time_ns, bool final, BatchBuilder& out);
  void share(const ShareTable::Share& share, double time_ns, BatchBuilder& out);

  NetnsTable netns_;
  ShareTable shares_;
  bool messages_counted_;
  const TierEpochs& messages_of_tcp_;
  const TierEpochs& packets_;

  // Sockets with shares: what their traffic rows need to know of them.
  struct Shared {
    std::uint64_t netns;
    std::uint16_t protocol;
    Address local;
  };
  std::unordered_map<std::uint64_t, Shared> shared_sockets_;
};

}  // namespace procflow
