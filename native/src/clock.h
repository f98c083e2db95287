// The kernel's clocks, in ns.
#pragma once

#include <cstdint>
#include <ctime>

namespace procflow {

inline std::uint64_t clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

inline std::uint64_t boot_ns() { return clock_ns(CLOCK_BOOTTIME); }

}  // namespace procflow
