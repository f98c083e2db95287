// The kernel programs: loading, attaching, and their maps.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <string>
#include <string_view>
#include <vector>

#include "../bpf/wire.h"
#include "tier_epochs.h"
#include "source.h"

namespace procflow {

class BpfPrograms {
 public:
  // Loads and attaches what the kernel and the privileges allow. Throws std::runtime_error, with the cause and the
  // cure, when not even the lifecycle tier can run.
  explicit BpfPrograms(const SourceOptions& options);
  ~BpfPrograms();
  BpfPrograms(const BpfPrograms&) = delete;
  BpfPrograms& operator=(const BpfPrograms&) = delete;

  const std::vector<Tier>& tiers() const { return tiers_; }
  const Tier& tier(std::string_view name) const;
  // Puts the packets tier off, or the messages tier as far as TCP goes, or has them go on; does nothing when it is so,
  // or cannot be.
  void set_tier(std::string_view name, bool on, const std::string& reason);
  const TierEpochs& packets_tier() const { return packets_tier_; }
  const TierEpochs& messages_of_tcp() const { return messages_of_tcp_; }
  int map(const char* name) const;
  // Descriptor of a program; -1 when it is not loaded.
  int program(const char* name) const;

  void write_settings(const pf_settings& settings);
  const pf_settings& settings() const { return settings_; }
  // Fills the maps of the filter and the settings that go with them.
  void write_filter(const Filter& filter);
  // Events that met a program at work on the same CPU, so that it did not run for them.
  std::uint64_t missed_runs() const;
  // Tells the programs how the scheduler's clock goes, for readings of CPU time; to be repeated, for clocks drift.
  void calibrate();
  // What a process has spent until now; false when it is gone. `window`: of the highest memory, 0 for none.
  bool read_process(const pf_process_ref& process, std::uint32_t window, pf_usage_record& to);
  // Sum over all CPUs.
  pf_statistics read_statistics() const;
  // Runs an iterator program and hands its output over in whole records of `record_bytes`. `before` is called each time
  // before records that were read together are handed over.
  template <typename Before, typename Handle>
  void scan(const char* program, std::size_t record_bytes, Before before, Handle handle) {
    struct Calls {
      Before& before;
      Handle& handle;
    } calls{before, handle};
    read_iterator(
        program, record_bytes, [](void* context) { static_cast<Calls*>(context)->before(); },
        [](const void* record, void* context) { static_cast<Calls*>(context)->handle(record); }, &calls);
  }

 private:
  void read_iterator(const char* program, std::size_t record_bytes, void (*before)(void* context),
                     void (*handle)(const void* record, void* context), void* context);
  bool try_load(const SourceOptions& options, std::string& error);
  bool is_wanted(const std::string& program) const;
  Tier& edit_tier(std::string_view name);
  void write_selection(const PacketOptions& options);
  bool attach_packets(std::string& error);
  void detach_packets();
  void leave_out_tcp(bool left_out);
  void close();

  bpf_object* object_ = nullptr;
  std::vector<bpf_link*> links_;
  std::vector<bpf_link*> packet_links_;
  int cgroup_ = -1;  // the root of the cgroup2 hierarchy
  std::vector<std::pair<std::string, bpf_link*>> iterators_;
  std::vector<Tier> tiers_;
  pf_settings settings_{};
  pf_calibration distances_{};
  int calibrate_fd_ = -1;
  int read_process_fd_ = -1;
  pf_packet_settings packet_settings_{};
  TierEpochs packets_tier_;
  TierEpochs messages_of_tcp_;
  int cpus_ = 1;
};

}  // namespace procflow
