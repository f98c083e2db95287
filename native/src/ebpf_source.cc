#include "ebpf_source.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "clock.h"
#include "flow_cookie.h"
#include "json_text.h"

namespace procflow {
namespace {

constexpr int kTcpEstablished = 1;        // include/net/tcp_states.h
constexpr int kTcpClose = 7;
constexpr int kDrainMs = 20;              // the ring buffer is read this often
constexpr std::size_t kRowsPerBatch = 16384;
constexpr std::uint64_t kLossesNs = 100'000'000;
constexpr std::uint64_t kHeldNs = 1'000'000'000;
constexpr std::uint64_t kVanishedNs = 5'000'000'000;
constexpr std::uint64_t kCalibrationNs = 100'000'000;  // clocks that differ by 500 ppm go 50 µs apart in this time
constexpr std::uint64_t kNever = UINT64_MAX;
constexpr std::uint64_t kConnectingNs = 60'000'000'000;
constexpr double kPollShare = 25;         // a poll may take one part in so many of a CPU's time
constexpr std::uint64_t kSampleShare = 100;  // the same for a sample
constexpr std::uint64_t kEarlySamples = 4;   // as many in the time of one, where exchanges are slow
constexpr double kResyncShare = 5;        // the same for polls that lost events make due

}  // namespace

EbpfSource::EbpfSource(const SourceOptions& options)
    : options_(options), programs_(options), budget_(programs_, options.budget_percent),
      delay_accounting_(options.resources && options.delay_accounting), tiers_(programs_.tiers()), processes_(identity_),
      rows_(programs_.map("shares"), programs_.tier("messages").on, programs_.messages_of_tcp(), programs_.packets_tier()),
      exchanges_(programs_.map("http_sockets")), vanished_(programs_.map("sockets")),
      peers_(programs_.map("peers"), programs_.packets_tier()), losses_(programs_) {
  if (programs_.tier("packets").on) detect_applications();
  tiers_changed();
  interval_ns_ = static_cast<std::uint64_t>(options.poll_interval_ms) * 1'000'000;
  sample_interval_ns_ = static_cast<std::uint64_t>(options.sample_interval_ms) * 1'000'000;
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
      const auto cookie = flow_cookie(record.socket);
      held_[cookie] = record;
      held_due_.emplace_back(record.time_ns + kHeldNs, cookie);
    } else {
      socket(record);
    }
  } else if (type == PF_RECORD_TRAFFIC && size >= sizeof(pf_traffic_record)) {
    const auto& record = *static_cast<const pf_traffic_record*>(data);
    if (record.kind == 1) return released(record);
    rows_.new_share(record, *out_);
  } else if (type == PF_RECORD_PROCESS && size >= PF_PROCESS_RECORD_HEAD) {
    const auto& record = *static_cast<const pf_process_record*>(data);
    processes_.event(record, *out_);
    if (record.kind == PF_PROCESS_EXIT && options_.resources) usage_rows_.exited(record, *out_);
  } else if (type == PF_RECORD_HTTP && size >= sizeof(pf_http_record)) {
    exchanges_.record(*static_cast<const pf_http_record*>(data), size, *out_);
  } else if (type == PF_RECORD_USAGE && size >= sizeof(pf_usage_record)) {
    usage_rows_.add(*static_cast<const pf_usage_record*>(data), *out_);
  } else if (type == PF_RECORD_PACKET && size >= PF_PACKET_RECORD_HEAD) {
    packet(*static_cast<const pf_packet_record*>(data), size);
  }
}

void EbpfSource::packet(const pf_packet_record& record, std::size_t size) {
  if (record.protocol == IPPROTO_UDP) {
    pf_peer_key key{};
    key.cookie = record.cookie;
    std::memcpy(key.peer, record.remote, sizeof key.peer);
    key.peer_port = record.remote_port;
    peers_.know(key);
  }
  if (applications_) applications_->packet(record, size, *out_);
}

void EbpfSource::detect_applications() {
  try {
    applications_ = std::make_unique<Applications>(options_.packets.first_packets, Applications::Limits{});
  } catch (const std::exception& error) {
    no_applications_ = std::string("applications: ") + error.what();
  }
}

void EbpfSource::set_tier(const std::string& name, bool on, const std::string& reason) {
  programs_.set_tier(name, on, reason);
  tiers_changed();
  budget_.set_light(programs_.tier("messages").available && !programs_.tier("messages").on, boot_ns());
}

// Keeps the cost of the kernel programs within the budget.
void EbpfSource::govern(std::uint64_t now) {
  const std::optional<ProgramBudget::Change> change = budget_.check(now, programs_);
  if (!change) return;
  set_tier(change->tier, change->on, change->reason);
  drain();  // what is older than the change
  tell_tiers();
}

// Takes over what the programs say of the tiers, and adds what is missing besides them.
void EbpfSource::tiers_changed() {
  tiers_ = programs_.tiers();
  const auto lacks = [](Tier& tier, const std::string& what) {
    if (tier.on && !what.empty()) tier.reason += (tier.reason.empty() ? "" : "; ") + what;
  };
  for (Tier& tier : tiers_) {
    if (tier.name == "packets") lacks(tier, no_applications_);
    if (tier.name == "resources" && !delay_accounting_.obstacle().empty())
      lacks(tier, "I/O wait: " + delay_accounting_.obstacle());
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
  tell_tiers();
  govern(now);
  if (now >= next_calibration_ns_) {
    programs_.calibrate();
    next_calibration_ns_ = now + kCalibrationNs;
  }
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
  if (options_.resources && sample_due(now)) {
    sample();
    usage_rows_.forget_before(now - std::min(now, kConnectingNs));
  }
  tell_held(now);
  end_vanished(now);
  exchanges_.tell_started(boot_ns(), out);
  // What is under way is not followed any further, nor is what a program has just begun with that was running already.
  if (!programs_.messages_of_tcp().on()) exchanges_.forget_all();
  if (applications_) applications_->tick(now, out);
  rows_.addresses(out);
  out_ = nullptr;
  return consumed == -EAGAIN;
}

void EbpfSource::socket(const pf_socket_record& record, std::uint32_t extra_flags) {
  if (polling_) told_[flow_cookie(record.socket)] = record.kind == PF_SOCKET_ENDED ? kNever : record.time_ns;
  // While the receiver still has the socket.
  if (applications_ && (record.socket.flags & PF_SOCK_VERDICT) != 0)
    applications_->kept(flow_cookie(record.socket), record.time_ns, *out_);
  if (record.kind == PF_SOCKET_ENDED) packets_ended(record.socket);
  if (record.kind == PF_SOCKET_ENDED && (record.socket.flags & PF_SOCK_RELEASED) != 0)
    exchanges_.socket_ended(flow_cookie(record.socket), record.time_ns, *out_);
  const std::vector<SocketUser> users = rows_.socket(record, extra_flags, *out_);
  usage_rows_.told(flow_cookie(record.socket), *out_);
  for (const SocketUser& user : users) end_use(record.socket, user);
  if (record.socket.family == AF_PACKET && record.kind != PF_SOCKET_ENDED)
    packet_sockets_[record.sock] = {record, polls_};
}

// The kernel programs read who closes a socket; who used it besides is read here, unless it is gone.
void EbpfSource::end_use(const pf_socket& socket, const SocketUser& user) {
  pf_usage_record record;
  if (!programs_.read_process(user.process, user.window, record)) return;
  record.cookie = flow_cookie(socket);
  usage_rows_.add(record, *out_);
}

// What the packets tier has of a socket that has ended.
void EbpfSource::packets_ended(const pf_socket& socket) {
  const auto cookie = flow_cookie(socket);
  const std::uint64_t now = boot_ns();
  if (socket.protocol == IPPROTO_UDP) {
    // Of a short life no poll, and perhaps no payload, has told.
    pf_peer_key key{};
    key.cookie = cookie;
    std::memcpy(key.peer, socket.slot.peer, sizeof key.peer);
    key.peer_port = socket.slot.peer_port;
    peers_.know(key);
    peers_.end(cookie, now, *out_);
  }
  if (applications_) applications_->ended(cookie, now, *out_);
}

void EbpfSource::scan_processes() {
  processes_.begin_scan();
  programs_.scan(
      "procflow_scan_processes", PF_PROCESS_RECORD_HEAD, [] {},
      [this](const void* data) { processes_.scanned(*static_cast<const pf_process_record*>(data), *out_); });
  processes_.end_scan(*out_);
}

// At each tick, and before that when a slow exchange has ended: who wants to know what ran meanwhile need not wait.
bool EbpfSource::sample_due(std::uint64_t now) const {
  return now >= next_sample_ns_ || (exchanges_.slow_ended_ns() > last_sample_ns_ && now >= early_sample_ns_);
}

// All processes, after what the ring buffer has of them.
void EbpfSource::sample() {
  drain();
  last_sample_ns_ = boot_ns();
  const std::uint64_t started_cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  programs_.scan(
      "procflow_sample", sizeof(pf_usage_record), [] {},
      [this](const void* data) { usage_rows_.add(*static_cast<const pf_usage_record*>(data), *out_); });
  const std::uint64_t took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - started_cpu;
  const std::uint64_t wanted = std::uint64_t{options_.sample_interval_ms} * 1'000'000;
  sample_interval_ns_ = std::max(wanted, took * kSampleShare);
  next_sample_ns_ = last_sample_ns_ + sample_interval_ns_;
  early_sample_ns_ = last_sample_ns_ + std::max(wanted / kEarlySamples, took * kSampleShare);
}

void EbpfSource::tell_tiers() {
  told_tiers_.resize(tiers_.size());
  for (std::size_t i = 0; i < tiers_.size(); i++) {
    const Tier& tier = tiers_[i];
    if (tier == told_tiers_[i]) continue;
    TierRow row;
    row.timeNs = static_cast<double>(boot_ns());
    row.name = out_->intern(tier.name);
    row.on = tier.on ? 1 : 0;
    row.reason = tier.reason.empty() ? kUnknownString : out_->intern(tier.reason);
    out_->add(row);
    told_tiers_[i] = tier;
  }
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
  // while it was read. After an end nothing comes.
  polling_ = true;
  programs_.scan(
      "procflow_poll_sockets", sizeof(pf_socket_record), [this] { drain(); },
      [this](const void* data) {
        const auto& record = *static_cast<const pf_socket_record*>(data);
        const auto told = told_.find(flow_cookie(record.socket));
        if (told == told_.end() || told->second <= record.time_ns) socket(record);
      });
  polling_ = false;
  told_.clear();
  full_poll_ = false;
  settings.full_poll = 0;
  settings.seeded = 1;
  if (settings.seeded != programs_.settings().seeded || programs_.settings().full_poll != 0)
    programs_.write_settings(settings);

  rows_.poll_shares(*out_);
  peers_.poll(boot_ns(), *out_);
  end_packet_sockets();

  last_poll_ms_ = static_cast<double>(boot_ns() - started) / 1e6;
  const std::uint64_t took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - started_cpu;
  interval_ns_ = std::max(static_cast<std::uint64_t>(options_.poll_interval_ms) * 1'000'000,
                          static_cast<std::uint64_t>(static_cast<double>(took) * kPollShare));
  resync_ns_ = boot_ns() + static_cast<std::uint64_t>(static_cast<double>(took) * kResyncShare);
}

void EbpfSource::read_losses() {
  const LossReport::Stale stale =
      losses_.read(exchanges_.lost(), applications_ ? applications_->losses() : Applications::Losses{}, *out_);
  if (stale.processes || stale.sockets) {
    drain();
    scan_processes();
  }
  if (stale.sockets) {
    full_poll_ = true;
    next_poll_ns_ = std::min(next_poll_ns_, resync_ns_);
  }
  if (stale.sockets || ended_waiting_) recover_ended();
}

// Ends that found the ring buffer full wait in a map. What the ring buffer has of the same sockets is older, so it
// comes first.
void EbpfSource::recover_ended() {
  const int map = programs_.map("ended");
  std::vector<std::uint64_t> cookies(kRowsPerBatch);
  std::vector<pf_socket_record> records(kRowsPerBatch);
  std::uint32_t count = kRowsPerBatch, next = 0;
  const int result =
      bpf_map_lookup_and_delete_batch(map, nullptr, &next, cookies.data(), records.data(), &count, nullptr);
  ended_waiting_ = result == 0;
  records.resize(result == 0 || result == -ENOENT ? count : 0);
  drain();
  for (const pf_socket_record& each : records) socket(each, PF_SOCKET_FLAG_LOST_EVENTS);
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
  if (now < next_vanished_ns_ || (losses_.missed_runs() == missed_checked_ && !vanished_.pending())) return;
  missed_checked_ = losses_.missed_runs();
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
    losses_.missed_end(*out_);
  }
  next_vanished_ns_ = now + kVanishedNs;
}

void EbpfSource::set_filter(const Filter& filter) { programs_.write_filter(filter); }

std::string EbpfSource::resources_json() const {
  if (!options_.resources) return "";
  return ",\"sampleIntervalMs\":" + std::to_string(static_cast<double>(sample_interval_ns_) / 1e6) +
         ",\"delayAccounting\":\"" + delay_accounting_.state() + "\"";
}

std::string EbpfSource::status_json() {
  std::string text = "{\"source\":\"ebpf\",\"lastPollMs\":" + std::to_string(last_poll_ms_) +
                     ",\"pollIntervalMs\":" + std::to_string(static_cast<double>(interval_ns_) / 1e6) + resources_json() +
                     ",\"processes\":" + std::to_string(processes_.size()) +
                     ",\"shares\":" + std::to_string(rows_.shares()) +
                     ",\"peers\":" + std::to_string(peers_.size()) +
                     ",\"conversations\":" + std::to_string(applications_ ? applications_->size() : 0) +
                     ",\"programRuns\":{";
  for (int run = 0; run < PF_RUNS; run++) {
    if (run > 0) text += ',';
    text += std::string("\"") + ProgramCosts::name(static_cast<pf_run>(run)) + "\":" + std::to_string(losses_.statistics().runs[run]);
  }
  return text + "},\"governor\":" + budget_.json() + ",\"error\":" + json_text(last_error_) + "}";
}

}  // namespace procflow
