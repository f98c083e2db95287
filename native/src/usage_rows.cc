#include "usage_rows.h"

#include <unistd.h>

#include "flow_cookie.h"

namespace procflow {
namespace {

constexpr std::size_t kMaxConnecting = 65536;

double bytes_of_pages(std::uint64_t pages) {
  static const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  return static_cast<double>(pages) * page;
}

void add_row(const pf_usage_record& record, BatchBuilder& out) {
  if (record.threads == 0) return;
  UsageRow row;
  const pf_usage& usage = record.usage;
  const CpuByMode cpu = cpu_by_mode(usage);
  row.kind = static_cast<std::uint8_t>(record.kind);
  row.timeNs = static_cast<double>(record.time_ns);
  row.cookie = row_cookie(record.cookie);
  row.pid = record.process.pid;
  row.startNs = static_cast<double>(record.process.start_ns);
  row.threads = record.threads;
  row.cpuNs = static_cast<double>(usage.cpu_ns);
  row.userNs = cpu.user_ns;
  row.systemNs = cpu.system_ns;
  if (record.memory_pages != PF_UNKNOWN) {
    row.flags |= PF_USAGE_FLAG_MEMORY;
    row.memoryBytes = bytes_of_pages(record.memory_pages);
  }
  if (record.peak_pages != PF_UNKNOWN) {
    row.flags |= PF_USAGE_FLAG_PEAK;
    row.peakMemoryBytes = bytes_of_pages(record.peak_pages);
  }
  if (usage.io_wait_ns != PF_UNKNOWN) {
    row.flags |= PF_USAGE_FLAG_IO_WAIT;
    row.ioWaitNs = static_cast<double>(usage.io_wait_ns);
  }
  row.minorFaults = static_cast<double>(usage.minor_faults);
  row.majorFaults = static_cast<double>(usage.major_faults);
  row.readBytes = static_cast<double>(usage.read_bytes);
  row.writtenBytes = static_cast<double>(usage.written_bytes);
  row.voluntarySwitches = static_cast<double>(usage.voluntary_switches);
  row.involuntarySwitches = static_cast<double>(usage.involuntary_switches);
  out.add(row);
}

}  // namespace

CpuByMode cpu_by_mode(const pf_usage& usage) {
  const auto cpu = static_cast<double>(usage.cpu_ns);
  const auto ticks = static_cast<double>(usage.user_ns) + static_cast<double>(usage.system_ns);
  const double system = ticks > 0 ? cpu * (static_cast<double>(usage.system_ns) / ticks) : 0;
  return {cpu - system, system};
}

void UsageRows::add(const pf_usage_record& record, BatchBuilder& out) {
  if (record.connecting == 0) return add_row(record, out);
  if (connecting_.size() < kMaxConnecting) connecting_[record.cookie] = record;
}

void UsageRows::told(std::uint64_t cookie, BatchBuilder& out) {
  if (connecting_.empty()) return;
  const auto waiting = connecting_.find(cookie);
  if (waiting == connecting_.end()) return;
  add_row(waiting->second, out);
  connecting_.erase(waiting);
}

void UsageRows::exited(const pf_process_record& record, BatchBuilder& out) {
  pf_usage_record sample{};
  sample.kind = PF_USAGE_SAMPLE;
  sample.time_ns = record.time_ns;
  sample.process = {record.start_ns, record.pid, record.uid};
  sample.threads = record.threads;
  sample.memory_pages = record.memory_pages;
  sample.peak_pages = record.window_peak_pages;
  sample.usage = record.usage;
  add_row(sample, out);
}

void UsageRows::forget_before(std::uint64_t time_ns) {
  std::erase_if(connecting_, [time_ns](const auto& entry) { return entry.second.time_ns < time_ns; });
}

}  // namespace procflow
