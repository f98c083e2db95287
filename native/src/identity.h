// Who a process is, from /proc and the cgroup file system. Used by the capture thread alone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "batch.h"
#include "proc_files.h"

namespace procflow {

inline constexpr std::size_t kMaxArgumentBytes = 4096;

// The mount point of the cgroup2 hierarchy; empty when there is none.
std::string find_cgroup2_mount();
// The same from the text of a mountinfo file.
std::string find_cgroup2_mount(std::string_view mountinfo);

// The cgroup path that names a process best, from the text of /proc/PID/cgroup: the v2 path; where that is the root on
// a host with v1 hierarchies, the first v1 path that is not the root (systemd's own, cpu, cpuacct, memory, pids).
std::string select_cgroup(std::string_view text);

class Identity {
 public:
  Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  // Fills the row with the identity of a living process: parent, credentials (effective), cgroup, names, arguments.
  // Sets `startNs` when it is 0 (to a clock tick); otherwise it must be the process's start within a tick.
  // False when the process is gone, a zombie, or another one under the same pid; the row is then unspecified.
  bool read(pid_t pid, ProcessRow& row, BatchBuilder& out);

  // The real path of an executed image whose inode the kernel told, also when the process is gone already.
  // Empty when unknown. An answer that was proven by the inode is remembered, and costs no system call again.
  std::string executable(pid_t pid, pid_t parent_pid, std::uint64_t inode, std::string_view exec_filename,
                         std::string_view argv0);

  // The path of a cgroup (v2 id) within its hierarchy, as `select_cgroup` chooses it. Empty when unknown.
  std::string cgroup_path(std::uint64_t cgroup_id, pid_t pid);
  // Drops what is remembered of a cgroup.
  void forget(std::uint64_t cgroup_id) { cgroups_.erase(cgroup_id); }

  // argv joined by NUL, at most kMaxArgumentBytes; empty when unknown.
  static std::string arguments(pid_t pid, bool* truncated = nullptr);
  static std::string comm(pid_t pid);

 private:
  struct CgroupEntry {
    std::string path;
    double expires_ns = 0;
  };
  struct Reading;

  bool read_once(int dir, pid_t pid, ProcessRow& row, Reading& reading);
  std::uint64_t cgroup_id_of(std::string_view v2_path) const;
  std::string path_by_handle(std::uint64_t cgroup_id) const;
  std::string cgroup_text(int dir, const char* path);

  std::unordered_map<std::string, std::string> executables_;  // inode and file name as executed -> path
  std::unordered_map<std::uint64_t, CgroupEntry> cgroups_;
  std::string cgroup_mount_;
  OwnedFd cgroup_mount_fd_;
  bool hybrid_ = false;  // v1 hierarchies exist
};

}  // namespace procflow
