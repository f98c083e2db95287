// The sockets of a network namespace with their counters, from the kernel's socket diagnostics.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "batch.h"
#include "netlink.h"
#include "proc_files.h"

namespace procflow {

// struct tcp_info, the part we use. All zero where the kernel has no such counter.
struct TcpCounters {
  std::uint64_t bytes_sent = 0;  // payload, retransmissions included
  std::uint64_t bytes_retransmitted = 0;
  std::uint64_t bytes_received = 0;  // payload: the FIN, which the kernel counts as a byte, is taken off
  std::uint64_t bytes_acked = 0;     // as the kernel has it: SYN and FIN count
  std::uint32_t segments_out = 0, segments_in = 0;
  std::uint32_t data_segments_out = 0, data_segments_in = 0;
  std::uint32_t retransmits = 0;
  std::uint32_t rtt_us = 0, min_rtt_us = 0;
  std::uint32_t unsent_bytes = 0, unread_bytes = 0;  // payload
  std::uint32_t since_sent_ms = 0, since_received_ms = 0;
  bool timestamps = false;  // the TCP option: 12 bytes more in each header
  bool fin_received = false;
};

struct DiagSocket {
  std::uint64_t cookie = 0;
  std::uint64_t inode = 0;  // of the descriptor; 0 when no process has it any more
  std::uint32_t uid = 0;
  std::uint8_t family = 0;  // AF_INET, AF_INET6, AF_PACKET
  std::uint8_t type = 0;    // SOCK_STREAM, SOCK_DGRAM, SOCK_RAW
  std::uint8_t state = 0;   // TCP states; other protocols: 1 connected, 7 not
  std::uint16_t protocol = 0;
  std::uint32_t interface_index = 0;
  Address local{}, remote{};
  std::uint16_t local_port = 0, remote_port = 0;  // echo sockets: the identifier is the local port
  std::uint32_t receive_queue = 0, send_queue = 0;
  bool has_tcp = false;
  TcpCounters tcp;
};

enum class DiagTable : std::uint8_t { kTcp4, kTcp6, kUdp4, kUdp6, kRaw4, kRaw6, kEcho4, kEcho6, kPacket };
inline constexpr DiagTable kDiagTables[] = {DiagTable::kTcp4, DiagTable::kTcp6,  DiagTable::kUdp4,
                                            DiagTable::kUdp6, DiagTable::kRaw4,  DiagTable::kRaw6,
                                            DiagTable::kEcho4, DiagTable::kEcho6, DiagTable::kPacket};
const char* name_of(DiagTable table);

// Cookies of sockets that came from a kernel without diagnostics for their table: this and the inode.
inline constexpr std::uint64_t kInodeCookie = std::uint64_t{1} << 52;

class SockDiag {
 public:
  using OnSocket = std::function<void(const DiagSocket&)>;
  enum class Presence : std::uint8_t { kUnknown, kThere, kTimeWait, kGone };
  struct Lookup {
    Presence presence = Presence::kUnknown;
    std::uint8_t state = 0;  // of what kTimeWait names: 5 (FIN_WAIT2) until the peer's FIN comes, then 6
  };

  SockDiag() = default;

  // Opens the diagnostics of a namespace through a process that is in it. Other namespaces need CAP_SYS_ADMIN.
  SystemError open(std::uint64_t netns, pid_t pid);
  void close() {
    netlink_.close();
    ends_.close();
  }
  bool is_open() const { return netlink_.is_open(); }

  // Hands over each socket of a table; half-open and TIME_WAIT ones, which no process has, are left out.
  // `complete` is false when the table changed in the middle, so that a socket may be missing.
  // Errors: ENOENT when the kernel has no diagnostics for this table. RAW and echo sockets, and PACKET where need be,
  // are then read from /proc/PID/net of the process given.
  SystemError dump(DiagTable table, pid_t pid, const OnSocket& on_socket, bool& complete);

  // Asks for one TCP socket by its addresses; dumps can miss one while the table changes. `any_cookie` also finds what
  // has taken its place, as TIME_WAIT does.
  Lookup look_up(const DiagSocket& tcp_socket, bool any_cookie = false);

  // From now on the kernel tells of each TCP socket of the namespace that is destroyed, with its last counters.
  // (bytes_received then holds the FIN, if one came, as the state is lost.) `drain_ends` hands over what was told;
  // ENOBUFS is its error when some were lost. `on_end` must not use netlink.
  SystemError watch_ends(std::uint64_t netns, pid_t pid, OnSocket on_end);
  SystemError drain_ends();

 private:
  SystemError dump_inet(DiagTable table, const OnSocket& on_socket, bool& complete);
  SystemError dump_packet(const OnSocket& on_socket, bool& complete);

  Netlink netlink_;
  Netlink ends_;
};

}  // namespace procflow
