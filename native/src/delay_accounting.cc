#include "delay_accounting.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace procflow {
namespace {

constexpr const char* kPath = "/proc/sys/kernel/task_delayacct";

// The first character, or 0 with errno set.
char read_setting() {
  const int fd = open(kPath, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char value = 0;
  if (read(fd, &value, 1) != 1) value = 0;
  ::close(fd);
  return value;
}

bool write_setting(char value) {
  const int fd = open(kPath, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = write(fd, &value, 1) == 1;
  const int error = errno;
  ::close(fd);
  errno = error;
  return written;
}

// Agents that have switched it on, of which only the last may switch it off, hold the lock together and for as long as
// they run. Who starts holds it alone, and but for a moment. Takes the lock alone when there is nobody.
bool is_switched_on_by_another(int fd) {
  constexpr auto kMoment = std::chrono::milliseconds(5);
  for (int attempt = 0; attempt < 4; attempt++) {
    if (attempt > 0) std::this_thread::sleep_for(kMoment);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return false;
  }
  return true;
}

}  // namespace

DelayAccounting::DelayAccounting(bool wanted) : switch_fd_(open(kPath, O_RDONLY | O_CLOEXEC)) {
  const bool switched = switch_fd_ >= 0 && is_switched_on_by_another(switch_fd_);
  const char now = read_setting();
  if (now == 0) {
    obstacle_ = "the kernel has no kernel.task_delayacct: it is built without CONFIG_TASK_DELAY_ACCT";
  } else if (now != '1' && !wanted) {
    obstacle_ = "kernel.task_delayacct is 0, and capture.delayAccounting forbids to change it";
  } else if (now != '1' && !write_setting('1')) {
    obstacle_ = std::string("kernel.task_delayacct is 0, and cannot be changed: ") + std::strerror(errno);
  } else {
    switched_on_ = now != '1' || (switched && wanted);
  }
  flock(switch_fd_, switched_on_ ? LOCK_SH : LOCK_UN);
}

const char* DelayAccounting::state() const {
  if (read_setting() != '1') return "OFF";
  return switched_on_ ? "SWITCHED_ON" : "ON";
}

DelayAccounting::~DelayAccounting() {
  if (switched_on_ && flock(switch_fd_, LOCK_EX | LOCK_NB) == 0) write_setting('0');
  if (switch_fd_ >= 0) ::close(switch_fd_);
}

}  // namespace procflow
