#include "share_table.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>

namespace procflow {
namespace {
constexpr std::uint32_t kBatch = 1024;
}

bool ShareTable::know(const pf_share_key& key) {
  if (!known_.try_emplace(key).second) return false;
  by_cookie_[key.cookie].push_back(key);
  return true;
}

bool ShareTable::remove(const pf_share_key& key, pf_traffic& last) {
  known_.erase(key);
  return bpf_map_lookup_and_delete_elem(map_, &key, &last) == 0;
}

std::vector<ShareTable::Share> ShareTable::poll(std::uint64_t idle_before_ns) {
  std::vector<Share> changed;
  std::vector<pf_share_key> keys(kBatch);
  std::vector<pf_traffic> values(kBatch);
  std::vector<pf_share_key> idle;
  std::uint32_t from = 0, to = 0;
  for (bool first = true, more = true; more; first = false) {
    std::uint32_t count = kBatch;
    more = bpf_map_lookup_batch(map_, first ? nullptr : &from, &to, keys.data(), values.data(), &count, nullptr) == 0;
    if (!more && errno != ENOENT) break;
    for (std::uint32_t i = 0; i < count; i++) {
      const pf_traffic& traffic = values[i];
      know(keys[i]);
      const std::uint64_t messages = traffic.sent.messages + traffic.received.messages;
      Known& known = known_[keys[i]];
      if (traffic.last_ns != 0 && traffic.last_ns < idle_before_ns) {
        idle.push_back(keys[i]);
      } else if (messages != known.messages) {
        known.messages = messages;
        changed.push_back({keys[i], traffic, false});
      }
    }
    from = to;
  }
  for (const pf_share_key& key : idle) {
    pf_traffic last{};
    if (remove(key, last)) changed.push_back({key, last, true});
    const auto siblings = by_cookie_.find(key.cookie);
    if (siblings == by_cookie_.end()) continue;
    std::erase_if(siblings->second, [&](const pf_share_key& other) { return ShareKeyEqual{}(other, key); });
    if (siblings->second.empty()) by_cookie_.erase(siblings);
  }
  return changed;
}

std::vector<ShareTable::Share> ShareTable::take(std::uint64_t cookie) {
  std::vector<Share> taken;
  const auto found = by_cookie_.find(cookie);
  if (found == by_cookie_.end()) return taken;
  for (const pf_share_key& key : found->second) {
    pf_traffic last{};
    if (remove(key, last)) taken.push_back({key, last, true});
  }
  by_cookie_.erase(found);
  return taken;
}

}  // namespace procflow
