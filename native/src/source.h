// A source of batches: eBPF, or sock_diag and /proc. All calls come from the capture thread, one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batch.h"

namespace procflow {

// What is captured and what is left out, as configured: a socket must be in every keep list that is not empty, and in no
// drop list.
struct FilterLists {
  struct Prefix {
    Address address{};
    std::uint8_t bits = 0;  // of 128; an IPv4 prefix is 96 longer
  };
  std::vector<Prefix> addresses;          // either end
  std::vector<std::uint16_t> ports;       // either end
  std::vector<std::uint16_t> protocols;   // IANA numbers; 0 is PACKET
  std::vector<std::uint64_t> cgroups;     // cgroup ids
  std::vector<std::uint32_t> uids;
  std::vector<std::string> processes;     // comm
  bool empty() const {
    return addresses.empty() && ports.empty() && protocols.empty() && cgroups.empty() && uids.empty() &&
           processes.empty();
  }
};

struct Filter {
  FilterLists keep;
  FilterLists drop;
  bool loopback = true;           // capture traffic over loopback addresses
  bool own_traffic = false;       // capture the agent's own traffic
  std::vector<std::uint16_t> own_ports;  // TCP ports the agent listens on, on this host
};

// What the packets tier looks at: conversations in every list that is not empty.
struct PacketOptions {
  bool enabled = true;
  std::uint8_t first_packets = 8;       // of each conversation and direction, those with payload
  std::uint16_t bytes_per_packet = 2048;
  std::vector<std::uint16_t> ports;     // either end
  std::vector<std::uint64_t> cgroups;   // of the socket
  std::vector<std::uint32_t> uids;      // the socket's owner
};

// A part of capture that runs, or not and why.
struct Tier {
  std::string name;        // lifecycle, messages, packets, resources
  bool on = false;
  bool available = false;  // could be on, here
  std::string reason{};    // why it is off, or which part of it is; empty when all of it is on
  bool operator==(const Tier&) const = default;
};

struct SourceOptions {
  std::uint32_t poll_interval_ms = 1000;
  std::uint32_t ring_buffer_bytes = 16u << 20;
  std::uint32_t max_sockets = 262144;
  std::uint32_t sample_interval_ms = 1000;
  bool messages = true;
  bool resources = true;         // read what processes spend
  bool peak_memory = true;       // … and their highest memory within windows
  bool delay_accounting = true;  // switch kernel.task_delayacct on
  PacketOptions packets;
  double budget_percent = 1;     // of one core, for the kernel programs; 0: nothing is put off
  std::string cgroup_root;  // empty: found in /proc/self/mountinfo
  Filter filter;
};

class Source {
 public:
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // Descriptor that becomes readable when `collect` should be called at once; -1 when there is none.
  virtual int wake_fd() const { return -1; }
  // Longest wait before the next `collect`, in ms.
  virtual int wait_ms() const = 0;
  // Appends what happened since the last call. Bounded work: when more is left it returns true and is called again.
  virtual bool collect(BatchBuilder& out) = 0;
  // Replaces the filter for sockets that open from now on.
  virtual void set_filter(const Filter& filter) = 0;
  virtual std::vector<Tier> tiers() const { return {}; }
  // Switches a tier on or off while it runs, where that can be. `reason` is for the rows that tell of it.
  virtual void set_tier(const std::string&, bool, const std::string&) {}
  // Replaces the budget.
  virtual void set_budget(double) {}
  // Facts for status: name and value pairs (durations, run counts), as JSON object text.
  virtual std::string status_json() = 0;

 protected:
  Source() = default;
};

}  // namespace procflow
