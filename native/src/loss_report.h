// What got lost on its way from the kernel, or found no room here: a count of each place.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "applications.h"
#include "batch.h"
#include "bpf_programs.h"

namespace procflow {

class LossReport {
 public:
  explicit LossReport(const BpfPrograms& programs) : programs_(programs) {}

  // What has lost events since the last time, so that it must be read anew.
  struct Stale {
    bool sockets = false, processes = false;
  };
  // Tells each count that has changed, and all of them at first. `exchanges` and `applications`: what is put together in this
  // process has lost so many.
  Stale read(std::uint64_t exchanges, const Applications::Losses& applications, BatchBuilder& out);
  // An end that no program has run for was found.
  void missed_end(BatchBuilder& out);

  // Of the programs, as of the last reading.
  const pf_statistics& statistics() const { return statistics_; }
  // How often a program did not run since it was running already.
  std::uint64_t missed_runs() const { return missed_runs_; }

 private:
  bool tell(std::string_view place, std::uint64_t count, BatchBuilder& out);
  void read_missed_runs();

  const BpfPrograms& programs_;
  pf_statistics statistics_{};
  std::uint64_t missed_runs_ = 0, missed_ends_ = 0, next_missed_ns_ = 0;
  std::unordered_map<std::string_view, std::uint64_t> told_;
};

}  // namespace procflow
