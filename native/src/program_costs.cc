#include "program_costs.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace procflow {
namespace {

constexpr std::uint64_t kSliceNs = 100'000'000;
constexpr std::uint64_t kPauseNs = 10'000'000'000;
constexpr std::uint64_t kFirstPauseNs = 500'000'000;  // doubled with each slice until it is the one above

// ns per run as measured on the machine that this was written on, as it is with messages of TCP, and without.
constexpr double kAssumed[2][PF_RUNS] = {
    {315, 205, 330, 800, 190, 250, 105, 480, 1100, 1350, 440, 110, 0, 0, 210, 120},
    {235, 185, 265, 415, 65, 60, 105, 480, 1100, 1350, 440, 110, 0, 0, 210, 120},
};

constexpr const char* kNames[PF_RUNS] = {"inet_sock_set_state", "tcp_destroy_sock",   "sock_create",
                                         "sock_release",        "sock_send_length",   "sock_recv_length",
                                         "udp_peer",            "sched_process_fork", "sched_process_exec",
                                         "sched_process_exit",  "sched_process_free", "rss_stat",
                                         "http",                "other_messages",     "packet_sent",
                                         "packet_received"};

}  // namespace

void RunCost::add(std::uint64_t ns, std::uint64_t runs) {
  if (runs == 0) return;
  ns_ = ns_ / 2 + static_cast<double>(ns);
  runs_ = runs_ / 2 + static_cast<double>(runs);
}

ProgramCosts::ProgramCosts() {
  for (int light = 0; light < 2; light++)
    for (int run = 0; run < PF_RUNS; run++) costs_[light][run] = RunCost(kAssumed[light][run]);
}

ProgramCosts::~ProgramCosts() {
  if (statistics_fd_ >= 0) ::close(statistics_fd_);
}

const std::vector<const char*>& ProgramCosts::programs(pf_run run) {
  static const std::array<std::vector<const char*>, PF_RUNS> names = {{
      {"procflow_set_state"},
      {"procflow_destroy"},
      {"procflow_sock_create"},
      {"procflow_sock_release"},
      {"procflow_send"},
      {"procflow_recv"},
      {"procflow_sendmsg4", "procflow_sendmsg6", "procflow_recvmsg4", "procflow_recvmsg6"},
      {"procflow_fork"},
      {"procflow_exec"},
      {"procflow_exit"},
      {"procflow_free"},
      {"procflow_memory"},
      {},
      {},
      {"procflow_packet_sent"},
      {"procflow_packet_received"},
  }};
  return names[run];
}

const char* ProgramCosts::name(pf_run run) { return kNames[run]; }

void ProgramCosts::add(pf_run run, int descriptor) { descriptors_[run].push_back(descriptor); }

void ProgramCosts::tick(std::uint64_t now_ns) {
  if (statistics_fd_ >= 0) {
    if (now_ns - begun_ns_ >= kSliceNs) end();
    return;
  }
  if (next_ns_ == 0) next_ns_ = now_ns + kFirstPauseNs;
  if (now_ns >= next_ns_ && state_ != State::kConstant) begin(now_ns);
}

void ProgramCosts::begin(std::uint64_t now_ns) {
  statistics_fd_ = bpf_enable_stats(BPF_STATS_RUN_TIME);
  if (statistics_fd_ < 0) {
    obstacle_ = std::string("the kernel does not measure the programs: ") + std::strerror(errno);
    if (errno == EPERM) obstacle_ += " (it takes CAP_SYS_ADMIN)";
    state_ = State::kConstant;
    return;
  }
  begun_ns_ = now_ns;
  next_ns_ = now_ns + std::min(kPauseNs, kFirstPauseNs << std::min(slices_, 8u));
  slices_++;
  for (int run = 0; run < PF_RUNS; run++) before_[run] = read_kernel(static_cast<pf_run>(run));
}

// The kernel reads its clock around each run; that takes about as long as to call a program, which it does not measure.
void ProgramCosts::end() {
  for (int run = 0; run < PF_RUNS; run++) {
    const Measured now = read_kernel(static_cast<pf_run>(run));
    if (now.runs < before_[run].runs || now.ns < before_[run].ns) continue;
    costs_[light_][run].add(now.ns - before_[run].ns, now.runs - before_[run].runs);
  }
  ::close(statistics_fd_);
  statistics_fd_ = -1;
  state_ = State::kMeasured;
}

ProgramCosts::Measured ProgramCosts::read_kernel(pf_run run) const {
  Measured sum;
  for (const int descriptor : descriptors_[run]) {
    bpf_prog_info info{};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(descriptor, &info, &size) != 0) continue;
    sum.ns += info.run_time_ns;
    sum.runs += info.run_cnt;
  }
  return sum;
}

bool ProgramCosts::read(std::uint64_t now_ns, const pf_statistics& statistics) {
  const bool first = read_ns_ == 0;
  seconds_ = first ? 0 : static_cast<double>(now_ns - read_ns_) / 1e9;
  read_ns_ = now_ns;
  percent_ = 0;
  for (int run = 0; run < PF_RUNS; run++) {
    Load& load = loads_[run];
    const std::uint64_t runs = statistics.runs[run];
    load.runs_per_second = seconds_ > 0 && runs > load.runs ? static_cast<double>(runs - load.runs) / seconds_ : 0;
    load.runs = runs;
    load.cost_ns = costs_[light_][run].ns();
    load.percent = descriptors_[run].empty() ? 0 : load.runs_per_second * load.cost_ns / 1e7;
    percent_ += load.percent;
  }
  return !first;
}

void ProgramCosts::set_light(bool light, std::uint64_t now_ns) {
  if (light_ == (light ? 1u : 0u)) return;
  light_ = light ? 1 : 0;
  // What is measured just now is neither.
  if (statistics_fd_ >= 0) ::close(statistics_fd_);
  statistics_fd_ = -1;
  slices_ = 0;
  next_ns_ = now_ns + kFirstPauseNs;
}

}  // namespace procflow
