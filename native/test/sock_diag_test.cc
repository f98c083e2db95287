#include "../src/sock_diag.h"

#include <linux/if_ether.h>

#include <map>
#include <thread>

#include "../src/netns.h"
#include "children.h"

namespace procflow::test {
namespace {

std::map<std::uint64_t, DiagSocket> dump(SockDiag& diag, DiagTable table, pid_t pid = getpid()) {
  std::map<std::uint64_t, DiagSocket> sockets;
  bool complete = false;
  const auto error = diag.dump(table, pid, [&](const DiagSocket& socket) { sockets[socket.inode] = socket; }, complete);
  if (error) throw std::runtime_error(error.text());
  return sockets;
}

struct Opened {
  SockDiag diag;
  Opened() { REQUIRE(!diag.open(own_netns(), getpid())); }
};

TEST("TCP counters are exact to the byte, also after a FIN") {
  Opened opened;
  const auto overflows = time_wait_overflows();
  auto connection = connected();
  constexpr std::size_t kSent = 1000123, kBack = 777;
  {
    const std::jthread reader([&] {
      receive_all(connection.server.get(), kSent);
      send_all(connection.server.get(), kBack);
    });
    send_all(connection.client.get(), kSent);
  }
  receive_all(connection.client.get(), kBack);
  auto sockets = dump(opened.diag, DiagTable::kTcp4);
  REQUIRE(sockets.contains(socket_inode(connection.client.get())));
  REQUIRE(sockets.contains(socket_inode(connection.server.get())));
  REQUIRE(sockets.contains(socket_inode(connection.listener.get())));
  DiagSocket client = sockets[socket_inode(connection.client.get())];
  DiagSocket server = sockets[socket_inode(connection.server.get())];
  CHECK(client.has_tcp && server.has_tcp);
  CHECK_EQ(client.tcp.bytes_sent - client.tcp.bytes_retransmitted, kSent);
  CHECK_EQ(client.tcp.bytes_received, kBack);
  CHECK_EQ(server.tcp.bytes_received, kSent);
  CHECK_EQ(server.tcp.bytes_sent - server.tcp.bytes_retransmitted, kBack);
  CHECK_EQ(client.state, 1);
  CHECK_EQ(client.remote_port, connection.port);
  CHECK(client.remote == ipv4("127.0.0.1"));
  CHECK_EQ(client.uid, getuid());
  CHECK(client.cookie != 0 && client.cookie != server.cookie);
  CHECK(client.tcp.rtt_us > 0 && client.tcp.segments_out > 10);
  CHECK_EQ(sockets[socket_inode(connection.listener.get())].state, 10);

  // Half closed: the server has the client's FIN, and one more byte in the kernel's count.
  shutdown(connection.client.get(), SHUT_WR);
  char byte;
  CHECK_EQ(recv(connection.server.get(), &byte, 1, 0), 0);
  sockets = dump(opened.diag, DiagTable::kTcp4);
  server = sockets[socket_inode(connection.server.get())];
  CHECK_EQ(server.state, 8);
  CHECK(server.tcp.fin_received);
  CHECK_EQ(server.tcp.bytes_received, kSent);
  CHECK_EQ(server.tcp.unread_bytes, 0u);
  client = sockets[socket_inode(connection.client.get())];
  CHECK_EQ(client.tcp.bytes_sent - client.tcp.bytes_retransmitted, kSent);
  CHECK_EQ(client.tcp.bytes_received, kBack);

  const auto there = opened.diag.look_up(server);
  CHECK(there.presence == SockDiag::Presence::kThere);
  connection.server.reset();
  const auto gone = opened.diag.look_up(server);
  CHECK(gone.presence == SockDiag::Presence::kGone);
  if (time_wait_overflows() != overflows) SKIP("the TIME_WAIT table is full");
  const auto time_wait = opened.diag.look_up(client, true);
  CHECK_EQ(static_cast<int>(time_wait.presence), static_cast<int>(SockDiag::Presence::kTimeWait));
  CHECK_EQ(static_cast<int>(time_wait.state), 6);
}

TEST("unread bytes do not count the FIN") {
  Opened opened;
  auto connection = connected();
  send_all(connection.client.get(), 500);
  shutdown(connection.client.get(), SHUT_WR);
  const auto sockets = dump(opened.diag, DiagTable::kTcp4);
  const auto& server = sockets.at(socket_inode(connection.server.get()));
  CHECK_EQ(server.tcp.unread_bytes, 500u);
  CHECK_EQ(server.tcp.bytes_received, 500u);
}

TEST("an IPv4 client of an IPv6 listener has mapped addresses; wildcards are zero") {
  Opened opened;
  auto connection = connected(AF_INET6);
  const auto sockets = dump(opened.diag, DiagTable::kTcp6);
  const auto& server = sockets.at(socket_inode(connection.server.get()));
  CHECK(server.local == ipv4("127.0.0.1"));
  CHECK(server.remote == ipv4("127.0.0.1"));
  CHECK_EQ(server.family, AF_INET6);
  CHECK(sockets.at(socket_inode(connection.listener.get())).local == Address{});
  CHECK(opened.diag.look_up(server).presence == SockDiag::Presence::kThere);
}

TEST("UDP, raw, echo and packet sockets are listed") {
  Opened opened;
  OwnedFd unbound(socket(AF_INET, SOCK_DGRAM, 0)), linked(socket(AF_INET6, SOCK_DGRAM, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  REQUIRE(bind(unbound.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
  sockaddr_in6 peer{};
  peer.sin6_family = AF_INET6;
  peer.sin6_port = htons(9999);
  peer.sin6_addr = in6addr_loopback;
  const bool v6 = connect(linked.get(), reinterpret_cast<sockaddr*>(&peer), sizeof peer) == 0;
  const auto udp = dump(opened.diag, DiagTable::kUdp4);
  REQUIRE(udp.contains(socket_inode(unbound.get())));
  CHECK_EQ(udp.at(socket_inode(unbound.get())).state, 7);
  CHECK(udp.at(socket_inode(unbound.get())).local_port != 0);
  if (v6) {
    const auto udp6 = dump(opened.diag, DiagTable::kUdp6);
    REQUIRE(udp6.contains(socket_inode(linked.get())));
    CHECK_EQ(udp6.at(socket_inode(linked.get())).state, 1);
    CHECK(udp6.at(socket_inode(linked.get())).remote == ipv6("::1"));
    CHECK_EQ(udp6.at(socket_inode(linked.get())).remote_port, 9999);
  }
  OwnedFd raw(socket(AF_INET, SOCK_RAW, 253)), raw6(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
  if (!raw) SKIP("raw sockets need CAP_NET_RAW");
  const auto raws = dump(opened.diag, DiagTable::kRaw4);
  REQUIRE(raws.contains(socket_inode(raw.get())));
  CHECK_EQ(raws.at(socket_inode(raw.get())).protocol, 253);
  CHECK_EQ(raws.at(socket_inode(raw.get())).local_port, 0);
  CHECK(raws.at(socket_inode(raw.get())).cookie != 0);
  if (raw6) CHECK_EQ(dump(opened.diag, DiagTable::kRaw6).at(socket_inode(raw6.get())).protocol, IPPROTO_ICMPV6);
  OwnedFd packet(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)));
  if (packet) {
    const auto packets = dump(opened.diag, DiagTable::kPacket);
    REQUIRE(packets.contains(socket_inode(packet.get())));
    CHECK_EQ(packets.at(socket_inode(packet.get())).protocol, 0);
    CHECK_EQ(packets.at(socket_inode(packet.get())).family, AF_PACKET);
    CHECK_EQ(packets.at(socket_inode(packet.get())).type, SOCK_DGRAM);
  }
  OwnedFd echo(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
  if (echo) {
    sockaddr_in loopback{};
    loopback.sin_family = AF_INET;
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(echo.get(), reinterpret_cast<sockaddr*>(&loopback), sizeof loopback) == 0);
    const auto echoes = dump(opened.diag, DiagTable::kEcho4);
    REQUIRE(echoes.contains(socket_inode(echo.get())));
    CHECK_EQ(echoes.at(socket_inode(echo.get())).protocol, IPPROTO_ICMP);
  }
}

TEST("sockets of another namespace are seen from here") {
  int ports[2];
  REQUIRE(pipe(ports) == 0);
  Child child([&] {
    if (!enter_new_netns()) return;
    loopback_up();
    std::uint16_t port = 0;
    const int listener = listen_on(AF_INET, port).release();
    (void)listener;
    (void)!write(ports[1], &port, sizeof port);
  });
  const auto netns = netns_inode(child.pid());
  if (netns == own_netns()) SKIP("cannot make a network namespace");
  std::uint16_t port = 0;
  (void)!read(ports[0], &port, sizeof port);
  SockDiag diag;
  CHECK_EQ(diag.open(netns, getpid()).code, ESTALE);
  REQUIRE(!diag.open(netns, child.pid()));
  const auto sockets = dump(diag, DiagTable::kTcp4, child.pid());
  REQUIRE(sockets.size() == 1);
  CHECK_EQ(sockets.begin()->second.local_port, port);
  CHECK_EQ(own_netns(), netns_inode(getpid()));
  close(ports[0]);
  close(ports[1]);
}

TEST("the kernel tells of ended sockets with their last counters") {
  SockDiag diag;
  std::vector<DiagSocket> ended;
  REQUIRE(!diag.open(own_netns(), getpid()));
  REQUIRE(!diag.watch_ends(own_netns(), getpid(), [&](const DiagSocket& socket) { ended.push_back(socket); }));
  auto connection = connected();
  send_all(connection.client.get(), 4321);
  receive_all(connection.server.get(), 4321);
  connection.client.reset();
  connection.server.reset();
  const auto seen = [&] {
    return std::count_if(ended.begin(), ended.end(), [&](const DiagSocket& socket) {
      return socket.local_port == connection.port || socket.remote_port == connection.port;
    });
  };
  for (int i = 0; i < 200 && seen() < 2; i++) {
    CHECK(!diag.drain_ends());
    usleep(1000);
  }
  REQUIRE(seen() == 2);
  for (const auto& socket : ended) {
    if (socket.remote_port == connection.port) CHECK_EQ(socket.tcp.bytes_sent - socket.tcp.bytes_retransmitted, 4321u);
    if (socket.local_port == connection.port) CHECK_EQ(socket.tcp.bytes_received, 4322u);  // with the FIN
  }
}

TEST("thousands of sockets are read in pieces") {
  Opened opened;
  std::uint16_t port = 0;
  const OwnedFd listener = listen_on(AF_INET, port);
  std::vector<OwnedFd> ends;
  for (int i = 0; i < 4000; i++) {
    ends.push_back(connect_to(port));
    ends.push_back(OwnedFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    if (!ends.back()) break;
  }
  const auto sockets = dump(opened.diag, DiagTable::kTcp4);
  std::size_t found = 0;
  for (const OwnedFd& end : ends) found += sockets.contains(socket_inode(end.get())) ? 1 : 0;
  CHECK_EQ(found, ends.size());
}

}  // namespace
}  // namespace procflow::test
