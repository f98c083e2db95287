#include "ebpf_rows.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>

#include "clock.h"
#include "flow_cookie.h"

namespace procflow {
namespace {

constexpr int kTcpFinWait1 = 4;  // include/net/tcp_states.h
constexpr int kTcpFinWait2 = 5;
constexpr int kTcpListen = 10;
constexpr std::uint32_t kEce = 0x40, kCwr = 0x80;  // RFC 3168
constexpr std::size_t kMaxUsers = 64;
constexpr std::uint64_t kIdleShareNs = 120'000'000'000;

double mono_to_boot_ns(std::uint64_t mono_ns) {
  if (mono_ns == 0) return 0;
  return static_cast<double>(mono_ns) + static_cast<double>(boot_ns()) - static_cast<double>(clock_ns(CLOCK_MONOTONIC));
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

void add_user(std::vector<SocketUser>& users, const pf_process_ref& closer, const SocketUser& user) {
  if (user.process.pid == 0 || user.process.start_ns == closer.start_ns || users.size() == kMaxUsers) return;
  for (const SocketUser& other : users)
    if (other.process.start_ns == user.process.start_ns) return;
  users.push_back(user);
}

}  // namespace

std::vector<SocketUser> EbpfRows::socket(const pf_socket_record& record, std::uint32_t extra_flags, BatchBuilder& out) {
  const pf_socket& s = record.socket;
  const std::uint64_t key = flow_cookie(s);
  add_socket_row(record, extra_flags, out);
  if (!is_idle_slot(s.slot))
    traffic(row_cookie(key), s.netns, s.protocol, address_of(s.local), s.slot, static_cast<double>(record.time_ns), false, out);

  if ((s.flags & PF_SOCK_SHARES) != 0) shared_sockets_[key] = {s.netns, s.protocol, address_of(s.local)};
  std::vector<SocketUser> users;
  if (record.kind != PF_SOCKET_ENDED) return users;
  add_user(users, s.closer, {s.opener, s.opener_window});
  if (!is_idle_slot(s.slot)) add_user(users, s.closer, {s.slot.mover, s.slot.window});
  for (const ShareTable::Share& each : shares_.take(key)) {
    share(each, static_cast<double>(record.time_ns), out);
    add_user(users, s.closer, {each.traffic.mover, each.traffic.window});
  }
  shared_sockets_.erase(key);
  return users;
}

void EbpfRows::add_socket_row(const pf_socket_record& record, std::uint32_t extra_flags, BatchBuilder& out) {
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
  const bool is_tcp = s.protocol == IPPROTO_TCP && s.family != AF_PACKET;
  const bool left_out = is_tcp && s.type == SOCK_STREAM && !messages_of_tcp_.saw_all(s.messages_epoch, record.time_ns);
  if (!messages_counted_ || left_out)
    row.flags &= ~PF_SOCKET_FLAG_MESSAGES_COUNTED;
  if (tcp.has_tcp != 0 && row.state != kTcpListen) row.flags |= PF_SOCKET_FLAG_HAS_TCP;
  row.timeNs = static_cast<double>(record.time_ns);
  row.cookie = row_cookie(flow_cookie(s));
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
  if (is_tcp && s.tcp_flags != 0) add_tcp_flags(record, row);
  out.add(row);

  for (const pf_process_ref* who : {&s.last, &record.holder, &s.opener, &s.creator, &s.closer}) {
    if (who->pid == 0) continue;
    netns_.ensure(s.netns, static_cast<pid_t>(who->pid));
    break;
  }
}

void EbpfRows::add_tcp_flags(const pf_socket_record& record, SocketRow& row) const {
  const pf_socket& s = record.socket;
  std::uint32_t sent = s.tcp_flags & 0xff, received = s.tcp_flags >> 8 & 0xff;
  bool all = packets_.saw_all(s.packets_epoch, record.time_ns);
  if (all && (s.flags & PF_SOCK_PASSIVE) != 0) {
    // The kernel shows the handshake of an accepted connection at the listener. What it was is known.
    sent |= TH_SYN | TH_ACK;
    received |= TH_SYN | TH_ACK;
    if ((record.tcp.has_tcp & PF_TCP_ECN) != 0) {
      sent |= kEce;
      received |= kEce | kCwr;
    }
  }
  // It goes out when the socket has ended.
  if ((s.flags & PF_SOCK_RESET_SENT) != 0) sent |= TH_RST;
  // A connection that this end closed first may end before the other's FIN comes: that one comes to TIME_WAIT.
  const auto from = record.tcp.from_state;
  if (record.kind == PF_SOCKET_ENDED && (from == kTcpFinWait1 || from == kTcpFinWait2) &&
      (received & (TH_FIN | TH_RST)) == 0)
    all = false;
  row.flags |= PF_SOCKET_FLAG_TCP_FLAGS | (all ? 0 : PF_SOCKET_FLAG_TCP_FLAGS_PART);
  row.sentTcpFlags = static_cast<std::uint8_t>(sent);
  row.receivedTcpFlags = static_cast<std::uint8_t>(received);
}

void EbpfRows::traffic(double cookie, std::uint64_t netns, std::uint16_t protocol, const Address& local,
                       const pf_traffic& t, double time_ns, bool final, BatchBuilder& out) {
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
    netns_.ensure(netns, static_cast<pid_t>(t.mover.pid));
    if (netns_.source_address(netns, row.peerAddress, source, mtu)) row.localAddress = source;
  }
  out.add(row);
}

void EbpfRows::share(const ShareTable::Share& each, double time_ns, BatchBuilder& out) {
  // Without its socket a share says little, and the next poll brings the socket.
  const auto known = shared_sockets_.find(each.key.cookie);
  if (known == shared_sockets_.end() && !each.final) return;
  const Shared socket = known == shared_sockets_.end() ? Shared{} : known->second;
  traffic(row_cookie(each.key.cookie), socket.netns, socket.protocol, socket.local, each.traffic, time_ns,
          each.final, out);
}

void EbpfRows::new_share(const pf_traffic_record& record, BatchBuilder& out) {
  shared_sockets_[record.key.cookie] = {record.netns, record.protocol, address_of(record.local)};
  if (shares_.add(record.key)) share({record.key, record.traffic, false}, static_cast<double>(record.time_ns), out);
}

void EbpfRows::poll_shares(BatchBuilder& out) {
  const std::uint64_t now = boot_ns();
  for (const ShareTable::Share& each : shares_.poll(now > kIdleShareNs ? now - kIdleShareNs : 0))
    share(each, static_cast<double>(now), out);
}

}  // namespace procflow
