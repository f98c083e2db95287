// What the kernel programs may cost: their measured cost, what to put off for it, and both as status shows them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bpf_programs.h"
#include "governor.h"
#include "program_costs.h"

namespace procflow {

class ProgramBudget {
 public:
  struct Change {
    std::string tier;
    bool on;
    std::string reason;
  };

  // `percent` of one core; 0: nothing is put off.
  ProgramBudget(const BpfPrograms& programs, double percent);

  void set(double percent) { governor_.set_budget(percent); }
  // To be called often: measures now and then, and about once a second decides what to do.
  std::optional<Change> check(std::uint64_t now_ns, const BpfPrograms& programs);
  // Messages of TCP are left out from now on, or not any more.
  void set_light(bool light, std::uint64_t now_ns) { costs_.set_light(light, now_ns); }
  std::string json() const;

 private:
  Governor::Reading reading(std::uint64_t now_ns, const BpfPrograms& programs) const;

  ProgramCosts costs_;
  Governor governor_;
  std::uint64_t next_ns_ = 0;
  bool known_ = false;  // what the programs cost
};

}  // namespace procflow
