#include "procfs_source.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <map>

namespace procflow {
namespace {

constexpr double kMs = 1e6;
constexpr double kSliceNs = 20 * kMs;     // of work before a batch is handed over
constexpr double kScanShare = 50;         // a scan may take a fiftieth of the time: 2 % of one core
constexpr double kMinIntervalMs = 10, kMaxIntervalMs = 60000;
constexpr int kEndsEveryMs = 50;
constexpr std::size_t kMaxSpaces = 256;
constexpr std::size_t kMaxPidsPerSpace = 4;
constexpr std::uint32_t kRefusedScans = 32;
constexpr std::size_t kMaxEndedPerDrain = 65536;

// What this thread has worked. The wall clock would count what other programs took from it.
double cpu_now_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

std::uint32_t bit(DiagTable table) { return 1u << static_cast<unsigned>(table); }

}  // namespace

ProcfsSource::ProcfsSource(SourceOptions options)
    : options_(std::move(options)),
      processes_(identity_, options_.resources),
      sockets_(processes_, netns_, options_.max_sockets),
      interval_ms_(std::max<double>(options_.poll_interval_ms, kMinIntervalMs)) {
  sockets_.set_filter(options_.filter);
}

void ProcfsSource::set_filter(const Filter& filter) { sockets_.set_filter(filter); }

int ProcfsSource::wait_ms() const {
  if (phase_ != Phase::kIdle) return 0;
  const double left = (next_poll_ns_ - boot_now_ns()) / kMs;
  return std::clamp(static_cast<int>(left) + 1, 0, kEndsEveryMs);
}

bool ProcfsSource::collect(BatchBuilder& out) {
  const double start = boot_now_ns();
  const double cpu_start = cpu_now_ns();
  bool more = true;
  if (phase_ == Phase::kIdle && start < next_poll_ns_) {
    take_ends();
    return sockets_.emit_some(out);
  }
  while (more && boot_now_ns() - start < kSliceNs) {
    const std::size_t rows = out.rows();
    more = step(out);
    if (out.rows() - rows >= 4096) break;  // a batch's worth
  }
  work_ns_ += boot_now_ns() - start;
  cpu_ns_ += cpu_now_ns() - cpu_start;
  if (!more) {
    polls_++;
    last_poll_ms_ = work_ns_ / kMs;
    last_poll_cpu_ms_ = cpu_ns_ / kMs;
    // The first scan reads every identity, and a burst of new sockets has its holders found, once: neither says what
    // the next scan will take. So the interval at most doubles from one scan to the next.
    const double configured = std::max<double>(options_.poll_interval_ms, kMinIntervalMs);
    const double share = scan_ > 1 ? std::min(last_poll_cpu_ms_ * kScanShare, interval_ms_ * 2) : 0;
    interval_ms_ = std::clamp(share, configured, std::max(configured, kMaxIntervalMs));
    next_poll_ns_ = start + interval_ms_ * kMs;
    work_ns_ = cpu_ns_ = 0;
  }
  return more;
}

// One step of a poll. False when the poll is complete.
bool ProcfsSource::step(BatchBuilder& out) {
  switch (phase_) {
    case Phase::kIdle:
      begin(out);
      return true;
    case Phase::kProcesses:
      if (processes_.scan_some(out)) return true;
      list_namespaces();
      sockets_.begin_scan();
      netns_.addresses(out);
      phase_ = Phase::kSockets;
      return true;
    case Phase::kSockets:
      if (next_space_ < queue_.size()) {
        const auto& [netns, pids] = queue_[next_space_++];
        scan_namespace(netns, pids);
        return true;
      }
      finish_sockets();
      phase_ = Phase::kRows;
      return true;
    case Phase::kRows:
      if (sockets_.emit_some(out)) return true;
      finish(out);
      phase_ = Phase::kIdle;
      return false;
  }
  return false;
}

void ProcfsSource::begin(BatchBuilder&) {
  scan_++;
  if (processes_.begin()) errors_++;
  phase_ = Phase::kProcesses;
}

void ProcfsSource::list_namespaces() {
  std::map<std::uint64_t, std::vector<pid_t>> found;
  if (netns_.own() != 0) found[netns_.own()].push_back(getpid());
  for (const auto& [pid, process] : processes_.all()) {
    if (process.netns == 0) continue;
    auto& pids = found[process.netns];
    if (pids.size() < kMaxPidsPerSpace) pids.push_back(pid);
  }
  if (found.empty()) found[0].push_back(getpid());
  queue_.assign(found.begin(), found.end());
  next_space_ = 0;
  refused_namespaces_ = 0;
}

bool ProcfsSource::open_space(Space& space, std::uint64_t netns, const std::vector<pid_t>& pids) {
  SystemError error;
  for (const pid_t pid : pids) {
    error = space.diag.open(netns, pid);
    if (error.code == ENOENT || error.code == ESRCH || error.code == ESTALE) continue;
    if (error) break;
    space.pid = pid;
    Space* const target = &space;
    const auto on_end = [target](const DiagSocket& socket) {
      if (target->ended.size() < kMaxEndedPerDrain) target->ended.push_back(socket);
    };
    space.watched = !space.diag.watch_ends(netns, pid, on_end);
    return true;
  }
  if (error) space.refused_until = scan_ + kRefusedScans;
  return false;
}

void ProcfsSource::scan_namespace(std::uint64_t netns, const std::vector<pid_t>& pids) {
  if (spaces_.size() >= kMaxSpaces && !spaces_.contains(netns)) {
    refused_namespaces_++;
    return;
  }
  Space& space = spaces_[netns];
  space.scan = scan_;
  space.complete = space.partial = 0;
  if (!space.diag.is_open() && (space.refused_until > scan_ || !open_space(space, netns, pids))) {
    refused_namespaces_++;
    return;
  }
  netns_.ensure(netns, pids.front());
  for (const DiagTable table : kDiagTables) {
    bool complete = false;
    const auto on_socket = [&](const DiagSocket& socket) { sockets_.observe(netns, table, socket); };
    // Tables that are read from /proc need a process that is still there.
    SystemError error;
    for (const pid_t pid : pids) {
      error = space.diag.dump(table, pid, on_socket, complete);
      if (error.code != ENOENT && error.code != ESRCH) break;
    }
    if (error.code == ENOENT || error.code == EINVAL || error.code == EACCES)
      missing_tables_ |= bit(table);
    else if (error)
      errors_++;
    else
      missing_tables_ &= ~bit(table);
    (complete ? space.complete : space.partial) |= bit(table);
  }
  // What ended while the tables were read is in none of them.
  take_ends(netns, space);
}

void ProcfsSource::take_ends(std::uint64_t netns, Space& space) {
  if (!space.watched) return;
  const SystemError error = space.diag.drain_ends();
  if (error.code == ENOBUFS) ends_lost_++;
  const auto ask = [this](std::uint64_t where, const DiagSocket& socket, bool any) {
    return look_up(where, socket, any);
  };
  for (const DiagSocket& socket : space.ended) sockets_.ended(netns, socket, ask);
  space.ended.clear();
}

void ProcfsSource::take_ends() {
  for (auto& [netns, space] : spaces_) take_ends(netns, space);
}

SockDiag::Lookup ProcfsSource::look_up(std::uint64_t netns, const DiagSocket& socket, bool any_cookie) {
  const auto space = spaces_.find(netns);
  if (space == spaces_.end() || !space->second.diag.is_open()) return {};
  return space->second.diag.look_up(socket, any_cookie);
}

void ProcfsSource::finish_sockets() {
  // Namespaces without a process: let go, so that they can go.
  for (auto space = spaces_.begin(); space != spaces_.end();) {
    if (space->second.scan == scan_) {
      ++space;
      continue;
    }
    take_ends(space->first, space->second);
    space = spaces_.erase(space);
  }
  const auto coverage = [this](std::uint64_t netns, DiagTable table) {
    const auto space = spaces_.find(netns);
    if (space == spaces_.end()) return ProcfsSockets::Coverage::kGone;
    if ((space->second.complete & bit(table)) == 0) return ProcfsSockets::Coverage::kPartial;
    const bool tcp = table == DiagTable::kTcp4 || table == DiagTable::kTcp6;
    return tcp && space->second.watched ? ProcfsSockets::Coverage::kWatched : ProcfsSockets::Coverage::kComplete;
  };
  sockets_.finish_scan(coverage, [this](std::uint64_t netns, const DiagSocket& socket, bool any) {
    return look_up(netns, socket, any);
  });
}

void ProcfsSource::finish(BatchBuilder& out) {
  processes_.finish(out);
  netns_.addresses(out);
  report_losses(out);
}

void ProcfsSource::report_losses(BatchBuilder& out) {
  const std::pair<const char*, std::uint64_t> losses[] = {
      {"procfs socket table", sockets_.refused()},
      {"procfs ends", ends_lost_},
      {"procfs errors", errors_},
  };
  for (std::size_t i = 0; i < std::size(losses); i++) {
    if (losses[i].second == reported_[i]) continue;
    reported_[i] = losses[i].second;
    LossRow row;
    row.place = out.intern(losses[i].first);
    row.count = static_cast<double>(losses[i].second);
    out.add(row);
  }
}

std::string ProcfsSource::status_json() {
  std::string missing;
  for (const DiagTable table : kDiagTables)
    if ((missing_tables_ & bit(table)) != 0)
      missing += (missing.empty() ? "\"" : ",\"") + std::string(name_of(table)) + "\"";
  char text[512];
  std::snprintf(text, sizeof text,
                "{\"source\":\"procfs\",\"polls\":%u,\"lastPollMs\":%.3f,\"lastPollCpuMs\":%.3f,"
                "\"intervalMs\":%.0f,\"processes\":%zu,\"sockets\":%zu,"
                "\"socketsWithoutHolder\":%zu,\"namespaces\":%zu,\"invisibleNamespaces\":%zu,"
                "\"invisibleProcesses\":%zu,\"unreadableTables\":[",
                polls_, last_poll_ms_, last_poll_cpu_ms_, interval_ms_, processes_.all().size(), sockets_.size(),
                sockets_.without_holder(), spaces_.size(), refused_namespaces_, processes_.invisible());
  return text + missing + "]}";
}

}  // namespace procflow
