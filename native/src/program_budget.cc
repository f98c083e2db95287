#include "program_budget.h"

#include <algorithm>
#include <cstdio>

#include "json_text.h"

namespace procflow {
namespace {

constexpr std::uint64_t kCheckNs = 1'000'000'000;
constexpr pf_run kMessageRuns[] = {PF_RUN_SEND, PF_RUN_RECV};
constexpr pf_run kPacketRuns[] = {PF_RUN_PACKET_SENT, PF_RUN_PACKET_RECEIVED};
constexpr const char* kShedables[Governor::kShedables] = {"packets", "messages"};
constexpr const char* kCostStates[] = {"PENDING", "MEASURED", "CONSTANT"};

// As people write it.
std::string percent_text(double percent) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %%", percent);
  return text;
}

}  // namespace

ProgramBudget::ProgramBudget(const BpfPrograms& programs, double percent) : governor_(percent) {
  for (int run = 0; run < PF_RUNS; run++)
    for (const char* name : ProgramCosts::programs(static_cast<pf_run>(run)))
      if (const int program = programs.program(name); program >= 0) costs_.add(static_cast<pf_run>(run), program);
}

std::optional<ProgramBudget::Change> ProgramBudget::check(std::uint64_t now_ns, const BpfPrograms& programs) {
  costs_.tick(now_ns);
  if (now_ns < next_ns_) return std::nullopt;
  next_ns_ = now_ns + kCheckNs;
  known_ = costs_.read(now_ns, programs.read_statistics());
  if (!known_) return std::nullopt;
  const std::optional<Governor::Change> change = governor_.decide(reading(now_ns, programs));
  if (!change) return std::nullopt;
  return Change{kShedables[change->what], change->on,
                "the kernel programs took " + percent_text(change->percent) +
                    " of a core, and governor.budgetPercent is " + percent_text(governor_.budget())};
}

Governor::Reading ProgramBudget::reading(std::uint64_t now_ns, const BpfPrograms& programs) const {
  Governor::Reading reading{.now_ns = now_ns, .seconds = costs_.seconds(), .percent = costs_.percent()};
  double messages = 0, percent = 0;
  for (const pf_run run : kMessageRuns) {
    messages += costs_.load(run).runs_per_second;
    percent += costs_.load(run).percent;
  }
  const double of_tcp = std::max(0.0, messages - costs_.load(PF_RUN_OTHERS).runs_per_second);
  if (messages > 0) reading.of[Governor::kMessagesOfTcp].percent = percent * of_tcp / messages;
  for (const pf_run run : kPacketRuns) reading.of[Governor::kPackets].percent += costs_.load(run).percent;
  for (std::size_t i = 0; i < Governor::kShedables; i++) {
    reading.of[i].can = programs.tier(kShedables[i]).available;
    // Packets come with messages; where these are not counted, with connections.
    reading.of[i].activity =
        programs.tier("messages").available ? messages : costs_.load(PF_RUN_SET_STATE).runs_per_second;
  }
  reading.of[Governor::kMessagesOfTcp].activity = of_tcp;
  return reading;
}

std::string ProgramBudget::json() const {
  const auto known = [this](double value) { return known_ ? std::to_string(value) : std::string("null"); };
  std::string text = "{\"budgetPercent\":" + std::to_string(governor_.budget()) +
                     ",\"loadPercent\":" + known(costs_.percent()) + ",\"calibration\":\"" +
                     kCostStates[static_cast<int>(costs_.state())] +
                     "\",\"calibrationReason\":" + json_text(costs_.obstacle()) + ",\"programs\":[";
  bool first = true;
  for (int i = 0; i < PF_RUNS; i++) {
    const auto run = static_cast<pf_run>(i);
    if (!costs_.is_program(run)) continue;
    const ProgramCosts::Load& load = costs_.load(run);
    text += std::string(first ? "" : ",") + "{\"name\":\"" + ProgramCosts::name(run) + "\",\"runs\":" + std::to_string(load.runs) +
            ",\"runsPerSecond\":" + known(load.runs_per_second) + ",\"costNs\":" + known(load.cost_ns) +
            ",\"loadPercent\":" + known(load.percent) + "}";
    first = false;
  }
  return text + "]}";
}

}  // namespace procflow
