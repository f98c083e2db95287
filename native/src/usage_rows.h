// Makes rows of what the kernel programs read of processes: at the edges of flows, at each tick, and at exits.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "../bpf/wire.h"
#include "batch.h"

namespace procflow {

// CPU time by mode, in ns. The kernel samples the mode at clock ticks, so that the exact time is divided as the samples
// are to each other; without samples it counts as user time.
struct CpuByMode {
  double user_ns;
  double system_ns;
};
CpuByMode cpu_by_mode(const pf_usage& usage);

class UsageRows {
 public:
  UsageRows() = default;
  UsageRows(const UsageRows&) = delete;
  UsageRows& operator=(const UsageRows&) = delete;

  // A reading. One that was taken as a process connects waits until the socket is told of.
  void add(const pf_usage_record& record, BatchBuilder& out);
  // A row of the socket was added: what waits for it follows.
  void told(std::uint64_t cookie, BatchBuilder& out);
  // The last sample of a process: at its exit.
  void exited(const pf_process_record& record, BatchBuilder& out);
  // Lets go of what waits for sockets that nobody told of.
  void forget_before(std::uint64_t time_ns);

 private:
  std::unordered_map<std::uint64_t, pf_usage_record> connecting_;
};

}  // namespace procflow
