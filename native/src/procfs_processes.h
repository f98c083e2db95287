// The processes of this host by scanning /proc: who is there, who came, who changed image or user, who went.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "batch.h"
#include "identity.h"
#include "proc_files.h"

namespace procflow {

class ProcfsProcesses {
 public:
  struct Process {
    std::uint64_t start_ticks = 0;
    std::uint64_t netns = 0;  // 0: not visible
    std::uint64_t cgroup_id = 0;
    std::uint32_t uid = 0, gid = 0;
    pid_t parent = 0;
    std::string comm;
    // Addresses that only an exec changes, zero when not visible; then the hash of the arguments is compared each scan.
    std::uint64_t start_stack = 0, arg_start = 0;
    std::size_t arguments_hash = 0;
    std::uint32_t directory_uid = 0;
    std::uint32_t scans_since_image = 0;
    std::uint32_t scan = 0;
    bool kernel_thread = false;
    bool descriptors_visible = true;
    double start_ns() const { return ticks_to_ns(start_ticks); }
  };

  // `samples`: tell at each scan what every process has spent.
  ProcfsProcesses(Identity& identity, bool samples);

  // Starts a scan: lists the pids there are.
  SystemError begin();
  // Looks at the next processes and adds rows for what is new or changed. True when more are left.
  bool scan_some(BatchBuilder& out);
  // Ends a scan: adds an exit for each process that was not there any more.
  void finish(BatchBuilder& out);

  const Process* find(pid_t pid) const;
  // In the order of pids.
  const std::map<pid_t, Process>& all() const { return processes_; }
  // Whether a process appeared in this scan or the one before.
  bool is_new(const Process& process) const { return process.scans_since_image <= 1; }
  std::size_t invisible() const;
  int proc_fd() const { return proc_.get(); }

 private:
  void look_at(pid_t pid, BatchBuilder& out);
  bool report(pid_t pid, std::uint8_t kind, const ProcStat& stat, Process& process, BatchBuilder& out);
  void sample(pid_t pid, const ProcStat& stat, BatchBuilder& out) const;
  void report_exit(pid_t pid, const Process& process, BatchBuilder& out) const;

  Identity& identity_;
  const bool samples_;
  OwnedFd proc_;
  std::map<pid_t, Process> processes_;
  std::vector<pid_t> pids_;
  std::size_t next_ = 0;
  std::uint32_t scan_ = 0;
};

}  // namespace procflow
