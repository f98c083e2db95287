// Finds connections that ended without any program having run for their end: under a flood of closes one in some hundreds
// does. Their state is still in the kernel's table, but the kernel has the socket no more.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "../bpf/wire.h"
#include "sock_diag.h"

namespace procflow {

class Vanished {
 public:
  explicit Vanished(int sockets_map) : map_(sockets_map) {}
  Vanished(const Vanished&) = delete;
  Vanished& operator=(const Vanished&) = delete;

  struct State {
    std::uint64_t sock;
    pf_socket socket;
  };
  // Takes the states of vanished connections out of the table. Reads all of it: not for every second.
  std::vector<State> take(std::uint64_t now_ns);
  // Some connections are closing, and may have vanished by the next time.
  bool pending() const { return pending_; }

 private:
  bool is_gone(const pf_socket& socket, std::uint64_t now_ns);

  int map_;
  bool pending_ = false;
  std::map<std::uint64_t, SockDiag> diagnostics_;  // by network namespace, while `take` runs
};

}  // namespace procflow
