// What the kernel programs cost: how often each ran, by its own counter, times what one run takes. That is measured now
// and then, for a moment, since the kernel's own measuring costs as much as a small program.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "../bpf/wire.h"

namespace procflow {

// What one run takes, in ns: of what was measured the newer half counts as much as all before it.
class RunCost {
 public:
  // `assumed_ns` counts as much as a few runs.
  explicit RunCost(double assumed_ns = 0) : ns_(assumed_ns * kAssumedRuns), runs_(kAssumedRuns) {}
  void add(std::uint64_t ns, std::uint64_t runs);
  double ns() const { return ns_ / runs_; }

 private:
  static constexpr double kAssumedRuns = 32;
  double ns_, runs_;
};

class ProgramCosts {
 public:
  struct Load {
    std::uint64_t runs = 0;  // since the start
    double runs_per_second = 0;
    double cost_ns = 0;      // of one run
    double percent = 0;      // of one core
  };
  enum class State { kPending, kMeasured, kConstant };

  ProgramCosts();
  ~ProgramCosts();
  ProgramCosts(const ProgramCosts&) = delete;
  ProgramCosts& operator=(const ProgramCosts&) = delete;

  // What status calls a counter.
  static const char* name(pf_run run);
  // The programs that a run is counted for, by name; empty when the counter is of a part of another's.
  static const std::vector<const char*>& programs(pf_run run);
  // Descriptors of loaded programs.
  void add(pf_run run, int descriptor);
  // Begins and ends to measure when it is time to.
  void tick(std::uint64_t now_ns);
  // Takes the counters of the programs. False as long as there is nothing to compare them with.
  bool read(std::uint64_t now_ns, const pf_statistics& statistics);
  // Messages of TCP are left out from now on, or not any more: a run takes less, or what it took before.
  void set_light(bool light, std::uint64_t now_ns);

  // Of the time between the last two readings.
  const Load& load(pf_run run) const { return loads_[run]; }
  double percent() const { return percent_; }
  double seconds() const { return seconds_; }
  // Counted by itself, and not within another program.
  bool is_program(pf_run run) const { return !descriptors_[run].empty(); }
  State state() const { return state_; }
  // Why costs cannot be measured; empty when they can.
  const std::string& obstacle() const { return obstacle_; }

 private:
  struct Measured {
    std::uint64_t ns = 0, runs = 0;
  };
  Measured read_kernel(pf_run run) const;
  void begin(std::uint64_t now_ns);
  void end();

  std::array<std::vector<int>, PF_RUNS> descriptors_;
  std::array<std::array<RunCost, PF_RUNS>, 2> costs_;  // the second while messages of TCP are left out
  unsigned light_ = 0;
  std::array<Measured, PF_RUNS> before_{};
  int statistics_fd_ = -1;  // open while the kernel measures
  std::uint64_t next_ns_ = 0, begun_ns_ = 0;
  unsigned slices_ = 0;
  State state_ = State::kPending;
  std::string obstacle_;

  std::array<Load, PF_RUNS> loads_{};
  std::uint64_t read_ns_ = 0;
  double percent_ = 0, seconds_ = 0;
};

}  // namespace procflow
