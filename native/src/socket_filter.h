// The configured filter, applied in user space: for the sources that have no filter in the kernel.
#pragma once

#include <cstdint>
#include <string_view>

#include "batch.h"
#include "source.h"

namespace procflow {

// 127.0.0.0/8, also IPv4-mapped, and ::1.
bool is_loopback(const Address& address);

// A socket and what is known of the process that holds it.
struct FilterSubject {
  const SocketRow& socket;
  bool holder_known = false;
  std::string_view process_name;
  std::uint64_t cgroup_id = 0;
};

// Whether the filter lets a socket pass: every non-empty keep list must hold it, no drop list may, and the loopback rule.
// The agent's own traffic is for the caller.
bool passes(const Filter& filter, const FilterSubject& subject);

}  // namespace procflow
