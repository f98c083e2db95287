// The eBPF source: drains the ring buffer, polls live sockets and processes, and recovers what lost events left out.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "applications.h"
#include "bpf_programs.h"
#include "delay_accounting.h"
#include "ebpf_rows.h"
#include "exchanges.h"
#include "identity.h"
#include "loss_report.h"
#include "peer_table.h"
#include "process_table.h"
#include "program_budget.h"
#include "source.h"
#include "usage_rows.h"
#include "vanished.h"

namespace procflow {

class EbpfSource : public Source {
 public:
  // Throws std::runtime_error when the lifecycle tier cannot run.
  explicit EbpfSource(const SourceOptions& options);
  ~EbpfSource() override;

  int wake_fd() const override;
  int wait_ms() const override;
  bool collect(BatchBuilder& out) override;
  void set_filter(const Filter& filter) override;
  std::vector<Tier> tiers() const override { return tiers_; }
  void set_tier(const std::string& name, bool on, const std::string& reason) override;
  void set_budget(double percent) override { budget_.set(percent); }
  std::string status_json() override;

 private:
  static int on_record(void* self, void* data, std::size_t size);
  void handle(const void* data, std::size_t size);
  void socket(const pf_socket_record& record, std::uint32_t extra_flags = 0);
  void end_use(const pf_socket& socket, const SocketUser& user);
  void drain();
  void poll();
  void scan_processes();
  bool sample_due(std::uint64_t now) const;
  void sample();
  void packet(const pf_packet_record& record, std::size_t size);
  void detect_applications();
  void tiers_changed();
  void packets_ended(const pf_socket& socket);
  void tell_tiers();
  void govern(std::uint64_t now);
  std::string resources_json() const;
  void read_losses();
  void recover_ended();
  void released(const pf_traffic_record& record);
  void tell_held(std::uint64_t now);
  void end_packet_sockets();
  void end_vanished(std::uint64_t now);

  SourceOptions options_;
  BpfPrograms programs_;
  ProgramBudget budget_;
  DelayAccounting delay_accounting_;
  std::vector<Tier> tiers_;
  Identity identity_;
  ProcessTable processes_;
  EbpfRows rows_;
  UsageRows usage_rows_;
  Exchanges exchanges_;
  Vanished vanished_;
  PeerTable peers_;
  LossReport losses_;
  std::unique_ptr<Applications> applications_;  // null: nothing detects
  std::string no_applications_;                 // why
  ring_buffer* ring_ = nullptr;
  int wake_fd_ = -1;
  BatchBuilder* out_ = nullptr;

  // Connections that were reset, or timed out, while a process holds them: it may still read what has come, so their
  // end is told when it lets go, or after a moment.
  std::unordered_map<std::uint64_t, pf_socket_record> held_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> held_due_;  // time, cookie

  // Packet sockets have no release hook: one that a poll does not meet any more has ended.
  struct PacketSocket {
    pf_socket_record record;
    std::uint64_t poll;
  };
  std::unordered_map<std::uint64_t, PacketSocket> packet_sockets_;

  std::uint64_t polls_ = 0, missed_checked_ = 0;
  std::uint64_t next_poll_ns_ = 0, next_losses_ns_ = 0, resync_ns_ = 0, next_vanished_ns_ = 0;
  std::uint64_t next_sample_ns_ = 0, last_sample_ns_ = 0, early_sample_ns_ = 0;
  std::uint64_t next_calibration_ns_ = 0;
  double last_poll_ms_ = 0;
  std::uint64_t interval_ns_ = 0, sample_interval_ns_ = 0;
  bool full_poll_ = true;
  bool draining_ = false;
  bool polling_ = false;
  std::vector<Tier> told_tiers_;
  std::unordered_map<std::uint64_t, std::uint64_t> told_;  // cookie to time of what was told during a poll
  bool ended_waiting_ = false;
  std::string last_error_;
};

}  // namespace procflow
