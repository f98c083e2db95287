#include "procfs_sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "socket_filter.h"

namespace procflow {
namespace {

enum Kind : std::uint8_t { kSeen, kOpened, kUpdate, kEnded };

constexpr std::uint8_t kEstablished = 1, kSynSent = 2, kFinWait2 = 5, kTimeWait = 6, kClose = 7, kListen = 10;
constexpr std::size_t kRowsPerSlice = 8192;
constexpr std::size_t kMaxFinals = 262144;
constexpr std::size_t kMaxFinished = 32768;
constexpr std::uint8_t kMisses = 2, kMissesWatched = 3;
constexpr std::size_t kLookUpsPerScan = 4096;     // for sockets that a dump may have skipped
constexpr std::size_t kLinksPerScan = 200000;     // descriptors read in search of holders
constexpr std::size_t kHolderChecksPerScan = 1000;
constexpr std::uint32_t kMaxSearchPause = 64;     // scans
constexpr std::uint16_t kHeaderBytes = 20, kTimestampBytes = 12;

// "socket:[12345]"
bool parse_socket_link(std::string_view target, std::uint64_t& inode) {
  constexpr std::string_view kPrefix = "socket:[";
  if (!target.starts_with(kPrefix)) return false;
  target.remove_prefix(kPrefix.size());
  return std::from_chars(target.data(), target.data() + target.size(), inode).ec == std::errc{};
}

bool is_zero(const Address& address) { return address == Address{}; }

bool is_ipv4(const Address& address) {
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(address.data(), kMapped, 12) == 0;
}

// What a socket is and where it is.
SocketRow row_of(std::uint64_t netns, const DiagSocket& socket) {
  SocketRow row;
  row.family = socket.family;
  row.type = socket.type;
  row.protocol = socket.protocol;
  row.cookie = static_cast<double>(socket.cookie);
  row.netns = static_cast<double>(netns);
  row.uid = socket.uid;
  row.interfaceIndex = socket.interface_index;
  row.localAddress = socket.local;
  row.localPort = socket.local_port;
  row.remoteAddress = socket.remote;
  row.remotePort = socket.remote_port;
  return row;
}

DiagSocket addressed_as(const SocketRow& row) {
  DiagSocket socket;
  socket.cookie = static_cast<std::uint64_t>(row.cookie);
  socket.family = row.family;
  socket.interface_index = row.interfaceIndex;
  socket.local = row.localAddress;
  socket.remote = row.remoteAddress;
  socket.local_port = row.localPort;
  socket.remote_port = row.remotePort;
  return socket;
}

}  // namespace

ProcfsSockets::ProcfsSockets(const ProcfsProcesses& processes, const NetnsTable& namespaces, std::size_t max_sockets)
    : processes_(processes), namespaces_(namespaces), max_sockets_(max_sockets) {}

void ProcfsSockets::begin_scan() {
  scan_++;
  scan_ns_ = boot_now_ns();
}

void ProcfsSockets::observe(std::uint64_t netns, DiagTable table, const DiagSocket& socket) {
  const Key key{netns, socket.cookie};
  auto found = sockets_.find(key);
  if (found == sockets_.end()) {
    if (sockets_.size() >= max_sockets_) {
      refused_++;
      return;
    }
    found = sockets_.try_emplace(key).first;
    Tracked& tracked = found->second;
    tracked.table = table;
    SocketRow& row = tracked.row = row_of(netns, socket);
    row.state = row.fromState = socket.state;
    // When one that was there before the agent began is not known.
    if (scan_ == 1)
      row.flags |= PF_SOCKET_FLAG_SEEDED;
    else
      row.firstNs = scan_ns_;
    tracked.changed = true;
    changed_.push_back(key);
  }
  Tracked& tracked = found->second;
  tracked.scan = scan_;
  tracked.missed = 0;
  const bool was_changed = tracked.changed;
  update(tracked, socket, scan_ns_);
  if (tracked.changed && !was_changed) changed_.push_back(key);
}

void ProcfsSockets::update(Tracked& tracked, const DiagSocket& socket, double now) {
  SocketRow& row = tracked.row;
  const auto set = [&tracked](auto& column, auto value) {
    const auto converted = static_cast<std::remove_reference_t<decltype(column)>>(value);
    if (column == converted) return;
    column = converted;
    tracked.changed = true;
  };
  if (socket.state != row.state) row.fromState = row.state;
  set(row.state, socket.state);
  set(row.interfaceIndex, socket.interface_index);
  set(row.localAddress, socket.local);
  set(row.localPort, socket.local_port);
  set(row.remoteAddress, socket.remote);
  set(row.remotePort, socket.remote_port);
  std::uint32_t flags = row.flags;
  const bool listening = row.protocol == IPPROTO_TCP && row.type == SOCK_STREAM ? socket.state == kListen
                                                                                 : socket.state == kClose;
  flags = listening ? flags | PF_SOCKET_FLAG_LISTENER : flags & ~PF_SOCKET_FLAG_LISTENER;
  // A connection that nobody has accepted yet has no descriptor either: only one that had is released.
  if (socket.inode == 0 && tracked.inode != 0) flags |= PF_SOCKET_FLAG_RELEASED;
  if (socket.inode != 0 && tracked.inode != socket.inode) {
    tracked.inode = socket.inode;
    tracked.search_again = 0;
    tracked.searches = 0;
  }
  if (socket.has_tcp && !listening) {
    const TcpCounters& tcp = socket.tcp;
    flags |= PF_SOCKET_FLAG_HAS_TCP;
    tracked.fin_received = tcp.fin_received;
    set(row.bytesSent, tcp.bytes_sent);
    set(row.bytesRetransmitted, tcp.bytes_retransmitted);
    set(row.bytesReceived, tcp.bytes_received);
    set(row.unsentBytes, tcp.unsent_bytes);
    set(row.unreadBytes, tcp.unread_bytes);
    set(row.segmentsOut, tcp.segments_out);
    set(row.segmentsIn, tcp.segments_in);
    set(row.dataSegmentsOut, tcp.data_segments_out);
    set(row.dataSegmentsIn, tcp.data_segments_in);
    set(row.retransmits, tcp.retransmits);
    row.rttUs = tcp.rtt_us;
    row.minRttUs = tcp.min_rtt_us;
    row.headerBytes = static_cast<std::uint16_t>(kHeaderBytes + (tcp.timestamps ? kTimestampBytes : 0));
    row.lastNs = now - std::min(tcp.since_sent_ms, tcp.since_received_ms) * 1e6;
  }
  set(row.flags, flags);
  row.timeNs = now;
}

void ProcfsSockets::index_listeners() {
  listeners_.clear();
  for (const auto& [key, tracked] : sockets_) {
    const SocketRow& row = tracked.row;
    if (row.protocol != IPPROTO_TCP || (row.flags & PF_SOCKET_FLAG_LISTENER) == 0) continue;
    listeners_[{key.netns, row.localPort}].push_back({row.localAddress, row.family, tracked.holder});
  }
}

const ProcfsSockets::Listener* ProcfsSockets::listener_of(const SocketRow& row) const {
  const auto found = listeners_.find({static_cast<std::uint64_t>(row.netns), row.localPort});
  if (found == listeners_.end()) return nullptr;
  for (const Listener& listener : found->second) {
    if (listener.address == row.localAddress) return &listener;
    if (is_zero(listener.address) && (listener.family == AF_INET6 || is_ipv4(row.localAddress))) return &listener;
  }
  return nullptr;
}

void ProcfsSockets::settle(Tracked& tracked) {
  if (tracked.settled) return;
  tracked.settled = true;
  SocketRow& row = tracked.row;
  if (row.protocol != IPPROTO_TCP || row.type != SOCK_STREAM || (row.flags & PF_SOCKET_FLAG_LISTENER) != 0) return;
  if (row.state == kSynSent) return;  // it connects
  if (listener_of(row) != nullptr) row.flags |= PF_SOCKET_FLAG_PASSIVE;
}

void ProcfsSockets::finish_scan(const CoverageOf& coverage, const LookUp& look_up) {
  find_missing(coverage, look_up);
  index_listeners();
  for (const Key& key : changed_)
    if (const auto found = sockets_.find(key); found != sockets_.end()) settle(found->second);
  find_holders();
}

void ProcfsSockets::find_missing(const CoverageOf& coverage, const LookUp& look_up) {
  std::size_t look_ups = 0;
  const double now = boot_now_ns();
  for (auto at = sockets_.begin(); at != sockets_.end();) {
    Tracked& tracked = at->second;
    if (tracked.scan == scan_) {
      ++at;
      continue;
    }
    const Coverage covered = coverage(at->first.netns, tracked.table);
    bool gone = covered == Coverage::kGone;
    if (covered == Coverage::kComplete || covered == Coverage::kWatched) {
      // A dump may skip one while others come and go: ask for it, or wait for the next scan to miss it too. Where ends
      // are watched the last counters are on their way, unless the program keeps the descriptor of a dead connection.
      const bool tcp = tracked.table == DiagTable::kTcp4 || tracked.table == DiagTable::kTcp6;
      const std::uint8_t enough = covered == Coverage::kWatched ? kMissesWatched : kMisses;
      gone = ++tracked.missed >= enough;
      if (tcp && tracked.missed == 1 && look_ups++ < kLookUpsPerScan) {
        const auto answer = look_up(at->first.netns, addressed_as(tracked.row), false);
        if (answer.presence == SockDiag::Presence::kThere) tracked.missed = 0;
        gone = covered == Coverage::kComplete && (answer.presence == SockDiag::Presence::kGone ||
                                                  answer.presence == SockDiag::Presence::kTimeWait);
      }
    }
    if (!gone) {
      ++at;
      continue;
    }
    finish(tracked, now);
    if (tracked.row.protocol == IPPROTO_TCP) remember_finished(at->first);
    at = sockets_.erase(at);
  }
}

void ProcfsSockets::remember_finished(const Key& key) {
  if (finished_.size() >= kMaxFinished) {
    finished_before_ = std::move(finished_);
    finished_.clear();
  }
  finished_.insert(key);
}

void ProcfsSockets::finish(Tracked& tracked, double now) {
  settle(tracked);
  if (!wanted(tracked)) return;
  SocketRow& row = tracked.row;
  if (finals_.size() + 1 >= kMaxFinals) {
    refused_++;
    return;
  }
  if (!tracked.reported) {
    row.kind = (row.flags & PF_SOCKET_FLAG_SEEDED) != 0 ? kSeen : kOpened;
    finals_.push_back(row);
  }
  row.kind = kEnded;
  row.fromState = row.state;
  row.state = kClose;
  row.timeNs = now;
  finals_.push_back(row);
}

// When a socket is destroyed its state no longer tells whether the peer's FIN is among the bytes received.
bool ProcfsSockets::fin_counted(const Tracked& tracked, const DiagSocket& last, const LookUp& look_up) const {
  if (tracked.fin_received) return true;
  if (last.tcp.bytes_received == 0) return false;
  // Where we closed first, TIME_WAIT holds the addresses: in FIN_WAIT2 until the peer's FIN comes. The FIN that came
  // before the socket went is still in the queue, as nobody was there to read it.
  const auto answer = look_up(static_cast<std::uint64_t>(tracked.row.netns), last, true);
  if (answer.presence == SockDiag::Presence::kTimeWait && answer.state == kFinWait2) return false;
  if (answer.presence == SockDiag::Presence::kTimeWait && answer.state == kTimeWait) return last.receive_queue > 0;
  // Otherwise the peer closed first, and then ours was acknowledged; or there was a reset.
  const std::uint64_t acknowledged_data = last.tcp.bytes_sent - last.tcp.bytes_retransmitted;
  const std::uint64_t syn = (tracked.row.flags & PF_SOCKET_FLAG_PASSIVE) != 0 ? 0 : 1;
  return last.tcp.bytes_acked > acknowledged_data + syn;
}

void ProcfsSockets::ended(std::uint64_t netns, const DiagSocket& socket, const LookUp& look_up) {
  const double now = boot_now_ns();
  const auto found = sockets_.find({netns, socket.cookie});
  if (found == sockets_.end()) {
    const Key key{netns, socket.cookie};
    if (finished_.erase(key) + finished_before_.erase(key) > 0) return;
    if (socket.remote_port == 0) return;  // a listener, or it never connected
  }
  Tracked fresh;
  Tracked& tracked = found == sockets_.end() ? fresh : found->second;
  if (found == sockets_.end()) {
    SocketRow& row = fresh.row = row_of(netns, socket);
    // It lived between two scans: at least since it was last active.
    row.firstNs = now - std::max(socket.tcp.since_sent_ms, socket.tcp.since_received_ms) * 1e6;
    if (row.firstNs < scan_ns_) row.firstNs = scan_ns_;
    row.state = kEstablished;
    row.timeNs = now;
    settle(fresh);
    // Who connects counts the SYN as acknowledged; where that did not happen, no connection came about.
    if ((row.flags & PF_SOCKET_FLAG_PASSIVE) == 0 && socket.tcp.bytes_acked == 0) row.state = kSynSent;
  }
  if ((tracked.row.flags & PF_SOCKET_FLAG_LISTENER) == 0) {
    settle(tracked);
    DiagSocket last = socket;
    last.state = tracked.row.state;
    last.inode = tracked.inode;
    // A socket closed by a reset of ours has lost its counters: the last scan's are better.
    if (last.tcp.bytes_sent < tracked.row.bytesSent || last.tcp.bytes_received + 1 < tracked.row.bytesReceived) {
      last.has_tcp = false;
    } else if (fin_counted(tracked, last, look_up) && last.tcp.bytes_received > 0) {
      last.tcp.bytes_received--;
    }
    last.tcp.unsent_bytes = last.tcp.unread_bytes = 0;
    last.local = tracked.row.localAddress;
    last.local_port = tracked.row.localPort;
    update(tracked, last, now);
    if (tracked.inode != 0) tracked.row.flags |= PF_SOCKET_FLAG_RELEASED;
  }
  finish(tracked, now);
  if (found != sockets_.end()) sockets_.erase(found);
}

struct ProcfsSockets::Search {
  std::unordered_multimap<std::uint64_t, Tracked*> inodes;
  std::unordered_set<pid_t> searched;
  std::size_t links = 0;
  bool exhausted() const { return inodes.empty() || links >= kLinksPerScan; }
};

void ProcfsSockets::check_holder(Tracked& tracked) const {
  char path[64];
  std::snprintf(path, sizeof path, "%d/fd/%d", tracked.holder, tracked.holder_descriptor);
  char target[64];
  const ssize_t length = readlinkat(processes_.proc_fd(), path, target, sizeof target);
  std::uint64_t inode = 0;
  if (length > 0 && parse_socket_link({target, static_cast<std::size_t>(length)}, inode) && inode == tracked.inode)
    return;
  tracked.holder = 0;
}

void ProcfsSockets::find_holders() {
  Search search;
  std::unordered_set<std::uint64_t> netns;
  std::unordered_set<pid_t> parents, likely;
  const std::size_t stride = sockets_.size() / kHolderChecksPerScan + 1;
  without_holder_ = 0;
  for (auto& [key, tracked] : sockets_) {
    if (tracked.inode == 0 || (tracked.row.flags & PF_SOCKET_FLAG_RELEASED) != 0) continue;
    if (tracked.holder != 0) {
      const auto* holder = processes_.find(tracked.holder);
      if (holder == nullptr || holder->start_ticks != tracked.holder_start)
        tracked.holder = 0;
      else if ((key.cookie + scan_) % stride == 0)
        check_holder(tracked);
      if (tracked.holder != 0) continue;
      tracked.search_again = 0;
    }
    without_holder_++;
    if (tracked.search_again > scan_) continue;
    search.inodes.emplace(tracked.inode, &tracked);
    netns.insert(key.netns);
    // Who accepted a connection has the listener, or is a child of the one that has.
    if ((tracked.row.flags & PF_SOCKET_FLAG_PASSIVE) != 0)
      if (const Listener* listener = listener_of(tracked.row); listener != nullptr && listener->holder != 0)
        parents.insert(listener->holder);
  }
  if (search.inodes.empty()) return;

  // Likely holders first, then who is in the same namespace, then all the others; in the order of pids.
  const auto& all = processes_.all();
  for (int round = 0; round < 3 && !search.exhausted(); round++) {
    for (const auto& [pid, process] : all) {
      if (search.exhausted()) break;
      const bool is_likely = parents.contains(pid) || parents.contains(process.parent) || processes_.is_new(process);
      if (round == 0 && !is_likely) continue;
      if (round == 1 && !netns.contains(process.netns)) continue;
      if (round > 0 && pid <= resume_search_after_) continue;
      search_process(pid, process, search);
      if (search.links >= kLinksPerScan) resume_search_after_ = pid;
    }
  }
  if (search.links < kLinksPerScan) {
    const bool partial = resume_search_after_ != 0;
    resume_search_after_ = 0;
    if (partial) return;  // the processes before were searched in an earlier scan, for other sockets
    for (auto& [inode, tracked] : search.inodes) {
      tracked->searches = static_cast<std::uint8_t>(std::min(tracked->searches + 1, 7));
      tracked->search_again = scan_ + std::min(1u << tracked->searches, kMaxSearchPause);
    }
  }
}

void ProcfsSockets::search_process(pid_t pid, const ProcfsProcesses::Process& process, Search& search) {
  if (process.kernel_thread || !process.descriptors_visible || !search.searched.insert(pid).second) return;
  char path[32];
  std::snprintf(path, sizeof path, "%d/fd", pid);
  OwnedFd opened(openat(processes_.proc_fd(), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(fdopendir(opened.get()), closedir);
  if (!dir) return;
  const int fd = opened.release();
  while (const dirent* entry = readdir(dir.get())) {
    if (entry->d_name[0] == '.') continue;
    char target[64];
    const ssize_t length = readlinkat(fd, entry->d_name, target, sizeof target);
    if (++search.links >= kLinksPerScan) break;
    std::uint64_t inode = 0;
    if (length <= 0 || !parse_socket_link({target, static_cast<std::size_t>(length)}, inode)) continue;
    const auto [first, last] = search.inodes.equal_range(inode);
    for (auto at = first; at != last; ++at) {
      Tracked& tracked = *at->second;
      tracked.holder = pid;
      tracked.holder_start = process.start_ticks;
      tracked.holder_descriptor = std::atoi(entry->d_name);
      tracked.searches = 0;
      if (without_holder_ > 0) without_holder_--;
      const double start_ns = process.start_ns();
      if (tracked.row.holderPid == static_cast<std::uint32_t>(pid) && tracked.row.holderStartNs == start_ns) continue;
      tracked.row.holderPid = static_cast<std::uint32_t>(pid);
      tracked.row.holderStartNs = start_ns;
      if (tracked.excluded) tracked.judged = false;  // it was judged without knowing the process
      if (!std::exchange(tracked.changed, true))
        changed_.push_back(
            {static_cast<std::uint64_t>(tracked.row.netns), static_cast<std::uint64_t>(tracked.row.cookie)});
    }
    if (first != last) search.inodes.erase(inode);
    if (search.inodes.empty()) break;
  }
}

bool ProcfsSockets::own_traffic(const Tracked& tracked) const {
  const SocketRow& row = tracked.row;
  if (tracked.holder == getpid()) return true;
  if (row.protocol != IPPROTO_TCP) return false;
  const auto& ports = filter_.own_ports;
  const auto listens = [&](std::uint16_t port) { return std::find(ports.begin(), ports.end(), port) != ports.end(); };
  if (static_cast<std::uint64_t>(row.netns) == namespaces_.own() && listens(row.localPort)) return true;
  return listens(row.remotePort) && row.remotePort != 0 &&
         (is_loopback(row.remoteAddress) || namespaces_.has_address(namespaces_.own(), row.remoteAddress));
}

bool ProcfsSockets::wanted(Tracked& tracked) {
  if (tracked.judged) return !tracked.excluded;
  tracked.judged = true;
  FilterSubject subject{tracked.row, false, {}, 0};
  if (const auto* holder = tracked.holder != 0 ? processes_.find(tracked.holder) : nullptr) {
    subject.holder_known = true;
    subject.process_name = holder->comm;
    subject.cgroup_id = holder->cgroup_id;
  }
  tracked.excluded = (!filter_.own_traffic && own_traffic(tracked)) || !passes(filter_, subject);
  return !tracked.excluded;
}

bool ProcfsSockets::emit_some(BatchBuilder& out) {
  std::size_t rows = 0;
  for (; next_changed_ < changed_.size() && rows < kRowsPerSlice; next_changed_++) {
    const auto found = sockets_.find(changed_[next_changed_]);
    if (found == sockets_.end()) continue;
    Tracked& tracked = found->second;
    tracked.changed = false;
    if (!wanted(tracked)) continue;
    SocketRow& row = tracked.row;
    row.kind = kUpdate;
    if (!tracked.reported) row.kind = (row.flags & PF_SOCKET_FLAG_SEEDED) != 0 ? kSeen : kOpened;
    tracked.reported = true;
    out.add(row);
    rows++;
  }
  for (; next_final_ < finals_.size() && rows < kRowsPerSlice; next_final_++, rows++) out.add(finals_[next_final_]);
  if (next_changed_ < changed_.size() || next_final_ < finals_.size()) return true;
  changed_.clear();
  finals_.clear();
  next_changed_ = next_final_ = 0;
  return false;
}

}  // namespace procflow
