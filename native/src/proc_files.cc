#include "proc_files.h"

#include <fcntl.h>
#include <limits.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>

namespace procflow {

std::string SystemError::text() const {
  return std::string(operation) + ": " + std::strerror(code) + " (errno " + std::to_string(code) + ")";
}

ssize_t read_at(int dir, const char* path, char* buffer, std::size_t capacity) {
  const OwnedFd file(openat(dir, path, O_RDONLY | O_CLOEXEC));
  if (!file) return -1;
  std::size_t length = 0;
  while (length < capacity) {
    const ssize_t got = ::read(file.get(), buffer + length, capacity - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(length);
}

std::string link_at(int dir, const char* path) {
  char target[PATH_MAX];
  const ssize_t length = readlinkat(dir, path, target, sizeof target);
  if (length < 0) return {};
  return std::string(target, static_cast<std::size_t>(length));
}

bool parse_stat(std::string_view text, ProcStat& stat) {
  // The name may hold anything, parentheses, blanks and line ends too: it ends at the last parenthesis.
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return false;
  stat.comm.assign(text.substr(open + 1, close - open - 1));

  std::string_view rest = text.substr(close + 1);
  int field = 2;
  const auto number = [](std::string_view token, auto& value) {
    value = {};
    std::from_chars(token.data(), token.data() + token.size(), value);
  };
  bool complete = false;
  while (!rest.empty()) {
    if (rest.front() == ' ') {
      rest.remove_prefix(1);
      continue;
    }
    const std::string_view token = rest.substr(0, rest.find(' '));
    rest.remove_prefix(token.size());
    switch (++field) {  // numbered as in proc(5)
      case 3: stat.state = token.front(); break;
      case 4: number(token, stat.parent); break;
      case 9: number(token, stat.flags); break;
      case 10: number(token, stat.minor_faults); break;
      case 12: number(token, stat.major_faults); break;
      case 14: number(token, stat.user_ticks); break;
      case 15: number(token, stat.system_ticks); break;
      case 20: number(token, stat.threads); break;
      case 22:
        number(token, stat.start_ticks);
        complete = true;
        break;
      case 24: number(token, stat.resident_pages); break;
      case 28: number(token, stat.start_stack); break;
      case 48: number(token, stat.arg_start); break;
      default: break;
    }
    if (field == 48) break;
  }
  return complete;
}

bool read_stat(int dir, const char* path, ProcStat& stat) {
  char text[2048];
  const ssize_t length = read_at(dir, path, text, sizeof text);
  return length > 0 && parse_stat({text, static_cast<std::size_t>(length)}, stat);
}

double tick_ns() {
  static const double ns = 1e9 / static_cast<double>(sysconf(_SC_CLK_TCK));
  return ns;
}

double ticks_to_ns(std::uint64_t ticks) { return static_cast<double>(ticks) * tick_ns(); }

double boot_now_ns() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

}  // namespace procflow
