// The kernel's accounting of what tasks wait for (kernel.task_delayacct): off by default since Linux 5.14, and without
// it nobody knows how long a process waited for its disk.
#pragma once

#include <string>

namespace procflow {

// Switched on while this lives, when `wanted` and allowed, and put back to what it was.
class DelayAccounting {
 public:
  explicit DelayAccounting(bool wanted);
  ~DelayAccounting();
  DelayAccounting(const DelayAccounting&) = delete;
  DelayAccounting& operator=(const DelayAccounting&) = delete;

  bool on() const { return obstacle_.empty(); }
  // Switched on by this agent, so that it covers no process that was there before.
  bool switched_on() const { return switched_on_; }
  // Why it is off; empty when it is on.
  const std::string& obstacle() const { return obstacle_; }

 private:
  bool switched_on_ = false;
  std::string obstacle_;
};

}  // namespace procflow
