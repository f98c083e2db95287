#include "loss_report.h"

#include "clock.h"

namespace procflow {
namespace {

constexpr std::uint64_t kMissedNs = 1'000'000'000;

constexpr std::string_view kPlaces[PF_LOSSES] = {"ringBuffer.socket", "ringBuffer.traffic", "ringBuffer.process",
                                                 "socketTable",       "peerTable",          "endedTable",
                                                 "pendingPeer",       "ringBuffer.usage",   "groupTable",
                                                 "ringBuffer.http",   "httpTable",          "httpUnread",
                                                 "ringBuffer.packet", "peerCounters"};

}  // namespace

LossReport::Stale LossReport::read(std::uint64_t exchanges, const Applications::Losses& applications, BatchBuilder& out) {
  statistics_ = programs_.read_statistics();
  Stale stale;
  for (int place = 0; place < PF_LOSSES; place++) {
    if (!tell(kPlaces[place], statistics_.losses[place], out)) continue;
    if (place == PF_LOSS_RING_SOCKET || place == PF_LOSS_RING_TRAFFIC) stale.sockets = true;
    if (place == PF_LOSS_RING_PROCESS) stale.processes = true;
  }
  read_missed_runs();
  tell("missedEvents", missed_runs_, out);
  tell("missedEnds", missed_ends_, out);
  tell("httpAssembly", exchanges, out);
  tell("applicationTable", applications.table, out);
  tell("applicationBudget", applications.budget, out);
  return stale;
}

void LossReport::missed_end(BatchBuilder& out) { tell("missedEnds", ++missed_ends_, out); }

// Whether it has changed.
bool LossReport::tell(std::string_view place, std::uint64_t count, BatchBuilder& out) {
  const auto [told, first] = told_.try_emplace(place, 0);
  const bool changed = told->second != count;
  if (!first && !changed) return false;
  told->second = count;
  LossRow row;
  row.place = out.intern(place);
  row.count = static_cast<double>(count);
  out.add(row);
  return changed;
}

// The kernel is asked for each program, which takes longer than all the rest.
void LossReport::read_missed_runs() {
  const std::uint64_t now = boot_ns();
  if (now < next_missed_ns_) return;
  next_missed_ns_ = now + kMissedNs;
  missed_runs_ = programs_.missed_runs();
}

}  // namespace procflow
