#include "ebpf_source.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <stdexcept>

namespace procflow {
namespace {

constexpr int kTcpEstablished = 1;        // include/net/tcp_states.h
constexpr int kTcpClose = 7;
constexpr int kTcpListen = 10;
constexpr int kDrainMs = 20;              // the ring buffer is read this often
constexpr std::size_t kRowsPerBatch = 16384;
constexpr std::uint64_t kLossesNs = 100'000'000;
constexpr std::uint64_t kHeldNs = 1'000'000'000;
constexpr std::uint64_t kVanishedNs = 5'000'000'000;
constexpr std::uint64_t kIdleShareNs = 120'000'000'000;
constexpr double kPollShare = 25;         // a poll may take one part in so many of a CPU's time
constexpr double kResyncShare = 5;        // the same for polls that lost events make due

constexpr const char* kLossPlaces[PF_LOSSES] = {"ringBuffer.socket", "ringBuffer.traffic", "ringBuffer.process",
                                                "socketTable",       "peerTable",          "endedTable",
                                                "pendingPeer"};
constexpr const char* kRunNames[PF_RUNS] = {"inet_sock_set_state", "sock_create",        "sock_release",
                                            "sock_send_length",    "sock_recv_length",   "udp_peer",
                                            "sched_process_fork",  "sched_process_exec", "sched_process_exit"};

std::uint64_t clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t boot_ns() { return clock_ns(CLOCK_BOOTTIME); }

double mono_to_boot_ns(std::uint64_t mono_ns) {
  if (mono_ns == 0) return 0;
  return static_cast<double>(mono_ns) + static_cast<double>(boot_ns()) - static_cast<double>(clock_ns(CLOCK_MONOTONIC));
}

// The socket's cookie, and above it which of its lives this is: a socket that connects again is another flow.
double flow_cookie(const pf_socket& socket) {
  return static_cast<double>(socket.cookie + (static_cast<std::uint64_t>(socket.life) << 44));
}

Address address_of(const pf_u8 (&bytes)[16]) {
  Address address;
  std::memcpy(address.data(), bytes, address.size());
  return address;
}

bool is_unspecified(const Address& address) {
  for (std::size_t i = 0; i < 16; i++) {
    const bool mapped_prefix = (i == 10 || i == 11) && address[i] == 0xff;
    if (address[i] != 0 && !mapped_prefix) return false;
  }
  return true;
}

bool is_idle_slot(const pf_traffic& traffic) { return traffic.ready == 0; }

}  // namespace

EbpfSource::EbpfSource(const SourceOptions& options)
    : options_(options), programs_(options), processes_(identity_), shares_(programs_.map("shares")),
      vanished_(programs_.map("sockets")) {
  interval_ns_ = static_cast<std::uint64_t>(options.poll_interval_ms) * 1'000'000;
  ring_ = ring_buffer__new(programs_.map("ring"), on_record, this, nullptr);
  if (ring_ == nullptr) throw std::runtime_error(std::string("cannot map the ring buffer: ") + std::strerror(errno));
  // By its edges: the buffer is never empty for long, and only its programs' wake-up is a reason to come early.
  wake_fd_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event edges{.events = EPOLLIN | EPOLLET, .data = {}};
  epoll_ctl(wake_fd_, EPOLL_CTL_ADD, programs_.map("ring"), &edges);
}

EbpfSource::~EbpfSource() {
  ::close(wake_fd_);
  ring_buffer__free(ring_);
}

int EbpfSource::wake_fd() const { return wake_fd_; }
int EbpfSource::wait_ms() const { return kDrainMs; }

int EbpfSource::on_record(void* self, void* data, std::size_t size) {
  auto* source = static_cast<EbpfSource*>(self);
  source->handle(data, size);
  return source->out_->rows() >= kRowsPerBatch && !source->draining_ ? -EAGAIN : 0;
}

// Empties the ring buffer, however many rows that makes: for when the order of two sources of rows matters.
void EbpfSource::drain() {
  draining_ = true;
  ring_buffer__consume(ring_);
  draining_ = false;
}

void EbpfSource::handle(const void* data, std::size_t size) {
  std::uint32_t type = 0;
  if (size < sizeof type) return;
  std::memcpy(&type, data, sizeof type);
  if (type == PF_RECORD_SOCKET && size >= sizeof(pf_socket_record)) {
    const auto& record = *static_cast<const pf_socket_record*>(data);
    if (record.kind == PF_SOCKET_ENDED && (record.socket.flags & PF_SOCK_HELD) != 0) {
      const auto cookie = static_cast<std::uint64_t>(flow_cookie(record.socket));
      held_[cookie] = record;
      held_due_.emplace_back(record.time_ns + kHeldNs, cookie);
    } else {
      socket(record);
    }
  } else if (type == PF_RECORD_TRAFFIC && size >= sizeof(pf_traffic_record)) {
    const auto& record = *static_cast<const pf_traffic_record*>(data);
    if (record.kind == 1) return released(record);
    shared_sockets_[record.key.cookie] = {record.netns, record.protocol, address_of(record.local)};
    if (shares_.add(record.key)) share({record.key, record.traffic, false}, static_cast<double>(record.time_ns));
  } else if (type == PF_RECORD_PROCESS && size >= PF_PROCESS_RECORD_HEAD) {
    processes_.event(*static_cast<const pf_process_record*>(data), *out_);
  }
}

void EbpfSource::released(const pf_traffic_record& record) {
  const auto held = held_.find(record.key.cookie);
  if (held == held_.end()) return;
  held->second.socket.slot = record.traffic;
  const pf_socket_record end = held->second;
  held_.erase(held);
  socket(end);
}

// Who holds a dead connection for long must not hide its end.
void EbpfSource::tell_held(std::uint64_t now) {
  for (; !held_due_.empty() && held_due_.front().first <= now; held_due_.pop_front()) {
    const auto held = held_.find(held_due_.front().second);
    if (held == held_.end()) continue;
    const pf_socket_record end = held->second;
    held_.erase(held);
    socket(end);
  }
}

bool EbpfSource::collect(BatchBuilder& out) {
  out_ = &out;
  epoll_event taken;
  epoll_wait(wake_fd_, &taken, 1, 0);
  const std::uint64_t now = boot_ns();
  if (now >= next_losses_ns_) {
    read_losses();
    next_losses_ns_ = now + kLossesNs;
  }
  if (now >= next_poll_ns_) {
    try {
      poll();
      last_error_.clear();
    } catch (const std::exception& error) {
      last_error_ = error.what();
    }
    next_poll_ns_ = boot_ns() + interval_ns_;
  }
  const int consumed = ring_buffer__consume(ring_);
  tell_held(now);
  end_vanished(now);
  netns_.addresses(out);
  out_ = nullptr;
  return consumed == -EAGAIN;
}

void EbpfSource::socket(const pf_socket_record& record, std::uint32_t extra_flags) {
  const pf_socket& s = record.socket;
  const double cookie = flow_cookie(s);
  const bool ended = record.kind == PF_SOCKET_ENDED;
  if (polling_) told_[static_cast<std::uint64_t>(cookie)] = record.time_ns;
  add_socket_row(record, extra_flags);
  if (!is_idle_slot(s.slot))
    traffic(cookie, s.netns, s.protocol, address_of(s.local), s.slot, static_cast<double>(record.time_ns), false);

  const auto key = static_cast<std::uint64_t>(cookie);
  if ((s.flags & PF_SOCK_SHARES) != 0) shared_sockets_[key] = {s.netns, s.protocol, address_of(s.local)};
  if (ended) {
    for (const ShareTable::Share& each : shares_.take(key)) share(each, static_cast<double>(record.time_ns));
    shared_sockets_.erase(key);
  }
  if (s.family == AF_PACKET && !ended) packet_sockets_[record.sock] = {record, polls_};
}

void EbpfSource::add_socket_row(const pf_socket_record& record, std::uint32_t extra_flags) {
  const pf_socket& s = record.socket;
  const pf_tcp& tcp = record.tcp;
  SocketRow row;
  row.kind = static_cast<std::uint8_t>(record.kind);
  row.family = s.family;
  row.type = s.type;
  row.protocol = s.protocol;
  row.state = tcp.state != 0 ? tcp.state : s.remote_port != 0 ? 1 : 7;
  row.fromState = tcp.from_state;
  row.error = static_cast<std::uint16_t>(tcp.error);
  constexpr std::uint32_t shared_flags = PF_SOCKET_FLAG_PASSIVE | PF_SOCKET_FLAG_SEEDED |
                                         PF_SOCKET_FLAG_MESSAGES_COUNTED | PF_SOCKET_FLAG_RELEASED |
                                         PF_SOCKET_FLAG_RESET_SENT;
  static_assert(PF_SOCK_PASSIVE == PF_SOCKET_FLAG_PASSIVE && PF_SOCK_SEEDED == PF_SOCKET_FLAG_SEEDED &&
                PF_SOCK_MESSAGES == PF_SOCKET_FLAG_MESSAGES_COUNTED && PF_SOCK_RELEASED == PF_SOCKET_FLAG_RELEASED &&
                PF_SOCK_RESET_SENT == PF_SOCKET_FLAG_RESET_SENT);
  row.flags = (s.flags & shared_flags) | extra_flags;
  if (!programs_.tiers()[1].on) row.flags &= ~PF_SOCKET_FLAG_MESSAGES_COUNTED;
  const bool is_tcp = s.protocol == IPPROTO_TCP && s.family != AF_PACKET;
  if (tcp.has_tcp != 0 && row.state != kTcpListen) row.flags |= PF_SOCKET_FLAG_HAS_TCP;
  row.timeNs = static_cast<double>(record.time_ns);
  row.cookie = flow_cookie(s);
  row.netns = s.netns;
  row.interfaceIndex = s.interface_index;
  row.localAddress = address_of(s.local);
  row.localPort = s.local_port;
  row.remoteAddress = address_of(s.remote);
  row.remotePort = s.remote_port;
  if (is_tcp ? row.state == kTcpListen : s.remote_port == 0 && is_unspecified(row.remoteAddress))
    row.flags |= PF_SOCKET_FLAG_LISTENER;
  row.firstNs = static_cast<double>(s.first_ns);
  row.lastNs = is_tcp ? mono_to_boot_ns(tcp.last_mono_us * 1000) : static_cast<double>(s.slot.last_ns);
  row.creatorPid = s.creator.pid;
  row.creatorStartNs = static_cast<double>(s.creator.start_ns);
  row.openerPid = s.opener.pid;
  row.openerStartNs = static_cast<double>(s.opener.start_ns);
  row.moverPid = s.last.pid;
  row.moverStartNs = static_cast<double>(s.last.start_ns);
  row.closerPid = s.closer.pid;
  row.closerStartNs = static_cast<double>(s.closer.start_ns);
  row.holderPid = record.holder.pid;
  row.holderStartNs = static_cast<double>(record.holder.start_ns);
  for (const pf_process_ref* who : {&s.last, &s.closer, &s.opener, &record.holder, &s.creator}) {
    if (who->pid == 0) continue;
    row.uid = who->uid;
    break;
  }
  row.bytesSent = static_cast<double>(tcp.bytes_sent);
  row.bytesRetransmitted = static_cast<double>(tcp.bytes_retransmitted);
  row.bytesReceived = static_cast<double>(tcp.bytes_received);
  row.unsentBytes = tcp.unsent_bytes;
  row.unreadBytes = tcp.unread_bytes;
  row.segmentsOut = tcp.segments_out;
  row.segmentsIn = tcp.segments_in;
  row.dataSegmentsOut = tcp.data_segments_out;
  row.dataSegmentsIn = tcp.data_segments_in;
  row.retransmits = tcp.retransmits;
  row.rttUs = tcp.rtt_us;
  row.minRttUs = tcp.min_rtt_us == 0xffffffffu ? 0 : tcp.min_rtt_us;
  row.headerBytes = tcp.header_bytes;
  out_->add(row);

  for (const pf_process_ref* who : {&s.last, &record.holder, &s.opener, &s.creator, &s.closer}) {
    if (who->pid == 0) continue;
    netns_.ensure(s.netns, static_cast<pid_t>(who->pid));
    break;
  }
}

void EbpfSource::traffic(double cookie, std::uint64_t netns, std::uint16_t protocol, const Address& local,
                         const pf_traffic& t, double time_ns, bool final) {
  TrafficRow row;
  row.flags = (t.flags & (PF_TRAFFIC_DERIVED | PF_TRAFFIC_FIRST_RECEIVED | PF_TRAFFIC_PEER_UNKNOWN)) |
              (final ? PF_TRAFFIC_FLAG_FINAL : 0);
  static_assert(PF_TRAFFIC_DERIVED == PF_TRAFFIC_FLAG_DERIVED &&
                PF_TRAFFIC_FIRST_RECEIVED == PF_TRAFFIC_FLAG_FIRST_RECEIVED &&
                PF_TRAFFIC_PEER_UNKNOWN == PF_TRAFFIC_FLAG_PEER_UNKNOWN);
  row.timeNs = time_ns;
  row.cookie = cookie;
  row.pid = t.mover.pid;
  row.startNs = static_cast<double>(t.mover.start_ns);
  row.uid = t.mover.uid;
  row.firstNs = static_cast<double>(t.first_ns);
  row.lastNs = static_cast<double>(t.last_ns);
  row.sentBytes = static_cast<double>(t.sent.bytes);
  row.sentMessages = static_cast<double>(t.sent.messages);
  row.sentOctets = static_cast<double>(t.sent.octets);
  row.sentPackets = static_cast<double>(t.sent.packets);
  row.receivedBytes = static_cast<double>(t.received.bytes);
  row.receivedMessages = static_cast<double>(t.received.messages);
  row.receivedOctets = static_cast<double>(t.received.octets);
  row.receivedPackets = static_cast<double>(t.received.packets);
  row.localAddress = local;
  row.peerAddress = address_of(t.peer);
  row.peerPort = t.peer_port;
  // A socket bound to the wildcard sends from the address that the route chooses.
  if (protocol != IPPROTO_TCP && is_unspecified(local) && !is_unspecified(row.peerAddress)) {
    std::uint32_t mtu = 0;
    Address source{};
    if (netns_.ensure(netns, static_cast<pid_t>(t.mover.pid)) &&
        netns_.source_address(netns, row.peerAddress, source, mtu))
      row.localAddress = source;
  }
  out_->add(row);
}

void EbpfSource::share(const ShareTable::Share& each, double time_ns) {
  // Without its socket a share says little, and the next poll brings the socket.
  const auto known = shared_sockets_.find(each.key.cookie);
  if (known == shared_sockets_.end() && !each.final) return;
  const Shared socket = known == shared_sockets_.end() ? Shared{} : known->second;
  traffic(static_cast<double>(each.key.cookie), socket.netns, socket.protocol, socket.local, each.traffic, time_ns,
          each.final);
}

void EbpfSource::scan_processes() {
  processes_.begin_scan();
  programs_.scan(
      "procflow_scan_processes", PF_PROCESS_RECORD_HEAD, [] {},
      [this](const void* data) { processes_.scanned(*static_cast<const pf_process_record*>(data), *out_); });
  processes_.end_scan(*out_);
}

void EbpfSource::poll() {
  const std::uint64_t started = boot_ns(), started_cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  polls_++;
  // What the ring buffer still holds of forks must not look new to the scan.
  drain();
  scan_processes();

  pf_settings settings = programs_.settings();
  settings.full_poll = full_poll_ ? 1 : 0;
  if (settings.full_poll != programs_.settings().full_poll) programs_.write_settings(settings);
  // Rows must not go back in time: what the ring buffer has is older than what was read just now, except for what came
  // while it was read.
  polling_ = true;
  programs_.scan(
      "procflow_poll_sockets", sizeof(pf_socket_record), [this] { drain(); },
      [this](const void* data) {
        const auto& record = *static_cast<const pf_socket_record*>(data);
        const auto told = told_.find(static_cast<std::uint64_t>(flow_cookie(record.socket)));
        if (told == told_.end() || told->second <= record.time_ns) socket(record);
      });
  polling_ = false;
  told_.clear();
  full_poll_ = false;
  settings.full_poll = 0;
  settings.seeded = 1;
  if (settings.seeded != programs_.settings().seeded || programs_.settings().full_poll != 0)
    programs_.write_settings(settings);

  const std::uint64_t now = boot_ns();
  for (const ShareTable::Share& each : shares_.poll(now > kIdleShareNs ? now - kIdleShareNs : 0))
    share(each, static_cast<double>(now));
  end_packet_sockets();

  last_poll_ms_ = static_cast<double>(boot_ns() - started) / 1e6;
  const std::uint64_t took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - started_cpu;
  interval_ns_ = std::max(static_cast<std::uint64_t>(options_.poll_interval_ms) * 1'000'000,
                          static_cast<std::uint64_t>(static_cast<double>(took) * kPollShare));
  resync_ns_ = boot_ns() + static_cast<std::uint64_t>(static_cast<double>(took) * kResyncShare);
}

void EbpfSource::tell_loss(const char* place, std::uint64_t count) {
  LossRow row;
  row.place = out_->intern(place);
  row.count = static_cast<double>(count);
  out_->add(row);
}

void EbpfSource::read_losses() {
  const pf_statistics now = programs_.read_statistics();
  bool lost_sockets = false, lost_processes = false;
  for (int place = 0; place < PF_LOSSES; place++) {
    const bool changed = now.losses[place] != statistics_.losses[place];
    if (!changed && losses_told_) continue;
    tell_loss(kLossPlaces[place], now.losses[place]);
    if (!changed) continue;
    if (place == PF_LOSS_RING_SOCKET || place == PF_LOSS_RING_TRAFFIC) lost_sockets = true;
    if (place == PF_LOSS_RING_PROCESS) lost_processes = true;
  }
  const std::uint64_t missed = programs_.missed_runs();
  if (missed != missed_runs_ || !losses_told_) tell_loss("missedEvents", missed);
  if (!losses_told_) tell_loss("missedEnds", 0);
  missed_runs_ = missed;
  statistics_ = now;
  losses_told_ = true;
  if (lost_processes || lost_sockets) {
    drain();
    scan_processes();
  }
  if (lost_sockets) {
    full_poll_ = true;
    next_poll_ns_ = std::min(next_poll_ns_, resync_ns_);
  }
  if (lost_sockets || ended_waiting_) recover_ended();
}

// Ends that found the ring buffer full wait in a map. What the ring buffer has of the same sockets is older, so it
// comes first.
void EbpfSource::recover_ended() {
  const int map = programs_.map("ended");
  std::vector<pf_socket_record> records;
  std::uint64_t cookie = 0;
  pf_socket_record record;
  while (records.size() < kRowsPerBatch && bpf_map_get_next_key(map, nullptr, &cookie) == 0 &&
         bpf_map_lookup_and_delete_elem(map, &cookie, &record) == 0)
    records.push_back(record);
  drain();
  for (const pf_socket_record& each : records) socket(each, PF_SOCKET_FLAG_LOST_EVENTS);
  ended_waiting_ = records.size() == kRowsPerBatch;
}

void EbpfSource::end_packet_sockets() {
  for (auto entry = packet_sockets_.begin(); entry != packet_sockets_.end();) {
    if (entry->second.poll == polls_) {
      ++entry;
      continue;
    }
    pf_socket_record record = entry->second.record;
    // Its last messages came after the last poll that met it.
    pf_socket state;
    const int map = programs_.map("sockets");
    if (bpf_map_lookup_elem(map, &record.sock, &state) == 0 && state.cookie == record.socket.cookie) {
      record.socket = state;
      bpf_map_delete_elem(map, &record.sock);
    }
    record.kind = PF_SOCKET_ENDED;
    record.time_ns = boot_ns();
    entry = packet_sockets_.erase(entry);
    socket(record);
  }
}

// Only where events are missed can ends be.
void EbpfSource::end_vanished(std::uint64_t now) {
  if (now < next_vanished_ns_ || (missed_runs_ == missed_checked_ && !vanished_.pending())) return;
  missed_checked_ = missed_runs_;
  drain();
  for (const Vanished::State& state : vanished_.take(now)) {
    pf_socket_record record{};
    record.record = PF_RECORD_SOCKET;
    record.kind = PF_SOCKET_ENDED;
    record.time_ns = state.socket.poll_signature;  // of the release
    record.sock = state.sock;
    record.socket = state.socket;
    record.tcp.state = kTcpClose;
    record.tcp.from_state = kTcpEstablished;
    socket(record, PF_SOCKET_FLAG_LOST_EVENTS);
    tell_loss("missedEnds", ++missed_ends_);
  }
  next_vanished_ns_ = now + kVanishedNs;
}

void EbpfSource::set_filter(const Filter& filter) { programs_.write_filter(filter); }

std::string EbpfSource::status_json() {
  std::string text = "{\"source\":\"ebpf\",\"lastPollMs\":" + std::to_string(last_poll_ms_) +
                     ",\"pollIntervalMs\":" + std::to_string(static_cast<double>(interval_ns_) / 1e6) +
                     ",\"processes\":" + std::to_string(processes_.size()) +
                     ",\"shares\":" + std::to_string(shares_.size()) + ",\"programRuns\":{";
  for (int run = 0; run < PF_RUNS; run++) {
    if (run > 0) text += ',';
    text += std::string("\"") + kRunNames[run] + "\":" + std::to_string(statistics_.runs[run]);
  }
  text += "},\"error\":";
  if (last_error_.empty()) {
    text += "null";
  } else {
    std::string safe;
    for (const char c : last_error_) safe += (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) ? ' ' : c;
    text += "\"" + safe + "\"";
  }
  return text + "}";
}

}  // namespace procflow
