// The live processes as the kernel programs report them: names them, notices what no event tells (a changed user, a
// title that the process wrote over its arguments), and finds what lost events left out.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "../bpf/wire.h"
#include "batch.h"
#include "identity.h"

namespace procflow {

class ProcessTable {
 public:
  explicit ProcessTable(Identity& identity) : identity_(identity) {}
  ProcessTable(const ProcessTable&) = delete;
  ProcessTable& operator=(const ProcessTable&) = delete;

  // A fork, exec or exit, in the order in which the ring buffer has them.
  void event(const pf_process_record& record, BatchBuilder& out);
  // A scan of all processes: `begin`, each record, `end`.
  void begin_scan();
  void scanned(const pf_process_record& record, BatchBuilder& out);
  void end_scan(BatchBuilder& out);

  std::size_t size() const { return live_.size(); }

 private:
  struct Live {
    std::uint64_t start_ns = 0;
    std::uint64_t cgroup_id = 0;
    std::uint64_t scan = 0;        // the last scan that met it
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t title_age = 0;   // scans since its arguments were read
    bool title_read = false;       // arguments come from /proc, not only from its parent
    std::uint64_t title_hash = 0;
    char comm[16]{};
  };

  void fork(const pf_process_record& record, BatchBuilder& out);
  void exec(const pf_process_record& record, BatchBuilder& out);
  void exit(const pf_process_record& record, BatchBuilder& out);
  void name_cgroup(ProcessRow& row, const pf_process_record& record, std::uint32_t known_in, BatchBuilder& out);
  void remember(const pf_process_record& record);
  bool refresh_title(std::uint32_t pid, Live& live, ProcessRow& row, BatchBuilder& out);

  Identity& identity_;
  std::unordered_map<std::uint32_t, Live> live_;
  std::uint64_t scan_ = 0;
  double scan_ns_ = 0;
};

}  // namespace procflow
