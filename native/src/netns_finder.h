// Finds a way into a network namespace whose process is gone, or not known: by a mount, as `ip netns` and the container
// runtimes make them, or by any other process that is in it. Used by the capture thread alone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proc_files.h"

namespace procflow {

// The file that leads to the network namespace of a process.
std::string netns_path(pid_t pid);

// The inode of the network namespace that a file leads to, 0 when it leads to none.
std::uint64_t netns_at(const std::string& path);

class NetnsFinder {
 public:
  NetnsFinder();

  // A file that leads there; empty when none was found. Mounts are looked at as they are now. The processes are read
  // again only when little time goes into that, so one that entered the namespace a moment ago may be overlooked.
  std::string find(std::uint64_t netns);

  // Whether anything was mounted or unmounted since the last call.
  bool mounts_changed();

 private:
  void look_at_mounts();
  void read_mounts();
  void read_processes();

  OwnedFd mountinfo_;
  bool mounts_stale_ = true, mounts_news_ = false;
  std::unordered_map<std::uint64_t, std::string> mounts_;
  std::unordered_map<std::uint64_t, pid_t> processes_;
  double next_scan_ns_ = 0;
};

// Where the network namespaces of a /proc/PID/mountinfo are mounted, by inode.
std::unordered_map<std::uint64_t, std::string> netns_mounts(std::string_view mountinfo);

}  // namespace procflow
