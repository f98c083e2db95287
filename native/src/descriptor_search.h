// Finds who has a descriptor of a socket, in /proc/PID/fd. Used by the capture thread alone.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_set>

#include "procfs_processes.h"

namespace procflow {

class DescriptorSearch {
 public:
  explicit DescriptorSearch(const ProcfsProcesses& processes) : processes_(processes) {}

  // What is looked for, and where it is likely to be.
  struct Wanted {
    std::unordered_set<std::uint64_t> inodes;
    std::unordered_set<std::uint64_t> namespaces;
    std::unordered_set<pid_t> likely;  // they or their children
  };
  using Found =
      std::function<void(std::uint64_t inode, pid_t pid, const ProcfsProcesses::Process& process, int descriptor)>;

  // Takes out of `wanted` what it finds. True when what is left is with no process; false when the work is bounded, and
  // the next run goes on from here.
  bool run(Wanted& wanted, const Found& found);

  // Whether a process still has the socket where it was found.
  bool holds(pid_t pid, int descriptor, std::uint64_t inode) const;

 private:
  void search_process(pid_t pid, const ProcfsProcesses::Process& process, Wanted& wanted, const Found& found);

  const ProcfsProcesses& processes_;
  pid_t resume_after_ = 0;
  std::size_t links_ = 0;  // read in this run
};

}  // namespace procflow
