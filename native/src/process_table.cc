#include "process_table.h"

#include <csignal>
#include <cstring>
#include <functional>
#include <string_view>
#include <unistd.h>

#include "usage_rows.h"

namespace procflow {
namespace {

// A title (setproctitle) is read at the first scan that meets a process, and again after this many.
constexpr std::uint32_t kTitleScans = 30;

ProcessRow base_row(const pf_process_record& record, BatchBuilder& out) {
  ProcessRow row;
  row.kind = static_cast<std::uint8_t>(record.kind);
  row.timeNs = static_cast<double>(record.time_ns);
  row.pid = record.pid;
  row.startNs = static_cast<double>(record.start_ns);
  row.parentPid = record.parent_pid;
  row.parentStartNs = static_cast<double>(record.parent_start_ns);
  row.uid = record.uid;
  row.gid = record.gid;
  row.cgroupId = static_cast<double>(record.cgroup_id);
  row.cgroup = row.executable = row.arguments = kUnknownString;
  row.name = out.intern(std::string_view(record.comm, strnlen(record.comm, sizeof record.comm)));
  return row;
}

std::uint32_t intern_known(BatchBuilder& out, const std::string& text) {
  return text.empty() ? kUnknownString : out.intern(text);
}

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text); }

}  // namespace

void ProcessTable::remember(const pf_process_record& record) {
  Live& live = live_[record.pid];
  live = Live{};
  live.start_ns = record.start_ns;
  live.cgroup_id = record.cgroup_id;
  live.uid = record.uid;
  live.gid = record.gid;
  live.scan = scan_;
  std::memcpy(live.comm, record.comm, sizeof live.comm);
}

void ProcessTable::event(const pf_process_record& record, BatchBuilder& out) {
  switch (record.kind) {
    case PF_PROCESS_FORK:
      return fork(record, out);
    case PF_PROCESS_EXEC:
      return exec(record, out);
    case PF_PROCESS_EXIT:
      return exit(record, out);
    default:
      return;
  }
}

// A cgroup's path is looked up only when the process is not where it, or its parent, was known to be.
void ProcessTable::name_cgroup(ProcessRow& row, const pf_process_record& record, std::uint32_t known_in, BatchBuilder& out) {
  const auto known = live_.find(known_in);
  if (known != live_.end() && known->second.cgroup_id == record.cgroup_id) return;
  row.cgroup = intern_known(out, identity_.cgroup_path(record.cgroup_id, static_cast<pid_t>(record.pid)));
}

void ProcessTable::fork(const pf_process_record& record, BatchBuilder& out) {
  ProcessRow row = base_row(record, out);
  name_cgroup(row, record, record.parent_pid, out);
  remember(record);
  out.add(row);
}

void ProcessTable::exec(const pf_process_record& record, BatchBuilder& out) {
  ProcessRow row = base_row(record, out);
  name_cgroup(row, record, record.pid, out);
  remember(record);
  Live& live = live_[record.pid];
  live.title_read = true;

  std::string_view filename(record.text, record.filename_bytes);
  while (!filename.empty() && filename.back() == '\0') filename.remove_suffix(1);
  std::string_view arguments(record.text + record.filename_bytes, record.argument_bytes);
  row.argumentsTruncated = record.arguments_total > record.argument_bytes ? 1 : 0;
  if (!arguments.empty() && arguments.back() == '\0') arguments.remove_suffix(1);
  if (record.argument_bytes > 0) row.arguments = out.intern(arguments);
  live.title_hash = hash_of(arguments);
  const std::string_view argv0 = arguments.substr(0, arguments.find('\0'));
  row.executable = intern_known(out, identity_.executable(static_cast<pid_t>(record.pid), static_cast<pid_t>(record.parent_pid),
                                                          record.executable_inode, filename, argv0));
  out.add(row);
}

void ProcessTable::exit(const pf_process_record& record, BatchBuilder& out) {
  live_.erase(record.pid);
  ProcessRow row = base_row(record, out);
  row.exitSignal = static_cast<std::uint8_t>(record.exit_code & 0x7f);
  row.exitCode = row.exitSignal == 0 ? (record.exit_code >> 8) & 0xff : -1;
  if (record.threads == 0) return out.add(row);
  const CpuByMode cpu = cpu_by_mode(record.usage);
  row.hasTotals = 1;
  row.userNs = cpu.user_ns;
  row.systemNs = cpu.system_ns;
  row.peakMemoryBytes = static_cast<double>(record.peak_memory_pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
  row.minorFaults = static_cast<double>(record.usage.minor_faults);
  row.majorFaults = static_cast<double>(record.usage.major_faults);
  row.readBytes = static_cast<double>(record.usage.read_bytes);
  row.writtenBytes = static_cast<double>(record.usage.written_bytes);
  out.add(row);
}

void ProcessTable::begin_scan() { scan_++; }

bool ProcessTable::refresh_title(std::uint32_t pid, Live& live, ProcessRow& row, BatchBuilder& out) {
  const bool due = !live.title_read || ++live.title_age >= kTitleScans;
  if (!due) return false;
  bool truncated = false;
  const std::string arguments = Identity::arguments(static_cast<pid_t>(pid), &truncated);
  live.title_age = 0;
  live.title_read = true;
  const std::uint64_t hash = hash_of(arguments);
  if (arguments.empty() || hash == live.title_hash) return false;
  live.title_hash = hash;
  row.arguments = out.intern(arguments);
  row.argumentsTruncated = truncated ? 1 : 0;
  return true;
}

void ProcessTable::scanned(const pf_process_record& record, BatchBuilder& out) {
  scan_ns_ = static_cast<double>(record.time_ns);
  const auto found = live_.find(record.pid);
  if (found == live_.end() || found->second.start_ns != record.start_ns) {
    ProcessRow row = base_row(record, out);
    row.kind = PF_PROCESS_SEEN;
    if (record.kernel_thread == 0) {
      if (!identity_.read(static_cast<pid_t>(record.pid), row, out)) return;  // a zombie, or gone meanwhile
      row.startNs = static_cast<double>(record.start_ns);
      row.parentStartNs = static_cast<double>(record.parent_start_ns);
    } else {
      row.cgroup = intern_known(out, identity_.cgroup_path(record.cgroup_id, static_cast<pid_t>(record.pid)));
    }
    remember(record);
    Live& live = live_[record.pid];
    live.title_read = true;
    out.add(row);
    return;
  }
  Live& live = found->second;
  live.scan = scan_;
  ProcessRow row = base_row(record, out);
  row.kind = PF_PROCESS_CHANGED;
  bool changed = live.uid != record.uid || live.gid != record.gid ||
                 std::memcmp(live.comm, record.comm, sizeof live.comm) != 0;
  if (live.cgroup_id != record.cgroup_id) {
    row.cgroup = intern_known(out, identity_.cgroup_path(record.cgroup_id, static_cast<pid_t>(record.pid)));
    changed = true;
  }
  if (record.kernel_thread == 0 && refresh_title(record.pid, live, row, out)) changed = true;
  if (!changed) return;
  live.uid = record.uid;
  live.gid = record.gid;
  live.cgroup_id = record.cgroup_id;
  std::memcpy(live.comm, record.comm, sizeof live.comm);
  out.add(row);
}

void ProcessTable::end_scan(BatchBuilder& out) {
  for (auto entry = live_.begin(); entry != live_.end();) {
    if (entry->second.scan == scan_) {
      ++entry;
      continue;
    }
    // Its exit was lost.
    ProcessRow row;
    row.kind = PF_PROCESS_EXIT;
    row.timeNs = scan_ns_;
    row.pid = entry->first;
    row.startNs = static_cast<double>(entry->second.start_ns);
    row.uid = entry->second.uid;
    row.gid = entry->second.gid;
    row.cgroup = row.executable = row.arguments = row.name = kUnknownString;
    row.exitCode = -1;
    out.add(row);
    entry = live_.erase(entry);
  }
}

}  // namespace procflow
