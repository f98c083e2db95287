#include "sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "netns.h"

namespace procflow {
namespace {

// include/net/tcp_states.h
constexpr std::uint8_t kEstablished = 1, kSynReceived = 3, kFinWait1 = 4, kTimeWait = 6, kClose = 7, kCloseWait = 8,
                       kLastAck = 9, kListen = 10, kClosing = 11, kNewSynReceived = 12;
constexpr std::uint32_t kDumpedTcpStates =
    0xfffu & ~(1u << kSynReceived | 1u << kTimeWait | 1u << kNewSynReceived | 1u << 0);

constexpr int kEndsBufferBytes = 4 << 20;

struct TableInfo {
  const char* name;
  std::uint8_t family;
  std::uint8_t type;
  std::uint16_t protocol;
  const char* proc_file;  // what the kernel has where it lacks the diagnostics
};

const TableInfo& info_of(DiagTable table) {
  static constexpr TableInfo kInfo[] = {
      {"tcp", AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr},
      {"tcp6", AF_INET6, SOCK_STREAM, IPPROTO_TCP, nullptr},
      {"udp", AF_INET, SOCK_DGRAM, IPPROTO_UDP, nullptr},
      {"udp6", AF_INET6, SOCK_DGRAM, IPPROTO_UDP, nullptr},
      {"raw", AF_INET, SOCK_RAW, IPPROTO_RAW, "raw"},
      {"raw6", AF_INET6, SOCK_RAW, IPPROTO_RAW, "raw6"},
      {"icmp", AF_INET, SOCK_DGRAM, IPPROTO_ICMP, "icmp"},
      {"icmp6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, "icmp6"},
      {"packet", AF_PACKET, SOCK_RAW, 0, "packet"},
  };
  return kInfo[static_cast<std::size_t>(table)];
}

// All zero stays all zero: an unspecified IPv4 address is not ::ffff:0.0.0.0.
Address to_address(int family, const void* data) {
  Address address{};
  if (family == AF_INET6) {
    std::memcpy(address.data(), data, 16);
    static constexpr std::uint8_t kMappedAny[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
    if (std::memcmp(address.data(), kMappedAny, 16) == 0) address = {};
  } else if (std::uint32_t v4; std::memcpy(&v4, data, 4), v4 != 0) {
    address[10] = address[11] = 0xff;
    std::memcpy(address.data() + 12, &v4, 4);
  }
  return address;
}

std::uint64_t join_cookie(const std::uint32_t (&cookie)[2]) {
  return static_cast<std::uint64_t>(cookie[1]) << 32 | cookie[0];
}

bool had_fin(std::uint8_t state) {
  return state == kCloseWait || state == kLastAck || state == kClosing || state == kTimeWait;
}

// The kernel's struct may be shorter or longer than ours: what it lacks stays zero.
void read_tcp_info(const std::uint8_t* data, std::size_t length, const inet_diag_msg& message, TcpCounters& tcp) {
  tcp_info info{};
  std::memcpy(&info, data, std::min(length, sizeof info));
  const std::uint8_t state = info.tcpi_state;
  tcp.bytes_sent = info.tcpi_bytes_sent;
  if (length < offsetof(tcp_info, tcpi_bytes_retrans) + 8 && info.tcpi_bytes_acked > 0)
    tcp.bytes_sent = info.tcpi_bytes_acked;  // before Linux 4.19: what was acknowledged, SYN and FIN included
  tcp.bytes_retransmitted = info.tcpi_bytes_retrans;
  tcp.bytes_acked = info.tcpi_bytes_acked;
  tcp.fin_received = had_fin(state);
  tcp.bytes_received = info.tcpi_bytes_received;
  if (tcp.fin_received && tcp.bytes_received > 0) tcp.bytes_received--;
  tcp.segments_out = info.tcpi_segs_out;
  tcp.segments_in = info.tcpi_segs_in;
  tcp.data_segments_out = info.tcpi_data_segs_out;
  tcp.data_segments_in = info.tcpi_data_segs_in;
  tcp.retransmits = info.tcpi_total_retrans;
  tcp.rtt_us = info.tcpi_rtt;
  tcp.min_rtt_us = info.tcpi_min_rtt == ~0u ? 0 : info.tcpi_min_rtt;
  // Our FIN waits in the send queue behind unsent bytes; the peer's FIN in the receive queue until it is read.
  const bool fin_sent = state == kFinWait1 || state == kLastAck || state == kClosing;
  tcp.unsent_bytes = info.tcpi_notsent_bytes - (fin_sent && info.tcpi_notsent_bytes > 0 ? 1 : 0);
  if (state != kListen)
    tcp.unread_bytes = message.idiag_rqueue - (tcp.fin_received && message.idiag_rqueue > 0 ? 1 : 0);
  tcp.since_sent_ms = info.tcpi_last_data_sent;
  tcp.since_received_ms = info.tcpi_last_data_recv;
  tcp.timestamps = (info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0;
}

bool read_inet(const nlmsghdr& header, const TableInfo& table, DiagSocket& socket) {
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) return false;
  const auto& message = *static_cast<const inet_diag_msg*>(NLMSG_DATA(&header));
  socket.cookie = join_cookie(message.id.idiag_cookie);
  socket.inode = message.idiag_inode;
  socket.uid = message.idiag_uid;
  socket.family = message.idiag_family;
  socket.type = table.type;
  socket.protocol = table.protocol;
  socket.state = message.idiag_state;
  socket.interface_index = message.id.idiag_if;
  socket.local = to_address(message.idiag_family, message.id.idiag_src);
  socket.remote = to_address(message.idiag_family, message.id.idiag_dst);
  socket.local_port = ntohs(message.id.idiag_sport);
  socket.remote_port = ntohs(message.id.idiag_dport);
  socket.receive_queue = message.idiag_rqueue;
  socket.send_queue = message.idiag_wqueue;
  const auto visit = [&](std::uint16_t type, const std::uint8_t* data, std::size_t length) {
    if (type != INET_DIAG_INFO || table.protocol != IPPROTO_TCP || length == 0) return;
    socket.has_tcp = true;
    read_tcp_info(data, length, message, socket.tcp);
  };
  for_each_attribute(&message + 1, header.nlmsg_len - NLMSG_LENGTH(sizeof message), visit);
  if (table.protocol == IPPROTO_TCP) return socket.has_tcp || socket.state == kListen;  // else it is in TIME_WAIT
  if (table.type == SOCK_RAW) {
    socket.protocol = socket.local_port;  // the kernel keeps the protocol where others have the port
    socket.local_port = 0;
  }
  if (socket.state != kEstablished) socket.state = kClose;
  return true;
}

struct InetRequest {
  nlmsghdr header;
  inet_diag_req_v2 body;
};

InetRequest inet_request(const TableInfo& table, std::uint16_t flags) {
  InetRequest request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  request.body.sdiag_family = table.family;
  request.body.sdiag_protocol = static_cast<std::uint8_t>(table.protocol);
  request.body.idiag_states = 0xfff;
  if (table.protocol == IPPROTO_TCP) {
    request.body.idiag_states = kDumpedTcpStates;
    request.body.idiag_ext = 1 << (INET_DIAG_INFO - 1);
  }
  return request;
}

bool parse_hex(std::string_view token, std::uint64_t& value) {
  return std::from_chars(token.data(), token.data() + token.size(), value, 16).ec == std::errc{};
}

// "0100007F:0035": the address in words of host order, the port as a number.
bool parse_endpoint(std::string_view token, int family, Address& address, std::uint16_t& port) {
  const std::size_t digits = family == AF_INET ? 8 : 32;
  if (token.size() < digits + 2 || token[digits] != ':') return false;
  std::uint32_t words[4] = {};
  for (std::size_t i = 0; i < digits / 8; i++) {
    std::uint64_t word = 0;
    if (!parse_hex(token.substr(i * 8, 8), word)) return false;
    words[i] = static_cast<std::uint32_t>(word);
  }
  std::uint64_t number = 0;
  if (!parse_hex(token.substr(digits + 1), number)) return false;
  address = to_address(family, words);
  port = static_cast<std::uint16_t>(number);
  return true;
}

std::size_t split(std::string_view line, std::string_view* tokens, std::size_t limit) {
  std::size_t count = 0;
  while (count < limit) {
    const auto start = line.find_first_not_of(" \t\n");
    if (start == std::string_view::npos) break;
    line.remove_prefix(start);
    const std::string_view token = line.substr(0, line.find_first_of(" \t\n"));
    tokens[count++] = token;
    line.remove_prefix(token.size());
  }
  return count;
}

// sl local remote state tx:rx tr:when retransmits uid timeout inode ref pointer drops
bool parse_inet_line(std::string_view line, const TableInfo& table, DiagSocket& socket) {
  std::string_view tokens[10];
  if (split(line, tokens, 10) < 10) return false;
  std::uint64_t state = 0;
  if (!parse_endpoint(tokens[1], table.family, socket.local, socket.local_port) ||
      !parse_endpoint(tokens[2], table.family, socket.remote, socket.remote_port) || !parse_hex(tokens[3], state))
    return false;
  std::from_chars(tokens[7].data(), tokens[7].data() + tokens[7].size(), socket.uid);
  std::from_chars(tokens[9].data(), tokens[9].data() + tokens[9].size(), socket.inode);
  socket.family = table.family;
  socket.type = table.type;
  socket.protocol = table.protocol;
  socket.state = state == kEstablished ? kEstablished : kClose;
  if (table.type == SOCK_RAW) {
    socket.protocol = socket.local_port;
    socket.local_port = 0;
  }
  return true;
}

// pointer references type protocol interface running memory user inode
bool parse_packet_line(std::string_view line, DiagSocket& socket) {
  std::string_view tokens[9];
  if (split(line, tokens, 9) < 9) return false;
  const auto decimal = [](std::string_view token, auto& value) {
    std::from_chars(token.data(), token.data() + token.size(), value);
  };
  decimal(tokens[2], socket.type);
  decimal(tokens[4], socket.interface_index);
  decimal(tokens[7], socket.uid);
  decimal(tokens[8], socket.inode);
  socket.family = AF_PACKET;
  socket.state = kClose;
  return socket.type != 0;
}

SystemError dump_proc_file(const TableInfo& table, pid_t pid, const SockDiag::OnSocket& on_socket) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/net/%s", pid, table.proc_file);
  const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path, "re"), fclose);
  if (!file) return {errno, "open a table of /proc/PID/net"};
  char line[512];
  bool heading = true;
  while (fgets(line, sizeof line, file.get()) != nullptr) {
    if (std::exchange(heading, false)) continue;
    DiagSocket socket;
    const bool parsed = table.family == AF_PACKET ? parse_packet_line(line, socket)
                                                  : parse_inet_line(line, table, socket);
    if (!parsed || socket.inode == 0) continue;
    socket.cookie = kInodeCookie + socket.inode;
    on_socket(socket);
  }
  return ferror(file.get()) != 0 ? SystemError{EIO, "read a table of /proc/PID/net"} : SystemError{};
}

}  // namespace

const char* name_of(DiagTable table) { return info_of(table).name; }

SystemError SockDiag::open(std::uint64_t netns, pid_t pid) {
  OwnedFd made;
  const SystemError error = socket_in_netns(netns, netns_path(pid), AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG, made);
  return error ? error : netlink_.open(std::move(made), 0);
}

SystemError SockDiag::dump(DiagTable table, pid_t pid, const OnSocket& on_socket, bool& complete) {
  complete = true;
  const TableInfo& info = info_of(table);
  SystemError error{ENOENT, "ask netlink"};
  // Echo sockets have no diagnostics in any kernel.
  if (table == DiagTable::kPacket)
    error = dump_packet(on_socket, complete);
  else if (table != DiagTable::kEcho4 && table != DiagTable::kEcho6)
    error = dump_inet(table, on_socket, complete);
  if ((error.code == ENOENT || error.code == EINVAL) && info.proc_file != nullptr)
    error = dump_proc_file(info, pid, on_socket);
  if (error) complete = false;
  return error;
}

SystemError SockDiag::dump_inet(DiagTable table, const OnSocket& on_socket, bool& complete) {
  const TableInfo& info = info_of(table);
  InetRequest request = inet_request(info, NLM_F_DUMP);
  bool interrupted = false;
  const auto on_message = [&](const nlmsghdr& message) {
    if (DiagSocket socket; read_inet(message, info, socket)) on_socket(socket);
  };
  const SystemError error = netlink_.exchange(request.header, on_message, &interrupted);
  complete = !interrupted;
  return error;
}

SystemError SockDiag::dump_packet(const OnSocket& on_socket, bool& complete) {
  struct {
    nlmsghdr header;
    packet_diag_req body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = AF_PACKET;
  request.body.pdiag_show = PACKET_SHOW_INFO;
  bool interrupted = false;
  const auto on_message = [&](const nlmsghdr& header) {
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len < NLMSG_LENGTH(sizeof(packet_diag_msg))) return;
    const auto& message = *static_cast<const packet_diag_msg*>(NLMSG_DATA(&header));
    DiagSocket socket;
    socket.cookie = join_cookie(message.pdiag_cookie);
    socket.inode = message.pdiag_ino;
    socket.family = AF_PACKET;
    socket.type = message.pdiag_type;
    socket.state = kClose;
    for_each_attribute(&message + 1, header.nlmsg_len - NLMSG_LENGTH(sizeof message),
                       [&](std::uint16_t type, const std::uint8_t* data, std::size_t length) {
                         if (type == PACKET_DIAG_UID && length >= 4) std::memcpy(&socket.uid, data, 4);
                         if (type == PACKET_DIAG_INFO && length >= sizeof(packet_diag_info))
                           std::memcpy(&socket.interface_index, data, 4);  // pdi_index
                       });
    on_socket(socket);
  };
  const SystemError error = netlink_.exchange(request.header, on_message, &interrupted);
  complete = !interrupted;
  return error;
}

SystemError SockDiag::watch_ends(std::uint64_t netns, pid_t pid, OnSocket on_end) {
  OwnedFd made;
  SystemError error =
      socket_in_netns(netns, netns_path(pid), AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK, NETLINK_SOCK_DIAG, made);
  if (error) return error;
  // What does not fit is lost and counted. The forced size needs CAP_NET_ADMIN.
  if (setsockopt(made.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kEndsBufferBytes, sizeof kEndsBufferBytes) != 0)
    setsockopt(made.get(), SOL_SOCKET, SO_RCVBUF, &kEndsBufferBytes, sizeof kEndsBufferBytes);
  constexpr std::uint32_t kGroups = 1u << (SKNLGRP_INET_TCP_DESTROY - 1) | 1u << (SKNLGRP_INET6_TCP_DESTROY - 1);
  error = ends_.open(std::move(made), kGroups);
  if (error) return error;
  ends_.on_event = [on_end = std::move(on_end)](const nlmsghdr& message) {
    const TableInfo& table = info_of(DiagTable::kTcp4);
    if (DiagSocket socket; read_inet(message, table, socket)) on_end(socket);
  };
  return {};
}

SystemError SockDiag::drain_ends() { return ends_.is_open() ? ends_.drain() : SystemError{}; }

SockDiag::Lookup SockDiag::look_up(const DiagSocket& socket, bool any_cookie) {
  const TableInfo& info = info_of(socket.family == AF_INET ? DiagTable::kTcp4 : DiagTable::kTcp6);
  InetRequest request = inet_request(info, 0);
  auto& id = request.body.id;
  id.idiag_sport = htons(socket.local_port);
  id.idiag_dport = htons(socket.remote_port);
  const std::size_t skip = socket.family == AF_INET ? 12 : 0;
  std::memcpy(id.idiag_src, socket.local.data() + skip, 16 - skip);
  std::memcpy(id.idiag_dst, socket.remote.data() + skip, 16 - skip);
  id.idiag_if = socket.interface_index;
  id.idiag_cookie[0] = any_cookie ? INET_DIAG_NOCOOKIE : static_cast<std::uint32_t>(socket.cookie);
  id.idiag_cookie[1] = any_cookie ? INET_DIAG_NOCOOKIE : static_cast<std::uint32_t>(socket.cookie >> 32);
  Lookup answer;
  const auto on_message = [&](const nlmsghdr& message) {
    DiagSocket found;
    answer.presence = read_inet(message, info, found) ? Presence::kThere : Presence::kTimeWait;
    answer.state = found.state;
  };
  const SystemError error = netlink_.exchange(request.header, on_message);
  if (error.code == ENOENT || error.code == ESTALE) answer.presence = Presence::kGone;
  return answer;
}

}  // namespace procflow
