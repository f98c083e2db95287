// When a tier was on, which it need not be all the time: whether it saw all of a socket.
#pragma once

#include <cstdint>

namespace procflow {

class TierEpochs {
 public:
  void switch_on() {
    // 1 says that it was never off.
    if (++epoch_ == 0) epoch_ = 2;
    on_ = true;
  }
  void switch_off(std::uint64_t now_ns) {
    on_ = false;
    off_ns_ = now_ns;
  }
  bool on() const { return on_; }
  // What sockets that open now are marked with; never 0 once it was on.
  std::uint16_t epoch() const { return epoch_; }
  // Whether it has been on since a socket opened, in `epoch`, until `time_ns`.
  bool saw_all(std::uint16_t epoch, std::uint64_t time_ns) const {
    return epoch != 0 && epoch == epoch_ && (on_ || time_ns <= off_ns_);
  }

 private:
  std::uint16_t epoch_ = 0;
  bool on_ = false;
  std::uint64_t off_ns_ = 0;
};

}  // namespace procflow
