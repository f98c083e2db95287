// The sockets that scans have found: what changed since, who holds them, which have ended.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "batch.h"
#include "descriptor_search.h"
#include "netns.h"
#include "procfs_processes.h"
#include "sock_diag.h"
#include "source.h"

namespace procflow {

class ProcfsSockets {
 public:
  // How far one table of a namespace was read in this scan. Watched: whole, and the kernel tells of each end too.
  enum class Coverage : std::uint8_t { kComplete, kWatched, kPartial, kGone };
  using CoverageOf = std::function<Coverage(std::uint64_t netns, DiagTable table)>;
  using LookUp = std::function<SockDiag::Lookup(std::uint64_t netns, const DiagSocket& socket, bool any_cookie)>;

  ProcfsSockets(const ProcfsProcesses& processes, const NetnsTable& namespaces, std::size_t max_sockets);

  void set_filter(const Filter& filter) { filter_ = filter; }

  void begin_scan();
  void observe(std::uint64_t netns, DiagTable table, const DiagSocket& socket);
  // Ends a scan: finds holders for new sockets, and the sockets that are no more.
  void finish_scan(const CoverageOf& coverage, const LookUp& look_up);

  // The kernel told that a TCP socket was destroyed; also of sockets that no scan has seen.
  void ended(std::uint64_t netns, const DiagSocket& socket, const LookUp& look_up);

  // Adds the next rows. True when more are left.
  bool emit_some(BatchBuilder& out);

  std::size_t size() const { return sockets_.size(); }
  std::size_t without_holder() const { return without_holder_; }
  std::uint64_t refused() const { return refused_; }  // table full

 private:
  struct Key {
    std::uint64_t netns, cookie;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return (key.cookie * 0x9e3779b97f4a7c15u ^ key.netns) * 0xbf58476d1ce4e5b9u >> 7;
    }
  };
  struct Tracked {
    SocketRow row;
    std::uint64_t inode = 0;
    pid_t holder = 0;
    std::uint64_t holder_start = 0;
    int holder_descriptor = -1;
    std::uint32_t scan = 0;
    std::uint32_t search_again = 0;  // scan
    std::uint8_t searches = 0;
    std::uint8_t missed = 0;
    DiagTable table = DiagTable::kTcp4;
    bool fin_received = false;
    bool settled = false;   // active or passive is decided
    bool judged = false;    // by the filter
    bool excluded = false;
    bool reported = false;
    bool changed = false;
  };
  struct ListenerKey {
    std::uint64_t netns;
    std::uint16_t port;
    bool operator==(const ListenerKey&) const = default;
  };
  struct ListenerHash {
    std::size_t operator()(const ListenerKey& key) const {
      return (key.netns ^ (std::uint64_t{key.port} << 40)) * 0x9e3779b97f4a7c15u >> 9;
    }
  };
  struct Listener {
    Address address;
    std::uint8_t family;
    pid_t holder;
  };

  void update(Tracked& tracked, const DiagSocket& socket, double now);
  void settle(Tracked& tracked);
  const Listener* listener_of(const SocketRow& row) const;
  void index_listeners();
  void find_missing(const CoverageOf& coverage, const LookUp& look_up);
  void find_holders();
  void found_holder(Tracked& tracked, pid_t pid, const ProcfsProcesses::Process& process, int descriptor);
  bool wanted(Tracked& tracked);
  bool own_traffic(const Tracked& tracked) const;
  bool fin_counted(const Tracked& tracked, const DiagSocket& last, const LookUp& look_up) const;
  void finish(Tracked& tracked, double now);
  void remember_finished(const Key& key);

  const ProcfsProcesses& processes_;
  const NetnsTable& namespaces_;
  DescriptorSearch search_;
  std::size_t max_sockets_;
  Filter filter_;
  std::uint32_t scan_ = 0;
  double scan_ns_ = 0;
  std::unordered_map<Key, Tracked, KeyHash> sockets_;
  std::unordered_map<ListenerKey, std::vector<Listener>, ListenerHash> listeners_;
  std::vector<Key> changed_;
  std::vector<SocketRow> finals_;
  std::size_t next_changed_ = 0, next_final_ = 0;
  std::size_t without_holder_ = 0;
  std::uint64_t refused_ = 0;
  // Sockets that ended by not being found any more: what the kernel tells of them later is no new socket.
  std::unordered_set<Key, KeyHash> finished_, finished_before_;
};

}  // namespace procflow
