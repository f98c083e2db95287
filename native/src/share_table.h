// The entries of the kernel's shares map (further processes and peers of a socket) as user space knows them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../bpf/wire.h"

namespace procflow {

struct ShareKeyHash {
  std::size_t operator()(const pf_share_key& key) const {
    return std::hash<std::string_view>{}(std::string_view(reinterpret_cast<const char*>(&key), sizeof key));
  }
};
struct ShareKeyEqual {
  bool operator()(const pf_share_key& a, const pf_share_key& b) const { return std::memcmp(&a, &b, sizeof a) == 0; }
};

class ShareTable {
 public:
  explicit ShareTable(int map) : map_(map) {}
  ShareTable(const ShareTable&) = delete;
  ShareTable& operator=(const ShareTable&) = delete;

  struct Share {
    pf_share_key key;
    pf_traffic traffic;
    bool final;
  };

  // A share that the kernel told of. False when a poll has met it already, and read more of it.
  bool add(const pf_share_key& key) { return know(key); }
  // Reads all shares and returns those that changed; those idle since `idle_before_ns` are taken out of the kernel.
  std::vector<Share> poll(std::uint64_t idle_before_ns);
  // Takes the shares of an ended socket out of the kernel, with their last counters.
  std::vector<Share> take(std::uint64_t cookie);
  bool empty() const { return known_.empty(); }
  std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    std::uint64_t messages = 0;  // sent and received, at the last poll
  };
  bool know(const pf_share_key& key);
  bool remove(const pf_share_key& key, pf_traffic& last);

  int map_;
  std::unordered_map<pf_share_key, Known, ShareKeyHash, ShareKeyEqual> known_;
  std::unordered_map<std::uint64_t, std::vector<pf_share_key>> by_cookie_;
};

}  // namespace procflow
