#include "descriptor_search.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "proc_files.h"

namespace procflow {
namespace {

constexpr std::size_t kLinksPerRun = 200000;

// The inode in "socket:[12345]", as a descriptor's link names a socket; 0 for anything else.
std::uint64_t socket_at(int directory, const char* path) {
  char target[64];
  const ssize_t length = readlinkat(directory, path, target, sizeof target);
  if (length <= 0) return 0;
  std::string_view name(target, static_cast<std::size_t>(length));
  constexpr std::string_view head = "socket:[";
  std::uint64_t inode = 0;
  if (name.starts_with(head)) std::from_chars(name.data() + head.size(), name.data() + name.size(), inode);
  return inode;
}

}  // namespace

bool DescriptorSearch::holds(pid_t pid, int descriptor, std::uint64_t inode) const {
  char path[64];
  std::snprintf(path, sizeof path, "%d/fd/%d", pid, descriptor);
  return socket_at(processes_.proc_fd(), path) == inode;
}

// Likely holders first, then who is in the same namespace, then all the others; in the order of pids.
bool DescriptorSearch::run(Wanted& wanted, const Found& found) {
  links_ = 0;
  std::unordered_set<pid_t> searched;
  for (int round = 0; round < 3; round++) {
    for (const auto& [pid, process] : processes_.all()) {
      if (wanted.inodes.empty()) {
        resume_after_ = 0;
        return true;
      }
      const bool is_likely =
          wanted.likely.contains(pid) || wanted.likely.contains(process.parent) || processes_.is_new(process);
      if (round == 0 && !is_likely) continue;
      if (round == 1 && !wanted.namespaces.contains(process.netns)) continue;
      if (round > 0 && pid <= resume_after_) continue;
      if (!searched.insert(pid).second) continue;
      search_process(pid, process, wanted, found);
      if (links_ < kLinksPerRun) continue;
      resume_after_ = pid;
      return false;
    }
  }
  // The processes before were searched in an earlier run, for other sockets.
  const bool whole = resume_after_ == 0;
  resume_after_ = 0;
  return whole;
}

void DescriptorSearch::search_process(pid_t pid, const ProcfsProcesses::Process& process, Wanted& wanted,
                                      const Found& found) {
  if (process.kernel_thread || !process.descriptors_visible) return;
  char path[32];
  std::snprintf(path, sizeof path, "%d/fd", pid);
  OwnedFd opened(openat(processes_.proc_fd(), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(fdopendir(opened.get()), closedir);
  if (!dir) return;
  const int fd = opened.release();
  while (const dirent* entry = readdir(dir.get())) {
    if (entry->d_name[0] == '.') continue;
    const std::uint64_t inode = socket_at(fd, entry->d_name);
    if (++links_ >= kLinksPerRun) return;
    if (inode == 0 || wanted.inodes.erase(inode) == 0) continue;
    found(inode, pid, process, std::atoi(entry->d_name));
    if (wanted.inodes.empty()) return;
  }
}

}  // namespace procflow
