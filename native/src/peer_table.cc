#include "peer_table.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include "flow_cookie.h"

namespace procflow {
namespace {

constexpr std::uint32_t kBatch = 1024;
constexpr std::uint64_t kIdleNs = 120'000'000'000;

}  // namespace

PeerTable::Known& PeerTable::known(const pf_peer_key& key) {
  const auto [entry, added] = known_.try_emplace(key);
  if (added) {
    entry->second.poll = polls_ + 1;  // the next one meets it, or it is gone
    by_cookie_[key.cookie].push_back(key);
  }
  return entry->second;
}

void PeerTable::tell(const pf_peer_key& key, const pf_peer& peer, bool final, std::uint64_t now_ns,
                     BatchBuilder& out) const {
  PeerRow row;
  if (final) row.flags |= PF_PEER_FLAG_FINAL;
  if (!tier_.saw_all(peer.epoch, now_ns)) row.flags |= PF_PEER_FLAG_PART;
  row.timeNs = static_cast<double>(now_ns);
  row.cookie = row_cookie(key.cookie);
  std::memcpy(row.peerAddress.data(), key.peer, row.peerAddress.size());
  row.peerPort = key.peer_port;
  row.sentOctets = static_cast<double>(peer.sent.octets);
  row.sentPackets = static_cast<double>(peer.sent.packets);
  row.sentBytes = static_cast<double>(peer.sent.bytes);
  row.receivedOctets = static_cast<double>(peer.received.octets);
  row.receivedPackets = static_cast<double>(peer.received.packets);
  row.receivedBytes = static_cast<double>(peer.received.bytes);
  out.add(row);
}

void PeerTable::remove(const pf_peer_key& key, std::uint64_t now_ns, BatchBuilder& out) {
  pf_peer last{};
  if (bpf_map_lookup_and_delete_elem(map_, &key, &last) == 0) tell(key, last, true, now_ns, out);
}

void PeerTable::forget(const std::vector<pf_peer_key>& gone) {
  std::unordered_set<std::uint64_t> cookies;
  for (const pf_peer_key& key : gone) {
    known_.erase(key);
    cookies.insert(key.cookie);
  }
  // One pass for all of a socket's: a server may have very many.
  for (const std::uint64_t cookie : cookies) {
    const auto siblings = by_cookie_.find(cookie);
    if (siblings == by_cookie_.end()) continue;
    std::erase_if(siblings->second, [this](const pf_peer_key& key) { return !known_.contains(key); });
    if (siblings->second.empty()) by_cookie_.erase(siblings);
  }
}

void PeerTable::poll(std::uint64_t now_ns, BatchBuilder& out) {
  std::vector<pf_peer_key> keys(kBatch), gone;
  std::vector<pf_peer> values(kBatch);
  std::uint32_t from = 0, to = 0;
  polls_++;
  for (bool first = true, more = true; more; first = false) {
    std::uint32_t count = kBatch;
    more = bpf_map_lookup_batch(map_, first ? nullptr : &from, &to, keys.data(), values.data(), &count, nullptr) == 0;
    if (!more && errno != ENOENT) return;
    for (std::uint32_t i = 0; i < count; i++) {
      Known& last = known(keys[i]);
      const std::uint64_t packets = values[i].sent.packets + values[i].received.packets;
      last.poll = polls_;
      if (packets != last.packets) {
        last.packets = packets;
        last.changed_ns = now_ns;
        tell(keys[i], values[i], false, now_ns, out);
      } else if (now_ns - last.changed_ns > kIdleNs) {
        gone.push_back(keys[i]);
      }
    }
    from = to;
  }
  for (const pf_peer_key& key : gone) remove(key, now_ns, out);
  for (const auto& [key, last] : known_)
    if (last.poll < polls_) gone.push_back(key);
  forget(gone);
}

void PeerTable::end(std::uint64_t cookie, std::uint64_t now_ns, BatchBuilder& out) {
  const auto found = by_cookie_.find(cookie);
  if (found == by_cookie_.end()) return;
  for (const pf_peer_key& key : found->second) {
    remove(key, now_ns, out);
    known_.erase(key);
  }
  by_cookie_.erase(found);
}

}  // namespace procflow
