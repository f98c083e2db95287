#include "bpf_programs.h"

#include <bpf/btf.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "bpf_object.h"
#include "cgroup_root.h"
#include "clock.h"
#include "errno_text.h"
#include "kernel_filter.h"
#include "obstacles.h"
#include "per_cpu.h"

namespace procflow {
namespace {

// The last lines that libbpf said, for the error message.
std::string libbpf_log;

int keep_log(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  char line[2048];
  vsnprintf(line, sizeof line, format, arguments);
  libbpf_log += line;
  if (libbpf_log.size() > 8192) libbpf_log.erase(0, libbpf_log.size() - 8192);
  return 0;
}

std::string last_log_line() {
  std::string text = libbpf_log;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const auto at = text.find_last_of('\n');
  return at == std::string::npos ? text : text.substr(at + 1);
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

const char* const kMessagePrograms[] = {"procflow_send",     "procflow_recv",     "procflow_sendmsg4",
                                        "procflow_sendmsg6", "procflow_recvmsg4", "procflow_recvmsg6"};

bool is_message_program(const std::string& name) {
  for (const char* program : kMessagePrograms)
    if (name == program) return true;
  return false;
}

bool is_packet_program(const std::string& name) { return name.starts_with("procflow_packet_"); }

void destroy(std::vector<bpf_link*>& links) {
  for (bpf_link* link : links) bpf_link__destroy(link);
  links.clear();
}

// Runs a program of ours with `context`, which it may change.
bool run_program(int fd, void* context, std::uint32_t bytes) {
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.ctx_in = context;
  options.ctx_size_in = bytes;
  return bpf_prog_test_run_opts(fd, &options) == 0;
}

// While it lives this thread takes no signal: the verifier gives up when one comes (EAGAIN), and a few attempts later so
// does libbpf.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

BpfPrograms::BpfPrograms(const SourceOptions& options) {
  const std::string obstacle = bpf_obstacle();
  if (!obstacle.empty()) throw std::runtime_error(obstacle);
  libbpf_set_print(keep_log);
  cpus_ = libbpf_num_possible_cpus();
  tiers_ = {{"lifecycle", true, true, ""}, {"messages"}, {"packets"}, {"resources"}};

  std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), btf__free);
  const auto want = [this](Tier& tier, const std::string& obstacle) {
    tier.available = obstacle.empty();
    tier.reason = obstacle;
  };
  Tier& messages = edit_tier("messages");
  Tier& packets = edit_tier("packets");
  Tier& resources = edit_tier("resources");
  want(messages, messages_obstacle(options, kernel.get()));
  want(packets, packets_obstacle(options, kernel.get()));
  want(resources, options.resources ? "" : "switched off by capture.resources");
  settings_.edges = resources.available;
  if (resources.available) resources.reason = peaks_obstacle(options, kernel.get());
  settings_.peaks = resources.available && resources.reason.empty();
  settings_.messages_epoch = 1;  // from the first message on
  const PerCpuVariable run_queue{"runqueues", "rq"};
  distances_.steal_distance = per_cpu_distance(kernel.get(), run_queue, {"steal_time", "kvm_steal_time"});
  distances_.interrupt_distance = per_cpu_distance(kernel.get(), run_queue, {"cpu_irqtime", "irqtime"});

  // What the kernel refuses must not take with it what it would have let run.
  std::string error;
  for (Tier* refused : {&packets, &messages}) {
    if (!refused->available) continue;
    if (try_load(options, error)) break;
    *refused = {refused->name, false, false, error};
  }
  if (object_ == nullptr && !try_load(options, error)) throw std::runtime_error(error);
  messages.on = messages.available;
  if (messages.on) leave_out_tcp(false);
  resources.on = resources.available;
  if (!packets.available) return;
  write_selection(options.packets);
  set_tier("packets", true, "");
}

Tier& BpfPrograms::edit_tier(std::string_view name) {
  for (Tier& each : tiers_)
    if (each.name == name) return each;
  throw std::logic_error("no such tier");
}

const Tier& BpfPrograms::tier(std::string_view name) const { return const_cast<BpfPrograms*>(this)->edit_tier(name); }

BpfPrograms::~BpfPrograms() { close(); }

void BpfPrograms::close() {
  for (auto& [name, link] : iterators_) bpf_link__destroy(link);
  iterators_.clear();
  destroy(links_);
  destroy(packet_links_);
  bpf_object__close(object_);
  object_ = nullptr;
  calibrate_fd_ = read_process_fd_ = -1;
  if (cgroup_ >= 0) ::close(cgroup_);
  cgroup_ = -1;
}

void BpfPrograms::set_tier(std::string_view name, bool on, const std::string& reason) {
  if (name != "packets" && name != "messages") return;
  Tier& tier = edit_tier(name);
  if (!tier.available || tier.on == on) return;
  tier.reason = on ? "" : reason;
  if (name == "messages")
    leave_out_tcp(!on);
  else if (!on)
    detach_packets();
  else if (!attach_packets(tier.reason))
    tier.available = false;
  tier.on = on && tier.available;
}

// The programs stay: others than TCP have no other counters.
void BpfPrograms::leave_out_tcp(bool left_out) {
  if (left_out)
    messages_of_tcp_.switch_off(boot_ns());
  else
    messages_of_tcp_.switch_on();
  pf_settings settings = settings_;
  settings.messages_epoch = left_out ? 0 : messages_of_tcp_.epoch();
  write_settings(settings);
}

bool BpfPrograms::attach_packets(std::string& error) {
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    if (!is_packet_program(bpf_program__name(program))) continue;
    bpf_link* link = bpf_program__attach_cgroup(program, cgroup_);
    if (link == nullptr) {
      error = with_errno(std::string("cannot attach ") + bpf_program__section_name(program), errno);
      destroy(packet_links_);
      return false;
    }
    packet_links_.push_back(link);
  }
  // Only now: a socket that opens from here on is seen from its first packet on.
  packets_tier_.switch_on();
  packet_settings_.epoch = packets_tier_.epoch();
  const std::uint32_t zero = 0;
  if (bpf_map_update_elem(map("packet_settings"), &zero, &packet_settings_, BPF_ANY) != 0) {
    error = with_errno("cannot write the settings into the kernel", errno);
    detach_packets();
    return false;
  }
  return true;
}

void BpfPrograms::detach_packets() {
  packets_tier_.switch_off(boot_ns());
  packet_settings_.epoch = 0;
  const std::uint32_t zero = 0;
  bpf_map_update_elem(map("packet_settings"), &zero, &packet_settings_, BPF_ANY);
  destroy(packet_links_);
}

// Takes effect when the tier is switched on.
void BpfPrograms::write_selection(const PacketOptions& options) {
  const int selection = map("packet_selection");
  const auto put = [&](pf_filter_kind kind, const void* value, std::size_t size) {
    add_filter_entry(selection, kind, value, size, PF_FILTER_KEEP);
    packet_settings_.look_kinds |= static_cast<std::uint16_t>(1u << kind);
  };
  packet_settings_.first_packets = options.first_packets;
  packet_settings_.packet_bytes = options.bytes_per_packet;
  for (const auto port : options.ports) put(PF_FILTER_PORT, &port, sizeof port);
  for (const auto cgroup : options.cgroups) put(PF_FILTER_CGROUP, &cgroup, sizeof cgroup);
  for (const auto uid : options.uids) put(PF_FILTER_USER, &uid, sizeof uid);
}

bool BpfPrograms::is_wanted(const std::string& program) const {
  if (is_message_program(program)) return tier("messages").available;
  if (is_packet_program(program)) return tier("packets").available;
  if (program == "procflow_memory") return settings_.peaks != 0;
  if (program == "procflow_sample") return settings_.edges != 0;
  if (program == "procflow_calibrate" || program == "procflow_read_process")
    return settings_.edges != 0 && libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SYSCALL, nullptr) == 1;
  return true;
}

bool BpfPrograms::try_load(const SourceOptions& options, std::string& error) {
  close();
  libbpf_log.clear();
  cgroup_ = open_cgroup_root(options.cgroup_root, error);
  if (cgroup_ < 0) return false;

  bpf_object_open_opts open_options{};
  open_options.sz = sizeof open_options;
  open_options.object_name = "procflow";
  object_ = bpf_object__open_mem(kBpfObject, sizeof kBpfObject, &open_options);
  if (object_ == nullptr) {
    error = with_errno("cannot read the kernel programs (" + last_log_line() + ")", errno);
    return false;
  }
  bpf_map* ring = bpf_object__find_map_by_name(object_, "ring");
  bpf_map__set_max_entries(ring, options.ring_buffer_bytes);
  for (const char* name : {"sockets", "shares", "ended", "http_sockets", "peers"})
    bpf_map__set_max_entries(bpf_object__find_map_by_name(object_, name), options.max_sockets);
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    bpf_program__set_autoload(program, is_wanted(bpf_program__name(program)));
  }
  int failed;
  {
    const SignalsHeld held;
    failed = bpf_object__load(object_);
  }
  if (failed != 0) {
    error = with_errno("the kernel refuses the programs (" + last_log_line() + ")", -failed);
    close();
    return false;
  }
  write_settings(settings_);
  write_filter(options.filter);

  bpf_object__for_each_program(program, object_) {
    const std::string name = bpf_program__name(program);
    const std::string section = bpf_program__section_name(program);
    if (!bpf_program__autoload(program) || is_packet_program(name)) continue;
    if (section == "syscall") {
      (name == "procflow_calibrate" ? calibrate_fd_ : read_process_fd_) = bpf_program__fd(program);
      continue;
    }
    bpf_link* link = section.starts_with("cgroup/") ? bpf_program__attach_cgroup(program, cgroup_)
                                                    : bpf_program__attach(program);
    if (link == nullptr) {
      error = with_errno("cannot attach " + section, errno);
      close();
      return false;
    }
    if (section.starts_with("iter/"))
      iterators_.emplace_back(name, link);
    else
      links_.push_back(link);
  }
  return true;
}

int BpfPrograms::map(const char* name) const { return bpf_object__find_map_fd_by_name(object_, name); }

int BpfPrograms::program(const char* name) const {
  const bpf_program* program = bpf_object__find_program_by_name(object_, name);
  return program != nullptr && bpf_program__autoload(program) ? bpf_program__fd(program) : -1;
}

void BpfPrograms::write_settings(const pf_settings& settings) {
  settings_ = settings;
  const std::uint32_t zero = 0;
  if (bpf_map_update_elem(map("settings"), &zero, &settings_, BPF_ANY) != 0)
    throw std::runtime_error(with_errno("cannot write the settings into the kernel", errno));
}

void BpfPrograms::write_filter(const Filter& filter) {
  write_settings(fill_filter(map("filter_set"), map("filter_prefixes"), filter, settings_));
}

std::uint64_t BpfPrograms::missed_runs() const {
  std::uint64_t missed = 0;
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    bpf_prog_info info{};
    __u32 size = sizeof info;
    if (bpf_program__fd(program) >= 0 && bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0)
      missed += info.recursion_misses;
  }
  return missed;
}

void BpfPrograms::calibrate() {
  constexpr int runs = 3;
  if (calibrate_fd_ < 0) return;
  pf_calibration calibration = distances_;
  calibration.smallest = ~std::uint64_t{0};
  for (int run = 1; run <= runs; run++) {
    calibration.last = run == runs;
    clock_ns(CLOCK_THREAD_CPUTIME_ID);
    run_program(calibrate_fd_, &calibration, sizeof calibration);
  }
}

bool BpfPrograms::read_process(const pf_process_ref& process, std::uint32_t window, pf_usage_record& to) {
  if (read_process_fd_ < 0) return false;
  pf_usage_request request{};
  request.process = process;
  request.window = window;
  if (!run_program(read_process_fd_, &request, sizeof request) || request.answer.threads == 0) return false;
  to = request.answer;
  return true;
}

pf_statistics BpfPrograms::read_statistics() const {
  std::vector<pf_statistics> values(static_cast<std::size_t>(cpus_));
  pf_statistics sum{};
  const std::uint32_t zero = 0;
  if (bpf_map_lookup_elem(map("statistics"), &zero, values.data()) != 0) return sum;
  for (const pf_statistics& value : values) {
    for (int i = 0; i < PF_LOSSES; i++) sum.losses[i] += value.losses[i];
    for (int i = 0; i < PF_RUNS; i++) sum.runs[i] += value.runs[i];
  }
  return sum;
}

void BpfPrograms::read_iterator(const char* program, std::size_t record_bytes, void (*before)(void* context),
                                void (*handle)(const void* record, void* context), void* context) {
  bpf_link* link = nullptr;
  for (auto& [name, iterator] : iterators_)
    if (name == program) link = iterator;
  if (link == nullptr) return;
  const Fd fd(bpf_iter_create(bpf_link__fd(link)));
  if (fd.get() < 0) throw std::runtime_error(with_errno(std::string("cannot start the scan ") + program, errno));
  std::vector<std::uint8_t> buffer(1 << 16);
  std::size_t filled = 0;
  for (;;) {
    const ssize_t got = read(fd.get(), buffer.data() + filled, buffer.size() - filled);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return;
    filled += static_cast<std::size_t>(got);
    std::size_t at = 0;
    before(context);
    for (; at + record_bytes <= filled; at += record_bytes) handle(buffer.data() + at, context);
    filled -= at;
    std::memmove(buffer.data(), buffer.data() + at, filled);
  }
}

}  // namespace procflow
