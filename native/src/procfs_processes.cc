#include "procfs_processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>

namespace procflow {
namespace {

enum Kind : std::uint8_t { kSeen, kFork, kExec, kExit, kChanged };

constexpr std::size_t kProcessesPerSlice = 1024;
constexpr std::int32_t kUnknownExitCode = -1;
constexpr std::uint32_t kNetnsEvery = 8;      // scans between looks at a process's network namespace
constexpr std::uint32_t kArgumentsEvery = 32;  // and at its arguments, which it may have written over

struct EntryPath {
  char text[64];
  EntryPath(pid_t pid, const char* file) { std::snprintf(text, sizeof text, "%d/%s", pid, file); }
  operator const char*() const { return text; }
};

std::uint64_t netns_at(int proc, pid_t pid) {
  struct stat info {};
  return fstatat(proc, EntryPath(pid, "ns/net"), &info, 0) == 0 ? info.st_ino : 0;
}

bool can_list_descriptors(int proc, pid_t pid) {
  const OwnedFd dir(openat(proc, EntryPath(pid, "fd"), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return dir || (errno != EACCES && errno != EPERM);
}

std::size_t arguments_hash(pid_t pid) { return std::hash<std::string>{}(Identity::arguments(pid)); }

}  // namespace

ProcfsProcesses::ProcfsProcesses(Identity& identity, bool samples)
    : identity_(identity), samples_(samples), proc_(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

SystemError ProcfsProcesses::begin() {
  pids_.clear();
  next_ = 0;
  scan_++;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir("/proc"), closedir);
  if (!dir) return {errno, "list /proc"};
  while (const dirent* entry = readdir(dir.get())) {
    const char* name = entry->d_name;
    pid_t pid = 0;
    const auto parsed = std::from_chars(name, name + std::strlen(name), pid);
    if (parsed.ec == std::errc{} && *parsed.ptr == '\0' && pid > 0) pids_.push_back(pid);
  }
  return {};
}

bool ProcfsProcesses::scan_some(BatchBuilder& out) {
  const std::size_t end = std::min(next_ + kProcessesPerSlice, pids_.size());
  for (; next_ < end; next_++) look_at(pids_[next_], out);
  return next_ < pids_.size();
}

void ProcfsProcesses::look_at(pid_t pid, BatchBuilder& out) {
  ProcStat stat;
  if (!read_stat(proc_.get(), EntryPath(pid, "stat"), stat) || stat.dead()) return;
  struct stat directory {};
  if (fstatat(proc_.get(), EntryPath(pid, ""), &directory, 0) != 0) return;

  auto found = processes_.find(pid);
  if (found != processes_.end() && found->second.start_ticks != stat.start_ticks) {
    report_exit(pid, found->second, out);
    processes_.erase(found);
    found = processes_.end();
  }
  if (found == processes_.end()) {
    Process process;
    process.directory_uid = directory.st_uid;
    if (!report(pid, scan_ == 1 ? kSeen : kFork, stat, process, out)) return;
    process.scan = scan_;
    processes_.emplace(pid, std::move(process));
    sample(pid, stat, out);
    return;
  }

  Process& process = found->second;
  process.scan = scan_;
  process.scans_since_image++;
  const bool traceable = stat.start_stack != 0 && process.start_stack != 0;
  bool image = traceable && stat.start_stack != process.start_stack;
  bool other = stat.comm != process.comm || stat.arg_start != process.arg_start ||
               directory.st_uid != process.directory_uid;
  const bool look = process.scans_since_image == 1 || process.scans_since_image % kArgumentsEvery == 0;
  if (!image && !process.kernel_thread && (look || !traceable))
    other = other || arguments_hash(pid) != process.arguments_hash;
  // Where the addresses are hidden, a new name or new arguments are taken for a new image.
  if (!traceable && other && directory.st_uid == process.directory_uid) image = true;
  if (image || other) {
    process.directory_uid = directory.st_uid;
    report(pid, image ? kExec : kChanged, stat, process, out);
  } else if (process.scans_since_image % kNetnsEvery == 0) {
    process.netns = netns_at(proc_.get(), pid);
  }
  sample(pid, stat, out);
}

// What stat(5) has of all threads together: no more files are opened for it. CPU time is in ticks of the clock.
void ProcfsProcesses::sample(pid_t pid, const ProcStat& stat, BatchBuilder& out) const {
  if (!samples_) return;
  static const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  UsageRow row;
  row.flags = PF_USAGE_FLAG_PART;
  row.timeNs = boot_now_ns();
  row.pid = static_cast<std::uint32_t>(pid);
  row.startNs = ticks_to_ns(stat.start_ticks);
  row.threads = stat.threads;
  row.userNs = ticks_to_ns(stat.user_ticks);
  row.systemNs = ticks_to_ns(stat.system_ticks);
  row.cpuNs = row.userNs + row.systemNs;
  row.minorFaults = static_cast<double>(stat.minor_faults);
  row.majorFaults = static_cast<double>(stat.major_faults);
  if (!stat.kernel_thread()) {
    row.flags |= PF_USAGE_FLAG_MEMORY;
    row.memoryBytes = static_cast<double>(stat.resident_pages) * page;
  }
  out.add(row);
}

bool ProcfsProcesses::report(pid_t pid, std::uint8_t kind, const ProcStat& stat, Process& process, BatchBuilder& out) {
  ProcessRow row;
  row.kind = kind;
  row.startNs = ticks_to_ns(stat.start_ticks);
  row.timeNs = kind == kFork ? row.startNs : boot_now_ns();
  if (const Process* parent = find(stat.parent); parent != nullptr && parent->start_ticks <= stat.start_ticks) {
    row.parentPid = static_cast<std::uint32_t>(stat.parent);
    row.parentStartNs = parent->start_ns();
  }
  // Before the row is read: what changes in between is then found by the next scan.
  const std::size_t hash = stat.kernel_thread() ? 0 : arguments_hash(pid);
  if (!identity_.read(pid, row, out)) return false;
  out.add(row);

  process.start_ticks = stat.start_ticks;
  process.cgroup_id = static_cast<std::uint64_t>(row.cgroupId);
  process.uid = row.uid;
  process.gid = row.gid;
  process.parent = stat.parent;
  process.comm = stat.comm;
  process.start_stack = stat.start_stack;
  process.arg_start = stat.arg_start;
  process.kernel_thread = stat.kernel_thread();
  process.arguments_hash = hash;
  if (kind != kChanged) process.scans_since_image = 0;
  process.netns = netns_at(proc_.get(), pid);
  process.descriptors_visible = process.kernel_thread || can_list_descriptors(proc_.get(), pid);
  return true;
}

void ProcfsProcesses::report_exit(pid_t pid, const Process& process, BatchBuilder& out) const {
  ProcessRow row;
  row.kind = kExit;
  row.timeNs = boot_now_ns();
  row.pid = static_cast<std::uint32_t>(pid);
  row.startNs = process.start_ns();
  row.parentPid = static_cast<std::uint32_t>(process.parent);
  row.uid = process.uid;
  row.gid = process.gid;
  row.cgroupId = static_cast<double>(process.cgroup_id);
  row.cgroup = row.executable = row.arguments = kUnknownString;
  row.name = out.intern(process.comm);
  row.exitCode = kUnknownExitCode;
  out.add(row);
}

void ProcfsProcesses::finish(BatchBuilder& out) {
  for (auto at = processes_.begin(); at != processes_.end();) {
    if (at->second.scan == scan_) {
      ++at;
      continue;
    }
    report_exit(at->first, at->second, out);
    at = processes_.erase(at);
  }
}

const ProcfsProcesses::Process* ProcfsProcesses::find(pid_t pid) const {
  const auto found = processes_.find(pid);
  return found == processes_.end() ? nullptr : &found->second;
}

std::size_t ProcfsProcesses::invisible() const {
  return static_cast<std::size_t>(std::count_if(processes_.begin(), processes_.end(), [](const auto& entry) {
    return !entry.second.descriptors_visible;
  }));
}

}  // namespace procflow
