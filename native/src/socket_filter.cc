#include "socket_filter.h"

#include <algorithm>
#include <cstring>

namespace procflow {
namespace {

bool in_prefix(const Address& address, const FilterLists::Prefix& prefix) {
  const unsigned bits = std::min<unsigned>(prefix.bits, 128);
  if (std::memcmp(address.data(), prefix.address.data(), bits / 8) != 0) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff00u >> (bits % 8));
  return ((address[bits / 8] ^ prefix.address[bits / 8]) & mask) == 0;
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

bool matches(const FilterLists& lists, const FilterSubject& subject) {
  const SocketRow& socket = subject.socket;
  if (lists.empty()) return false;
  if (!lists.addresses.empty() && std::none_of(lists.addresses.begin(), lists.addresses.end(), [&](const auto& prefix) {
        return in_prefix(socket.localAddress, prefix) || in_prefix(socket.remoteAddress, prefix);
      }))
    return false;
  if (!lists.ports.empty() && !holds(lists.ports, socket.localPort) && !holds(lists.ports, socket.remotePort))
    return false;
  if (!lists.protocols.empty() && !holds(lists.protocols, socket.protocol)) return false;
  if (!lists.uids.empty() && !holds(lists.uids, socket.uid)) return false;
  if (!lists.cgroups.empty() && !(subject.holder_known && holds(lists.cgroups, subject.cgroup_id))) return false;
  if (!lists.processes.empty() && !(subject.holder_known && holds(lists.processes, subject.process_name)))
    return false;
  return true;
}

bool passes(const Filter& filter, const FilterSubject& subject) {
  if (!filter.loopback && (is_loopback(subject.socket.localAddress) || is_loopback(subject.socket.remoteAddress)))
    return false;
  if (matches(filter.drop, subject)) return false;
  return filter.keep.empty() || matches(filter.keep, subject);
}

}  // namespace procflow
