#include "netns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace procflow {
namespace {

constexpr double kSecond = 1e9;
constexpr double kReadEveryNs = 10 * kSecond;
constexpr double kCheckEveryNs = 2 * kSecond;
constexpr double kCheckAgainNs = 0.1 * kSecond;
constexpr double kForgetAfterNs = 60 * kSecond;
constexpr double kForgetGoneAfterNs = 3 * kSecond;
constexpr double kRouteTtlNs = 10 * kSecond;
constexpr double kUnknownRouteTtlNs = 1 * kSecond;
constexpr double kRefusedForNs = 10 * kSecond;
constexpr std::size_t kMaxRoutes = 8192;
constexpr std::size_t kMaxRefused = 4096;
constexpr int kMaxReadsPerCall = 16;

constexpr std::uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const Address& address) { return std::memcmp(address.data(), kMappedPrefix, 12) == 0; }

// An address attribute of a message of the given family, as the batch writes addresses.
bool to_address(int family, const std::uint8_t* data, std::size_t length, Address& address) {
  if (family == AF_INET && length >= 4) {
    std::memcpy(address.data(), kMappedPrefix, 12);
    std::memcpy(address.data() + 12, data, 4);
    return true;
  }
  if (family == AF_INET6 && length >= 16) {
    std::memcpy(address.data(), data, 16);
    return true;
  }
  return false;
}

// The process or the mount that led to a namespace does not any more, or never did.
bool leads_nowhere(const SystemError& error) {
  return error.code == ENOENT || error.code == ESRCH || error.code == ESTALE;
}

}  // namespace

std::uint64_t own_netns() { return netns_at("/proc/thread-self/ns/net"); }

SystemError socket_in_netns(std::uint64_t netns, const std::string& path, int family, int type, int protocol,
                            OwnedFd& made) {
  // Opened once, in the namespace the agent started in: the way back.
  static const OwnedFd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  static const std::uint64_t home_netns = own_netns();
  static bool lost = false;
  if (lost) return {EPERM, "return to the own network namespace"};

  type |= SOCK_CLOEXEC;
  if (netns == home_netns || netns == 0) {
    made = OwnedFd(socket(family, type, protocol));
    return made ? SystemError{} : SystemError{errno, "socket"};
  }
  const OwnedFd there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!there) return {errno, "open a network namespace"};
  struct stat info {};
  if (fstat(there.get(), &info) != 0) return {errno, "stat a network namespace"};
  if (info.st_ino != netns) return {ESTALE, "find a network namespace"};
  if (!home) return {ENOENT, "open the own network namespace"};
  if (setns(there.get(), CLONE_NEWNET) != 0) return {errno, "setns"};
  made = OwnedFd(socket(family, type, protocol));
  const SystemError error = made ? SystemError{} : SystemError{errno, "socket in a network namespace"};
  if (setns(home.get(), CLONE_NEWNET) != 0) {
    // Whoever could leave can come back; if not, nothing may be done from the wrong place.
    lost = true;
    made.reset();
    return {errno, "return to the own network namespace"};
  }
  return error;
}

std::size_t NetnsTable::RouteHash::operator()(const RouteKey& key) const {
  std::uint64_t high, low;
  std::memcpy(&high, key.peer.data(), 8);
  std::memcpy(&low, key.peer.data() + 8, 8);
  std::uint64_t hash = key.netns * 0x9e3779b97f4a7c15u ^ high;
  hash = (hash ^ (hash >> 29)) * 0xbf58476d1ce4e5b9u ^ low;
  return (hash ^ (hash >> 32)) * 0x94d049bb133111ebu;
}

NetnsTable::NetnsTable(std::size_t limit)
    : limit_(limit > 0 ? limit : 1), own_(own_netns()), events_(epoll_create1(EPOLL_CLOEXEC)) {}

bool NetnsTable::ensure(std::uint64_t netns, pid_t pid) {
  if (netns == 0) return false;
  const double now = boot_now_ns();
  if (const auto found = namespaces_.find(netns); found != namespaces_.end()) {
    Namespace& entry = *found->second;
    entry.used_ns = now;
    if (entry.route.is_open()) return true;
  }
  if (const auto refused = refused_until_.find(netns); refused != refused_until_.end()) {
    if (refused->second > now) return false;
    refused_until_.erase(refused);
  }
  auto& slot = namespaces_[netns];
  const bool met_before = slot != nullptr;
  if (!met_before) slot = std::make_unique<Namespace>();
  slot->used_ns = now;
  if (open(*slot, netns, netns_path(pid)) || (leads_nowhere(last_error_) && open(*slot, netns, finder_.find(netns)))) {
    make_room(slot.get());
    return true;
  }
  if (!met_before) namespaces_.erase(netns);
  // Who has gone or moved says nothing of the namespace: the next one may lead there.
  if (!leads_nowhere(last_error_)) {
    if (refused_until_.size() >= kMaxRefused) refused_until_.clear();
    refused_until_[netns] = now + kRefusedForNs;
  }
  return false;
}

bool NetnsTable::open(Namespace& entry, std::uint64_t netns, const std::string& path) {
  OwnedFd made;
  SystemError error = socket_in_netns(netns, path, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE, made);
  if (!error) error = entry.route.open(std::move(made), RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
  if (error) {
    last_error_ = error;
    return false;
  }
  Namespace* const target = &entry;
  entry.route.on_event = [target](const nlmsghdr& message) {
    switch (message.nlmsg_type) {
      case RTM_NEWADDR:
      case RTM_DELADDR:
      case RTM_NEWLINK:
      case RTM_DELLINK: target->dirty = true; break;
      default: break;
    }
  };
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.u64 = netns;
  epoll_ctl(events_.get(), EPOLL_CTL_ADD, entry.route.fd(), &interest);
  entry.path = path;
  entry.dirty = true;
  // Its number may have been another's, that is gone.
  std::erase_if(routes_, [netns](const auto& route) { return route.first.netns == netns; });
  open_sockets_++;
  return true;
}

void NetnsTable::close(Namespace& entry) {
  if (!entry.route.is_open()) return;
  entry.route.close();
  open_sockets_--;
}

void NetnsTable::make_room(const Namespace* keep) {
  while (open_sockets_ > limit_) {
    Namespace* oldest = nullptr;
    for (auto& [netns, entry] : namespaces_)
      if (entry.get() != keep && entry->route.is_open() && (oldest == nullptr || entry->used_ns < oldest->used_ns))
        oldest = entry.get();
    if (oldest == nullptr) return;
    close(*oldest);
  }
}

void NetnsTable::check_alive(double now, BatchBuilder& out) {
  checked_ns_ = now;
  next_check_ns_ = now + kCheckEveryNs;
  for (auto at = namespaces_.begin(); at != namespaces_.end();) {
    const std::uint64_t netns = at->first;
    Namespace& entry = *at->second;
    bool gone = false;
    if (netns == own_) {
      entry.used_ns = now;
    } else if (netns_at(entry.path) != netns) {
      entry.path = finder_.find(netns);
      gone = entry.path.empty();
    }
    if (gone) close(entry);
    // Closed ones keep their addresses for a while; no more of them than four times the limit.
    const double kept_ns = gone ? kForgetGoneAfterNs : kForgetAfterNs;
    const bool forgotten =
        !entry.route.is_open() && (now - entry.used_ns > kept_ns || namespaces_.size() > 4 * limit_);
    if (!forgotten) {
      ++at;
      continue;
    }
    for (const auto& [key, name] : entry.addresses) {
      AddressRow row;
      row.netns = static_cast<double>(netns);
      row.interfaceIndex = key.first;
      row.interfaceName = out.intern(name);
      row.address = key.second;
      row.removed = 1;
      out.add(row);
    }
    at = namespaces_.erase(at);
  }
}

void NetnsTable::addresses(BatchBuilder& out) {
  const double now = boot_now_ns();
  epoll_event ready[64];
  for (int count; (count = epoll_wait(events_.get(), ready, 64, 0)) > 0;) {
    for (int i = 0; i < count; i++) {
      const auto found = namespaces_.find(ready[i].data.u64);
      if (found == namespaces_.end() || !found->second->route.is_open()) continue;
      if (found->second->route.drain()) found->second->dirty = true;  // events were lost
    }
    if (count < 64) break;
  }
  // A namespace that was unmounted is to go at once: its devices go with it.
  if (finder_.mounts_changed()) next_check_ns_ = std::min(next_check_ns_, checked_ns_ + kCheckAgainNs);
  if (now >= next_check_ns_) check_alive(now, out);
  int reads = 0;
  for (auto& [netns, entry] : namespaces_) {
    if (!entry->route.is_open() || (!entry->dirty && now - entry->read_ns < kReadEveryNs)) continue;
    if (++reads > kMaxReadsPerCall) break;
    entry->dirty = false;
    entry->read_ns = now;
    if (!read_tables(*entry, netns, out)) entry->dirty = true;
  }
}

bool NetnsTable::read_tables(Namespace& entry, std::uint64_t netns, BatchBuilder& out) {
  struct {
    nlmsghdr header;
    ifinfomsg body;
  } link_request{};
  link_request.header.nlmsg_len = sizeof link_request;
  link_request.header.nlmsg_type = RTM_GETLINK;
  link_request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  std::map<std::uint32_t, Link> links;
  bool interrupted = false;
  const auto on_link = [&](const nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWLINK || message.nlmsg_len < NLMSG_LENGTH(sizeof(ifinfomsg))) return;
    const auto* info = static_cast<const ifinfomsg*>(NLMSG_DATA(&message));
    Link& link = links[static_cast<std::uint32_t>(info->ifi_index)];
    for_each_attribute(IFLA_RTA(info), IFLA_PAYLOAD(&message),
                       [&](std::uint16_t type, const std::uint8_t* data, std::size_t length) {
                         if (type == IFLA_IFNAME)
                           link.name.assign(reinterpret_cast<const char*>(data),
                                            strnlen(reinterpret_cast<const char*>(data), length));
                         else if (type == IFLA_MTU && length >= 4)
                           std::memcpy(&link.mtu, data, 4);
                       });
  };
  SystemError error = entry.route.exchange(link_request.header, on_link, &interrupted);

  struct {
    nlmsghdr header;
    ifaddrmsg body;
  } address_request{};
  address_request.header.nlmsg_len = sizeof address_request;
  address_request.header.nlmsg_type = RTM_GETADDR;
  address_request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  std::map<AddressKey, std::string> addresses;
  const auto on_address = [&](const nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWADDR || message.nlmsg_len < NLMSG_LENGTH(sizeof(ifaddrmsg))) return;
    const auto* info = static_cast<const ifaddrmsg*>(NLMSG_DATA(&message));
    Address address{};
    bool known = false, local = false;
    for_each_attribute(IFA_RTA(info), IFA_PAYLOAD(&message),
                       [&](std::uint16_t type, const std::uint8_t* data, std::size_t length) {
                         // On a point-to-point link IFA_ADDRESS is the other end and IFA_LOCAL our own.
                         if (type == IFA_LOCAL)
                           local = known = to_address(info->ifa_family, data, length, address);
                         else if (type == IFA_ADDRESS && !local)
                           known = to_address(info->ifa_family, data, length, address);
                       });
    if (known) addresses.emplace(AddressKey{info->ifa_index, address}, "");
  };
  if (!error) error = entry.route.exchange(address_request.header, on_address, &interrupted);
  if (error) {
    last_error_ = error;
    return error.code != EINTR && error.code != EAGAIN;  // tried again with the next full reading
  }
  for (auto& [key, name] : addresses)
    if (const auto link = links.find(key.first); link != links.end()) name = link->second.name;
  entry.links = std::move(links);

  const auto report = [&](const AddressKey& key, const std::string& name, bool removed) {
    AddressRow row;
    row.netns = static_cast<double>(netns);
    row.interfaceIndex = key.first;
    row.interfaceName = out.intern(name);
    row.address = key.second;
    row.removed = removed ? 1 : 0;
    out.add(row);
  };
  bool changed = false;
  for (const auto& [key, name] : entry.addresses)
    if (!addresses.contains(key)) {
      report(key, name, true);
      changed = true;
    }
  for (const auto& [key, name] : addresses)
    if (const auto before = entry.addresses.find(key); before == entry.addresses.end() || before->second != name) {
      report(key, name, false);
      changed = true;
    }
  entry.addresses = std::move(addresses);
  if (changed) routes_.clear();
  return !interrupted;
}

NetnsTable::Route NetnsTable::ask_route(Namespace& entry, const Address& peer) {
  struct {
    nlmsghdr header;
    rtmsg body;
    nlattr attribute;
    std::uint8_t address[16];
  } request{};
  const bool v4 = is_mapped(peer);
  const std::size_t bytes = v4 ? 4 : 16;
  request.header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof(rtmsg)) + NLA_HDRLEN + bytes);
  request.header.nlmsg_type = RTM_GETROUTE;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.body.rtm_family = v4 ? AF_INET : AF_INET6;
  request.body.rtm_dst_len = static_cast<std::uint8_t>(bytes * 8);
  request.attribute.nla_type = RTA_DST;
  request.attribute.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + bytes);
  std::memcpy(request.address, peer.data() + (v4 ? 12 : 0), bytes);

  Route route;
  std::uint32_t device = 0;
  const auto on_route = [&](const nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWROUTE || message.nlmsg_len < NLMSG_LENGTH(sizeof(rtmsg))) return;
    const auto* info = static_cast<const rtmsg*>(NLMSG_DATA(&message));
    for_each_attribute(RTM_RTA(info), RTM_PAYLOAD(&message),
                       [&](std::uint16_t type, const std::uint8_t* data, std::size_t length) {
                         if (type == RTA_PREFSRC)
                           route.known = to_address(info->rtm_family, data, length, route.source);
                         else if (type == RTA_OIF && length >= 4)
                           std::memcpy(&device, data, 4);
                         else if (type == RTA_METRICS)
                           for_each_attribute(data, length,
                                              [&](std::uint16_t metric, const std::uint8_t* value, std::size_t size) {
                                                if (metric == RTAX_MTU && size >= 4) std::memcpy(&route.mtu, value, 4);
                                              });
                       });
  };
  if (entry.route.exchange(request.header, on_route)) route.known = false;
  if (route.mtu == 0)
    if (const auto link = entry.links.find(device); link != entry.links.end()) route.mtu = link->second.mtu;
  return route;
}

bool NetnsTable::source_address(std::uint64_t netns, const Address& peer, Address& source, std::uint32_t& mtu) {
  const double now = boot_now_ns();
  const RouteKey key{netns, peer};
  auto found = routes_.find(key);
  if (found == routes_.end() || found->second.expires_ns <= now) {
    const auto entry = namespaces_.find(netns);
    if (entry == namespaces_.end() || !entry->second->route.is_open()) return false;
    if (entry->second->read_ns == 0) {
      // Device MTUs come with the links; rows of the addresses are left to `addresses`.
      BatchBuilder unused;
      entry->second->read_ns = now;
      read_tables(*entry->second, netns, unused);
      entry->second->addresses.clear();
      entry->second->dirty = true;
    }
    Route route = ask_route(*entry->second, peer);
    route.expires_ns = now + (route.known ? kRouteTtlNs : kUnknownRouteTtlNs);
    if (routes_.size() >= kMaxRoutes) routes_.clear();
    found = routes_.insert_or_assign(key, route).first;
  }
  if (!found->second.known) return false;
  source = found->second.source;
  mtu = found->second.mtu;
  return true;
}

std::string NetnsTable::interface_name(std::uint64_t netns, std::uint32_t interface_index) const {
  const auto entry = namespaces_.find(netns);
  if (entry == namespaces_.end()) return {};
  const auto link = entry->second->links.find(interface_index);
  return link == entry->second->links.end() ? std::string() : link->second.name;
}

bool NetnsTable::has_address(std::uint64_t netns, const Address& address) const {
  const auto entry = namespaces_.find(netns);
  if (entry == namespaces_.end()) return false;
  for (const auto& [key, name] : entry->second->addresses)
    if (key.second == address) return true;
  return false;
}

}  // namespace procflow
