// Decides when a tier of capture is put off because the kernel side costs too much, and when it comes back. It knows
// neither the kernel nor a clock: what it is told about once a second is all there is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace procflow {

class Governor {
 public:
  // What can be put off, in this order, and comes back in the opposite one.
  enum Shedable : std::size_t { kPackets = 0, kMessagesOfTcp = 1, kShedables = 2 };

  struct Load {
    bool can = false;       // it is there, and on or put off by the governor
    double percent = 0;     // of one core, that its programs take now
    double activity = 0;    // runs in a second of programs that go on when it is off, and with which its cost rises
  };
  struct Reading {
    std::uint64_t now_ns = 0;
    double seconds = 1;  // that the reading is about
    double percent = 0;  // of one core, that all programs take
    std::array<Load, kShedables> of{};
  };
  struct Change {
    Shedable what;
    bool on;
    double percent;  // what all programs took, or are expected to take with it; of one core
  };

  // `budget`: percent of one core; 0: nothing is put off, and what was comes back.
  explicit Governor(double budget) : budget_(budget) {}

  double budget() const { return budget_; }
  // What is put off waits no longer than the new budget asks for.
  void set_budget(double budget);
  // What to do now; one thing at a time.
  std::optional<Change> decide(const Reading& reading);

 private:
  struct State {
    bool shed = false;
    double percent = 0, activity = 0;  // when it was put off
    double hold_seconds = 0;
    std::uint64_t not_before_ns = 0;
    std::uint64_t restored_ns = 0;  // 0: never was
  };

  std::optional<Change> shed_next(const Reading& reading);
  std::optional<Change> restore_last(const Reading& reading);
  double expected_with(Shedable what, const Reading& reading) const;
  Change restore(Shedable what, std::uint64_t now_ns, double percent);

  double budget_;
  std::array<State, kShedables> states_{};
  // The seconds above the budget that lie behind, one after the other, and what was read in them.
  double over_seconds_ = 0;
  std::array<Load, kShedables> over_{};
  double below_seconds_ = 0;
};

}  // namespace procflow
