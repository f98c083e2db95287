#include "governor.h"

#include <algorithm>

namespace procflow {
namespace {

constexpr double kOverSeconds = 3;
constexpr double kBelowSeconds = 10;
constexpr double kBelowShare = 0.7;     // of the budget
constexpr double kWorthShare = 0.1;     // of the budget: to put off what costs less does not help
constexpr double kHoldSeconds = 30;
constexpr double kMostHoldSeconds = 600;
constexpr double kRelapseSeconds = 60;  // put off again so soon, it was not to come back

std::uint64_t ns(double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); }

}  // namespace

void Governor::set_budget(double budget) {
  if (budget == budget_) return;
  budget_ = budget;
  over_seconds_ = below_seconds_ = 0;
  for (State& state : states_) state.not_before_ns = 0;
}

std::optional<Governor::Change> Governor::decide(const Reading& reading) {
  if (budget_ > 0 && reading.percent > budget_) {
    below_seconds_ = 0;
    return shed_next(reading);
  }
  over_seconds_ = 0;
  return restore_last(reading);
}

std::optional<Governor::Change> Governor::shed_next(const Reading& reading) {
  if (over_seconds_ == 0) over_ = {};
  over_seconds_ += reading.seconds;
  for (std::size_t i = 0; i < kShedables; i++) {
    over_[i].percent += reading.of[i].percent * reading.seconds;
    over_[i].activity += reading.of[i].activity * reading.seconds;
  }
  if (over_seconds_ < kOverSeconds) return std::nullopt;
  for (std::size_t i = 0; i < kShedables; i++) {
    State& state = states_[i];
    const double percent = over_[i].percent / over_seconds_;
    if (state.shed || !reading.of[i].can || percent < kWorthShare * budget_) continue;
    const bool relapsed = state.restored_ns != 0 && reading.now_ns - state.restored_ns < ns(kRelapseSeconds);
    state.shed = true;
    state.percent = percent;
    state.activity = over_[i].activity / over_seconds_;
    state.hold_seconds = relapsed ? std::min(2 * state.hold_seconds, kMostHoldSeconds) : kHoldSeconds;
    state.not_before_ns = reading.now_ns + ns(state.hold_seconds);
    over_seconds_ = 0;
    return Change{static_cast<Shedable>(i), false, reading.percent};
  }
  return std::nullopt;
}

std::optional<Governor::Change> Governor::restore_last(const Reading& reading) {
  for (std::size_t i = kShedables; i-- > 0;) {
    if (!states_[i].shed) continue;
    const auto what = static_cast<Shedable>(i);
    const double expected = expected_with(what, reading);
    if (budget_ == 0) return restore(what, reading.now_ns, expected);
    below_seconds_ = expected < kBelowShare * budget_ ? below_seconds_ + reading.seconds : 0;
    if (below_seconds_ < kBelowSeconds || reading.now_ns < states_[i].not_before_ns) return std::nullopt;
    return restore(what, reading.now_ns, expected);
  }
  return std::nullopt;
}

// What all would take with it: its cost went up and down with the activity.
double Governor::expected_with(Shedable what, const Reading& reading) const {
  const State& state = states_[what];
  const Load& now = reading.of[what];
  return reading.percent - now.percent + state.percent * (now.activity + 1) / (state.activity + 1);
}

Governor::Change Governor::restore(Shedable what, std::uint64_t now_ns, double percent) {
  states_[what].shed = false;
  states_[what].restored_ns = now_ns;
  below_seconds_ = 0;
  return {what, true, percent};
}

}  // namespace procflow
