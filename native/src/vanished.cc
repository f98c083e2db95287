#include "vanished.h"

#include <bpf/bpf.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "netns.h"

namespace procflow {
namespace {

constexpr std::uint32_t kBatch = 512;
constexpr std::uint64_t kClosingNs = 2'000'000'000;  // a close takes this long at most, mostly
// Where nobody can be asked: longer than the kernel tries to end a connection whose peer is silent.
constexpr std::uint64_t kGiveUpNs = 1'000'000'000'000;

bool is_closing(const pf_socket& socket) {
  return socket.protocol == IPPROTO_TCP && socket.remote_port != 0 &&
         (socket.flags & (PF_SOCK_RELEASED | PF_SOCK_CLOSED)) == PF_SOCK_RELEASED;
}

}  // namespace

bool Vanished::is_gone(const pf_socket& socket, std::uint64_t now_ns) {
  const auto [entry, added] = diagnostics_.try_emplace(socket.netns);
  SockDiag& diagnostics = entry->second;
  if (added) {
    const bool own = socket.netns == own_netns();
    diagnostics.open(socket.netns, own ? getpid() : static_cast<pid_t>(socket.last.pid));
  }
  if (diagnostics.is_open()) {
    DiagSocket asked;
    asked.cookie = socket.cookie;
    asked.family = socket.family;
    asked.type = SOCK_STREAM;
    asked.protocol = IPPROTO_TCP;
    asked.interface_index = socket.interface_index;
    std::memcpy(asked.local.data(), socket.local, asked.local.size());
    std::memcpy(asked.remote.data(), socket.remote, asked.remote.size());
    asked.local_port = socket.local_port;
    asked.remote_port = socket.remote_port;
    const auto presence = diagnostics.look_up(asked).presence;
    // What waits in TIME_WAIT is no socket any more.
    if (presence != SockDiag::Presence::kUnknown) return presence != SockDiag::Presence::kThere;
  }
  return now_ns - socket.poll_signature > kGiveUpNs;
}

std::vector<Vanished::State> Vanished::take(std::uint64_t now_ns) {
  std::vector<State> gone;
  std::vector<std::uint64_t> keys(kBatch);
  std::vector<pf_socket> values(kBatch);
  std::uint32_t from = 0, to = 0;
  pending_ = false;
  for (bool first = true, more = true; more; first = false) {
    std::uint32_t count = kBatch;
    more = bpf_map_lookup_batch(map_, first ? nullptr : &from, &to, keys.data(), values.data(), &count, nullptr) == 0;
    if (!more && errno != ENOENT) break;
    for (std::uint32_t i = 0; i < count; i++) {
      if (!is_closing(values[i])) continue;
      if (now_ns - values[i].poll_signature > kClosingNs && is_gone(values[i], now_ns))
        gone.push_back({keys[i], values[i]});
      else
        pending_ = true;
    }
    from = to;
  }
  diagnostics_.clear();
  // The memory of a socket that is gone may be another one's by now, with the same key.
  std::erase_if(gone, [this](const State& state) {
    pf_socket now{};
    if (bpf_map_lookup_elem(map_, &state.sock, &now) != 0 || now.cookie != state.socket.cookie ||
        (now.flags & PF_SOCK_CLOSED) != 0)
      return true;
    bpf_map_delete_elem(map_, &state.sock);
    return false;
  });
  return gone;
}

}  // namespace procflow
