// The network namespaces that were met: their addresses, interfaces and routes. Used by the capture thread alone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "batch.h"
#include "netlink.h"
#include "netns_finder.h"
#include "proc_files.h"

namespace procflow {

// The inode of this process's own network namespace, 0 when /proc does not tell.
std::uint64_t own_netns();

// Opens a socket inside a network namespace: `path` leads there, as a process's /proc/PID/ns/net or a mount does. The
// thread goes there and comes back; the socket stays there. Needs CAP_SYS_ADMIN for other namespaces than the own.
// ESTALE: the path leads to another namespace by now.
SystemError socket_in_netns(std::uint64_t netns, const std::string& path, int family, int type, int protocol,
                            OwnedFd& socket);

class NetnsTable {
 public:
  // `limit`: how many namespaces have an open socket; the one that was not used for longest gives way.
  explicit NetnsTable(std::size_t limit = 256);
  NetnsTable(const NetnsTable&) = delete;
  NetnsTable& operator=(const NetnsTable&) = delete;

  std::uint64_t own() const { return own_; }

  // Makes a namespace known: through a process that is in it, or was when it was met, else through whatever leads
  // there. False when it cannot be entered. Cheap when known.
  bool ensure(std::uint64_t netns, pid_t pid);

  // Adds a row for each address that appeared or went away since the last call, in every known namespace. Call often:
  // reads only what changed, and everything anew each 10 s.
  //
  // A socket keeps its namespace alive. When no process is in it and no mount holds it any more, the socket is closed,
  // so that an ended container's namespace can go, and its addresses are reported removed a moment later.
  void addresses(BatchBuilder& out);

  // The source address the kernel would use towards a peer, and the path's MTU by route and device. False: unknown.
  bool source_address(std::uint64_t netns, const Address& peer, Address& source, std::uint32_t& mtu);

  // Empty when unknown.
  std::string interface_name(std::uint64_t netns, std::uint32_t interface_index) const;

  // Whether an address is configured in a namespace, as read last.
  bool has_address(std::uint64_t netns, const Address& address) const;

  std::size_t size() const { return namespaces_.size(); }
  // Why a namespace was last refused; code 0 when none was.
  const SystemError& last_error() const { return last_error_; }

 private:
  struct Link {
    std::string name;
    std::uint32_t mtu = 0;
  };
  using AddressKey = std::pair<std::uint32_t, Address>;
  struct Namespace {
    Netlink route;
    std::string path;  // led here
    double used_ns = 0, read_ns = 0;
    bool dirty = true;
    std::map<std::uint32_t, Link> links;
    std::map<AddressKey, std::string> addresses;  // -> interface name as reported
  };
  struct RouteKey {
    std::uint64_t netns;
    Address peer;
    bool operator==(const RouteKey&) const = default;
  };
  struct RouteHash {
    std::size_t operator()(const RouteKey& key) const;
  };
  struct Route {
    bool known = false;
    Address source{};
    std::uint32_t mtu = 0;
    double expires_ns = 0;
  };

  bool open(Namespace& entry, std::uint64_t netns, const std::string& path);
  void close(Namespace& entry);
  void make_room(const Namespace* keep);
  void check_alive(double now, BatchBuilder& out);
  bool read_tables(Namespace& entry, std::uint64_t netns, BatchBuilder& out);
  Route ask_route(Namespace& entry, const Address& peer);

  std::size_t limit_;
  std::uint64_t own_;
  NetnsFinder finder_;
  OwnedFd events_;  // epoll over the sockets of all namespaces
  std::size_t open_sockets_ = 0;
  double checked_ns_ = 0, next_check_ns_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Namespace>> namespaces_;
  std::unordered_map<std::uint64_t, double> refused_until_;
  std::unordered_map<RouteKey, Route, RouteHash> routes_;
  SystemError last_error_;
};

}  // namespace procflow
