// The kernel's accounting of what tasks wait for (kernel.task_delayacct): off by default since Linux 5.14, and without
// it nobody knows how long a process waited for its disk.
#pragma once

#include <string>

namespace procflow {

// Switched on while this lives, when `wanted` and allowed, and put back to what it was by the last who wants it.
class DelayAccounting {
 public:
  explicit DelayAccounting(bool wanted);
  ~DelayAccounting();
  DelayAccounting(const DelayAccounting&) = delete;
  DelayAccounting& operator=(const DelayAccounting&) = delete;

  // Now: ON, SWITCHED_ON by an agent, so that it covers no process that was there before, or OFF.
  const char* state() const;
  // Why it could not be had at the start; empty when it could.
  const std::string& obstacle() const { return obstacle_; }

 private:
  const int switch_fd_;  // of the setting
  bool switched_on_ = false;
  std::string obstacle_;
};

}  // namespace procflow
