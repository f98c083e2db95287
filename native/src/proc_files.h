// Reading /proc: descriptors that close themselves, short files, links, and the fields of /proc/PID/stat.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace procflow {

// Owns one file descriptor.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  // Gives the descriptor away.
  int release() { return std::exchange(fd_, -1); }
  void reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

// What failed, and why. `code` 0 is success.
struct SystemError {
  int code = 0;
  const char* operation = "";
  explicit operator bool() const { return code != 0; }
  std::string text() const;
};

// The first `capacity` bytes of a file below `dir`, or -1 with errno. Short reads are continued.
ssize_t read_at(int dir, const char* path, char* buffer, std::size_t capacity);

// The target of a symbolic link below `dir`; empty with errno when it cannot be read.
std::string link_at(int dir, const char* path);

// What we use of /proc/PID/stat. The addresses are zero for processes that we may not trace.
struct ProcStat {
  std::string comm;
  char state = '?';
  pid_t parent = 0;
  std::uint32_t flags = 0;
  std::uint32_t threads = 0;
  std::uint64_t user_ticks = 0, system_ticks = 0;  // of all threads, living and dead
  std::uint64_t minor_faults = 0, major_faults = 0;
  std::uint64_t resident_pages = 0;
  std::uint64_t start_ticks = 0;
  std::uint64_t start_stack = 0;
  std::uint64_t arg_start = 0;

  // A leader that has exited is a zombie while its other threads live on: that process is not dead.
  bool dead() const { return (state == 'Z' || state == 'X' || state == 'x') && threads <= 1; }
  bool kernel_thread() const { return (flags & 0x00200000u) != 0; }  // PF_KTHREAD
};

bool parse_stat(std::string_view text, ProcStat& stat);
bool read_stat(int dir, const char* path, ProcStat& stat);

double ticks_to_ns(std::uint64_t ticks);
double tick_ns();
double boot_now_ns();

}  // namespace procflow
