// What the packets tier counts in the kernel between datagram sockets and their peers, as rows.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../bpf/wire.h"
#include "batch.h"
#include "tier_epochs.h"

namespace procflow {

class PeerTable {
 public:
  PeerTable(int map, const TierEpochs& tier) : map_(map), tier_(tier) {}
  PeerTable(const PeerTable&) = delete;
  PeerTable& operator=(const PeerTable&) = delete;

  // A peer that the kernel told of before a poll met it.
  void know(const pf_peer_key& key) { known(key); }
  // Reads all peers: rows of those whose counters changed. Those that are silent for long are taken out of the kernel.
  void poll(std::uint64_t now_ns, BatchBuilder& out);
  // Takes the peers of an ended socket out of the kernel, with their last counters.
  void end(std::uint64_t cookie, std::uint64_t now_ns, BatchBuilder& out);
  std::size_t size() const { return known_.size(); }

 private:
  struct KeyHash {
    std::size_t operator()(const pf_peer_key& key) const {
      return std::hash<std::string_view>{}(std::string_view(reinterpret_cast<const char*>(&key), sizeof key));
    }
  };
  struct KeyEqual {
    bool operator()(const pf_peer_key& a, const pf_peer_key& b) const { return std::memcmp(&a, &b, sizeof a) == 0; }
  };
  struct Known {
    std::uint64_t packets = 0;  // sent and received, at the last poll
    std::uint64_t changed_ns = 0;
    std::uint64_t poll = 0;     // the last one that met it
  };

  void tell(const pf_peer_key& key, const pf_peer& peer, bool final, std::uint64_t now_ns, BatchBuilder& out) const;
  void remove(const pf_peer_key& key, std::uint64_t now_ns, BatchBuilder& out);
  void forget(const std::vector<pf_peer_key>& gone);
  Known& known(const pf_peer_key& key);

  int map_;
  const TierEpochs& tier_;
  std::uint64_t polls_ = 0;
  std::unordered_map<pf_peer_key, Known, KeyHash, KeyEqual> known_;
  std::unordered_map<std::uint64_t, std::vector<pf_peer_key>> by_cookie_;
};

}  // namespace procflow
