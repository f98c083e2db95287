#include "netns_finder.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>
#include <utility>

namespace procflow {
namespace {

// Reading all processes may take one part in so many of a CPU's time.
constexpr double kScanShare = 100;
constexpr std::size_t kMaxMountinfoBytes = 64 << 20;

// The inode in "net:[4026531840]", as links and mounts name a network namespace; 0 for anything else.
std::uint64_t inode_in(std::string_view name) {
  constexpr std::string_view head = "net:[";
  std::uint64_t inode = 0;
  if (name.starts_with(head)) std::from_chars(name.data() + head.size(), name.data() + name.size(), inode);
  return inode;
}

// The kernel writes blanks and backslashes as three octal digits.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); i++) {
    unsigned code = 0;
    if (text[i] == '\\' && text.size() - i > 3 &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr == text.data() + i + 4) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// Cuts the next word off.
std::string_view next_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

}  // namespace

std::string netns_path(pid_t pid) { return "/proc/" + std::to_string(pid) + "/ns/net"; }

std::uint64_t netns_at(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

std::unordered_map<std::uint64_t, std::string> netns_mounts(std::string_view mountinfo) {
  std::unordered_map<std::uint64_t, std::string> mounts;
  while (!mountinfo.empty()) {
    std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(mountinfo.size(), line.size() + 1));
    // proc_pid_mountinfo(5): mount, parent, device, root, mount point, …
    for (int i = 0; i < 3; i++) next_word(line);
    const std::uint64_t inode = inode_in(next_word(line));
    if (inode != 0) mounts[inode] = unescaped(next_word(line));
  }
  return mounts;
}

NetnsFinder::NetnsFinder() : mountinfo_(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) {}

std::string NetnsFinder::find(std::uint64_t netns) {
  look_at_mounts();
  if (mounts_stale_) read_mounts();
  if (const auto mount = mounts_.find(netns); mount != mounts_.end()) return mount->second;
  if (boot_now_ns() >= next_scan_ns_) read_processes();
  const auto process = processes_.find(netns);
  return process == processes_.end() ? std::string() : netns_path(process->second);
}

bool NetnsFinder::mounts_changed() {
  look_at_mounts();
  return std::exchange(mounts_news_, false);
}

// poll(2) tells of a change once.
void NetnsFinder::look_at_mounts() {
  pollfd changed{mountinfo_.get(), POLLPRI, 0};
  if (poll(&changed, 1, 0) > 0) mounts_stale_ = mounts_news_ = true;
}

void NetnsFinder::read_mounts() {
  std::string text;
  char piece[16384];
  off_t at = 0;
  for (ssize_t got; text.size() < kMaxMountinfoBytes && (got = pread(mountinfo_.get(), piece, sizeof piece, at)) > 0;
       at += got)
    text.append(piece, static_cast<std::size_t>(got));
  mounts_ = netns_mounts(text);
  mounts_stale_ = false;
}

void NetnsFinder::read_processes() {
  const double started = boot_now_ns();
  processes_.clear();
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  while (const dirent* entry = proc ? readdir(proc.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    if (std::from_chars(name.begin(), name.end(), pid).ptr != name.end()) continue;
    const std::string link = std::string(name) + "/ns/net";
    if (const std::uint64_t inode = inode_in(link_at(dirfd(proc.get()), link.c_str()))) processes_.emplace(inode, pid);
  }
  const double now = boot_now_ns();
  next_scan_ns_ = now + (now - started) * kScanShare;
}

}  // namespace procflow
