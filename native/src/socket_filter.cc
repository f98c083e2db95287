#include "socket_filter.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace procflow {
namespace {

bool is_mapped(const Address& address) {
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(address.data(), kMapped, sizeof kMapped) == 0;
}

// A short IPv6 prefix does not cover mapped IPv4 addresses.
bool in_prefix(const Address& address, const FilterLists::Prefix& prefix) {
  const unsigned bits = std::min<unsigned>(prefix.bits, 128);
  if (is_mapped(address) && bits < 96) return false;
  if (std::memcmp(address.data(), prefix.address.data(), bits / 8) != 0) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff00u >> (bits % 8));
  return ((address[bits / 8] ^ prefix.address[bits / 8]) & mask) == 0;
}

// The protocol as the configuration names it: raw sockets of whatever protocol but ICMP are IPPROTO_RAW.
std::uint16_t named_protocol(const SocketRow& socket) {
  const bool raw = socket.type == SOCK_RAW && socket.family != AF_PACKET && socket.protocol != IPPROTO_ICMP &&
                   socket.protocol != IPPROTO_ICMPV6;
  return raw ? static_cast<std::uint16_t>(IPPROTO_RAW) : socket.protocol;
}

template <typename List, typename Value>
bool holds(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

bool is_loopback(const Address& address) {
  static constexpr std::uint8_t kMapped127[13] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
  static constexpr std::uint8_t kLoopback6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return std::memcmp(address.data(), kMapped127, 13) == 0 || std::memcmp(address.data(), kLoopback6, 16) == 0;
}

namespace {

// What each kind of list says of a socket: a list that is empty says nothing.
struct Verdicts {
  bool any_matches = false;
  bool all_match = true;
  void add(bool empty, bool match) {
    if (empty) return;
    any_matches = any_matches || match;
    all_match = all_match && match;
  }
};

Verdicts ask(const FilterLists& lists, const FilterSubject& subject) {
  const SocketRow& socket = subject.socket;
  Verdicts verdicts;
  verdicts.add(lists.addresses.empty(), std::any_of(lists.addresses.begin(), lists.addresses.end(), [&](const auto& prefix) {
                 return in_prefix(socket.localAddress, prefix) || in_prefix(socket.remoteAddress, prefix);
               }));
  verdicts.add(lists.ports.empty(), holds(lists.ports, socket.localPort) || holds(lists.ports, socket.remotePort));
  verdicts.add(lists.protocols.empty(), holds(lists.protocols, named_protocol(socket)));
  verdicts.add(lists.uids.empty(), holds(lists.uids, socket.uid));
  verdicts.add(lists.cgroups.empty(), subject.holder_known && holds(lists.cgroups, subject.cgroup_id));
  verdicts.add(lists.processes.empty(), subject.holder_known && holds(lists.processes, subject.process_name));
  return verdicts;
}

}  // namespace

bool passes(const Filter& filter, const FilterSubject& subject) {
  if (!filter.loopback && (is_loopback(subject.socket.localAddress) || is_loopback(subject.socket.remoteAddress)))
    return false;
  return !ask(filter.drop, subject).any_matches && ask(filter.keep, subject).all_match;
}

}  // namespace procflow
