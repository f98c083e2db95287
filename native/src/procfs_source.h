// The source without BPF: processes from /proc, sockets with the kernel's TCP counters from socket diagnostics.
//
// What a poll cannot see is not there: processes that lived between two polls, and who held a socket that did. TCP
// sockets that ended between two polls are told by the kernel with their last counters. Unprivileged it sees the own
// network namespace, and the descriptors of the user's own processes.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "identity.h"
#include "netns.h"
#include "procfs_processes.h"
#include "procfs_sockets.h"
#include "sock_diag.h"
#include "source.h"

namespace procflow {

class ProcfsSource : public Source {
 public:
  explicit ProcfsSource(SourceOptions options);

  int wait_ms() const override;
  bool collect(BatchBuilder& out) override;
  void set_filter(const Filter& filter) override;
  std::string status_json() override;

 private:
  enum class Phase : std::uint8_t { kIdle, kProcesses, kSockets, kRows };

  struct Space {
    SockDiag diag;
    pid_t pid = 0;
    std::uint32_t scan = 0;
    std::uint32_t refused_until = 0;  // scan
    std::uint32_t complete = 0;       // a bit per table read whole in this scan
    std::uint32_t partial = 0;
    bool watched = false;
    std::vector<DiagSocket> ended;
  };

  bool step(BatchBuilder& out);
  void begin(BatchBuilder& out);
  void list_namespaces();
  void scan_namespace(std::uint64_t netns, const std::vector<pid_t>& pids);
  bool open_space(Space& space, std::uint64_t netns, const std::vector<pid_t>& pids);
  void finish_sockets();
  void take_ends();
  void take_ends(std::uint64_t netns, Space& space);
  void finish(BatchBuilder& out);
  void report_losses(BatchBuilder& out);
  SockDiag::Lookup look_up(std::uint64_t netns, const DiagSocket& socket, bool any_cookie);

  SourceOptions options_;
  Identity identity_;
  NetnsTable netns_;
  ProcfsProcesses processes_;
  ProcfsSockets sockets_;
  Phase phase_ = Phase::kIdle;
  std::uint32_t scan_ = 0;   // the poll that runs or ran last
  std::uint32_t polls_ = 0;  // complete ones
  double next_poll_ns_ = 0;
  double work_ns_ = 0, cpu_ns_ = 0;  // of the poll that runs
  double last_poll_ms_ = 0, last_poll_cpu_ms_ = 0;
  double interval_ms_;
  std::unordered_map<std::uint64_t, Space> spaces_;
  std::vector<std::pair<std::uint64_t, std::vector<pid_t>>> queue_;
  std::size_t next_space_ = 0;
  std::size_t refused_namespaces_ = 0;
  std::uint64_t ends_lost_ = 0, errors_ = 0;
  std::uint64_t reported_[3] = {};
  std::uint32_t missing_tables_ = 0;
};

}  // namespace procflow
