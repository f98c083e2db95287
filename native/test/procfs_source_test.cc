#include "../src/procfs_source.h"

#include <sys/resource.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "batch_reader.h"
#include "children.h"

namespace procflow::test {
namespace {

SourceOptions options() {
  SourceOptions made;
  made.poll_interval_ms = 10;
  made.filter.own_traffic = true;  // the sockets of these tests are this process's own
  return made;
}

// Drives a source poll by poll, and keeps all rows.
struct Driven {
  ProcfsSource source;
  BatchBuilder out;
  std::vector<SocketRow> sockets;
  std::vector<ProcessRow> processes;
  std::vector<std::string> names, arguments, executables;
  std::vector<AddressRow> addresses;
  std::vector<UsageRow> usage;

  explicit Driven(SourceOptions with = options()) : source(with) { poll(); }

  void take_rows() {
    const Batch batch = take(out);
    sockets.insert(sockets.end(), batch.socket.begin(), batch.socket.end());
    addresses.insert(addresses.end(), batch.address.begin(), batch.address.end());
    usage.insert(usage.end(), batch.usage.begin(), batch.usage.end());
    for (const ProcessRow& row : batch.process) {
      processes.push_back(row);
      names.push_back(batch.text(row.name));
      arguments.push_back(batch.text(row.arguments));
      executables.push_back(batch.text(row.executable));
    }
  }

  // One whole poll.
  void poll() {
    for (const std::string before = polls(); polls() == before; take_rows())
      if (!source.collect(out)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  std::string polls() {
    const std::string status = source.status_json();
    const auto at = status.find("\"polls\":");
    return status.substr(at, status.find(',', at) - at);
  }

  std::vector<SocketRow> rows_of(double cookie) const {
    std::vector<SocketRow> found;
    std::copy_if(sockets.begin(), sockets.end(), std::back_inserter(found),
                 [&](const SocketRow& row) { return row.cookie == cookie; });
    return found;
  }

  std::optional<SocketRow> last(std::uint16_t local, std::uint16_t remote) const {
    for (auto row = sockets.rbegin(); row != sockets.rend(); ++row)
      if (row->protocol == IPPROTO_TCP && (local == 0 || row->localPort == local) && row->remotePort == remote)
        return *row;
    return std::nullopt;
  }

  std::optional<std::size_t> process_event(pid_t pid, std::uint8_t kind) const {
    for (std::size_t i = 0; i < processes.size(); i++)
      if (processes[i].pid == static_cast<std::uint32_t>(pid) && processes[i].kind == kind) return i;
    return std::nullopt;
  }
};

TEST("processes are seen, forked, executed and gone") {
  Driven driven;
  const auto self = driven.process_event(getpid(), 0);
  REQUIRE(self);
  CHECK(driven.processes[*self].startNs > 0);
  CHECK_EQ(driven.processes[*self].uid, getuid());

  Child child("/bin/sh", {"sh", "-c", "read x < /dev/null; sleep 0.15; exec sleep 1000"});
  driven.poll();
  const auto fork = driven.process_event(child.pid(), 1);
  REQUIRE(fork);
  CHECK_EQ(driven.names[*fork], "sh");
  CHECK_EQ(driven.processes[*fork].parentPid, static_cast<std::uint32_t>(getpid()));
  CHECK_EQ(driven.processes[*fork].parentStartNs, driven.processes[*self].startNs);
  CHECK_EQ(driven.processes[*fork].timeNs, driven.processes[*fork].startNs);
  for (int i = 0; i < 100 && !driven.process_event(child.pid(), 2); i++) driven.poll();
  const auto exec = driven.process_event(child.pid(), 2);
  REQUIRE(exec);
  CHECK_EQ(driven.names[*exec], "sleep");
  CHECK_EQ(driven.arguments[*exec], std::string("sleep\0001000", 10));
  CHECK_EQ(driven.processes[*exec].startNs, driven.processes[*fork].startNs);
  const pid_t pid = child.pid();
  child.end();
  driven.poll();
  const auto exit = driven.process_event(pid, 3);
  REQUIRE(exit);
  CHECK_EQ(driven.processes[*exit].exitCode, -1);
  CHECK_EQ(driven.processes[*exit].startNs, driven.processes[*fork].startNs);
  const auto count = driven.processes.size();
  driven.poll();
  for (std::size_t i = count; i < driven.processes.size(); i++)
    CHECK(driven.processes[i].pid != static_cast<std::uint32_t>(getpid()));
}

TEST("each scan tells what every process has spent") {
  const auto spent_ticks = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto ns = [](const timeval& time) { return 1e9 * static_cast<double>(time.tv_sec) + 1e3 * static_cast<double>(time.tv_usec); };
    return ns(usage.ru_utime) + ns(usage.ru_stime);
  };
  const auto faults = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_minflt);
  };
  Driven driven;
  const double faults_before = faults();
  const double cpu_before = spent_ticks();
  while (spent_ticks() < cpu_before + 50e6) {
  }
  driven.usage.clear();
  driven.poll();
  driven.poll();
  std::size_t processes = 0;
  const UsageRow* own = nullptr;
  for (const UsageRow& row : driven.usage) {
    processes += row.pid == 1 ? 1 : 0;
    if (row.pid == static_cast<std::uint32_t>(getpid())) own = &row;
    CHECK_EQ(int{row.kind}, 0);
    CHECK_EQ(row.cookie, 0.0);
    CHECK((row.flags & PF_USAGE_FLAG_PART) != 0);
    CHECK_EQ(row.cpuNs, row.userNs + row.systemNs);
  }
  CHECK(processes >= 2);
  REQUIRE(own != nullptr);
  CHECK(own->cpuNs >= cpu_before + 30e6);  // two ticks may not have come yet
  CHECK(own->cpuNs <= spent_ticks() + 20e6);
  CHECK(own->minorFaults >= faults_before);
  CHECK(own->minorFaults <= faults());
  CHECK((own->flags & PF_USAGE_FLAG_MEMORY) != 0);
  CHECK(own->memoryBytes > 1e6);
  CHECK(own->threads >= 1);

  SourceOptions without = options();
  without.resources = false;
  CHECK_EQ(Driven(without).usage.size(), 0u);
}

TEST("an exec of the same program is noticed, and a change of user") {
  Driven driven;
  Child same("/bin/sh", {"sh", "-c", "sleep 0.15; exec sh -c 'while :; do sleep 0.05; done'"});
  driven.poll();
  for (int i = 0; i < 100 && !driven.process_event(same.pid(), 2); i++) driven.poll();
  CHECK(driven.process_event(same.pid(), 2));
  if (geteuid() != 0) SKIP("changing the user needs root");
  int change[2];
  REQUIRE(pipe(change) == 0);
  Child user([&] {
    std::thread([&] {
      char byte;
      (void)!read(change[0], &byte, 1);
      (void)!setresuid(4242, 4242, 4242);
    }).detach();
  });
  driven.poll();
  (void)!write(change[1], "g", 1);
  for (int i = 0; i < 100 && !driven.process_event(user.pid(), 4); i++) driven.poll();
  const auto changed = driven.process_event(user.pid(), 4);
  REQUIRE(changed);
  CHECK_EQ(driven.processes[*changed].uid, 4242u);
  close(change[0]);
  close(change[1]);
}

TEST("a connection is opened, updated and ended with exact bytes, both ends held by the right process") {
  Driven driven;
  std::uint16_t port = 0;
  OwnedFd listener = listen_on(AF_INET, port);
  driven.poll();
  const auto listening = driven.last(port, 0);
  REQUIRE(listening);
  CHECK((listening->flags & PF_SOCKET_FLAG_LISTENER) != 0);
  CHECK((listening->flags & PF_SOCKET_FLAG_SEEDED) == 0);

  OwnedFd client = connect_to(port);
  OwnedFd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  // The server's end lives in a child alone.
  Child worker([&] {
    listener.reset();
    client.reset();
  });
  server.reset();
  send_all(client.get(), 100000);
  driven.poll();
  auto client_row = driven.last(0, port);
  REQUIRE(client_row);
  CHECK_EQ(client_row->kind, 1);
  CHECK_EQ(client_row->bytesSent - client_row->bytesRetransmitted + client_row->unsentBytes, 100000.0);
  CHECK_EQ(client_row->holderPid, static_cast<std::uint32_t>(getpid()));
  CHECK((client_row->flags & PF_SOCKET_FLAG_PASSIVE) == 0);
  CHECK((client_row->flags & PF_SOCKET_FLAG_HAS_TCP) != 0);
  CHECK(client_row->headerBytes == 32 || client_row->headerBytes == 20);
  auto server_row = driven.last(port, client_row->localPort);
  REQUIRE(server_row);
  CHECK_EQ(server_row->holderPid, static_cast<std::uint32_t>(worker.pid()));
  CHECK(server_row->holderStartNs > 0);
  CHECK((server_row->flags & PF_SOCKET_FLAG_PASSIVE) != 0);

  usleep(100000);  // the last delayed acknowledgement is a change, too
  driven.poll();
  const auto rows = driven.rows_of(client_row->cookie).size();
  driven.poll();
  CHECK_EQ(driven.rows_of(client_row->cookie).size(), rows);  // nothing changed
  send_all(client.get(), 23);
  driven.poll();
  client_row = driven.last(0, port);
  CHECK_EQ(client_row->kind, 2);

  // More bytes, and the end, between two polls.
  send_all(client.get(), 1000);
  client.reset();
  worker.end();
  for (int i = 0; i < 100 && driven.last(0, port)->kind != 3; i++) driven.poll();
  client_row = driven.last(0, port);
  REQUIRE(client_row->kind == 3);
  CHECK_EQ(client_row->bytesSent - client_row->bytesRetransmitted, 101023.0);
  CHECK_EQ(client_row->state, 7);
  CHECK_EQ(client_row->error, 0);
  for (int i = 0; i < 100 && driven.last(port, client_row->localPort)->kind != 3; i++) driven.poll();
  server_row = driven.last(port, client_row->localPort);
  REQUIRE(server_row->kind == 3);
  CHECK_EQ(server_row->holderPid, static_cast<std::uint32_t>(worker.pid() == 0 ? server_row->holderPid : 0));
}

TEST("connections that live between two polls are told by the kernel, exact and once") {
  auto with = options();
  with.poll_interval_ms = 400;
  Driven driven(with);
  const auto overflows = time_wait_overflows();
  std::uint16_t listener_port = 0;
  OwnedFd listener = listen_on(AF_INET, listener_port);
  driven.poll();
  struct Case {
    const char* name;
    int who;  // closes first: 0 client, 1 server, 2 client half-closes first, 3 client by a reset
    std::uint16_t client_port = 0;
  } cases[] = {{"client first", 0}, {"server first", 1}, {"half close", 2}, {"reset", 3}};
  for (Case& item : cases) {
    OwnedFd client = connect_to(listener_port);
    OwnedFd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    sockaddr_in name{};
    socklen_t size = sizeof name;
    getsockname(client.get(), reinterpret_cast<sockaddr*>(&name), &size);
    item.client_port = ntohs(name.sin_port);
    send_all(client.get(), 3000);
    receive_all(server.get(), 3000);
    send_all(server.get(), 70000);
    receive_all(client.get(), 70000);
    char byte;
    OwnedFd& first = item.who == 1 ? server : client;
    OwnedFd& second = item.who == 1 ? client : server;
    if (item.who == 2) {
      shutdown(client.get(), SHUT_WR);
      CHECK_EQ(recv(server.get(), &byte, 1, 0), 0);
      server.reset();
      CHECK_EQ(recv(client.get(), &byte, 1, 0), 0);
      client.reset();
      continue;
    }
    if (item.who == 3) {
      linger reset{1, 0};
      setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      client.reset();
      server.reset();
      continue;
    }
    first.reset();
    CHECK_EQ(recv(second.get(), &byte, 1, 0), 0);
    second.reset();
  }
  for (int i = 0; i < 3; i++) driven.poll();
  if (time_wait_overflows() != overflows) SKIP("the TIME_WAIT table is full");
  for (const Case& item : cases) {
    std::vector<SocketRow> client, server;
    for (const SocketRow& row : driven.sockets) {
      if (row.localPort == item.client_port && row.remotePort == listener_port) client.push_back(row);
      if (row.localPort == listener_port && row.remotePort == item.client_port) server.push_back(row);
    }
    // A reset on close clears the addresses before the kernel tells of the end.
    const std::size_t client_rows = item.who == 3 ? 0 : 2;
    if (client.size() != client_rows || server.size() != 2) {
      const std::string counts = shown(client.size()) + " and " + shown(server.size());
      fail(__FILE__, __LINE__, std::string(item.name) + ": rows " + counts);
      continue;
    }
    CHECK_EQ(server[0].kind, 1);
    CHECK_EQ(server[1].kind, 3);
    CHECK_EQ(server[1].bytesReceived, 3000.0);
    if (item.who == 3) continue;
    CHECK_EQ(client[0].kind, 1);
    CHECK_EQ(client[1].kind, 3);
    CHECK((server[1].flags & PF_SOCKET_FLAG_PASSIVE) != 0 && (client[1].flags & PF_SOCKET_FLAG_PASSIVE) == 0);
    // The kernel does not keep whether an end that closed both ways before it was closed had its FIN counted.
    const double slack = item.who == 2 ? 1 : 0;
    CHECK_EQ(client[1].bytesSent - client[1].bytesRetransmitted, 3000.0);
    CHECK_EQ(server[1].bytesSent - server[1].bytesRetransmitted, 70000.0);
    CHECK(client[1].bytesReceived >= 70000.0 && client[1].bytesReceived <= 70000.0 + slack);
  }
}

TEST("sockets that were there are marked, UDP is connected or bound") {
  auto connection = connected();
  OwnedFd udp(socket(AF_INET, SOCK_DGRAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(udp.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  getsockname(udp.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const std::uint16_t port = ntohs(address.sin_port);
  Driven driven;
  const auto row = driven.last(connection.port, driven.last(0, connection.port)->localPort);
  REQUIRE(row);
  CHECK_EQ(row->kind, 0);
  CHECK((row->flags & PF_SOCKET_FLAG_SEEDED) != 0);
  const auto find_udp = [&] {
    std::optional<SocketRow> found;
    for (const SocketRow& each : driven.sockets)
      if (each.protocol == IPPROTO_UDP && each.localPort == port) found = each;
    return found;
  };
  REQUIRE(find_udp());
  CHECK((find_udp()->flags & PF_SOCKET_FLAG_LISTENER) != 0);
  CHECK_EQ(find_udp()->state, 7);
  address.sin_port = htons(5353);
  REQUIRE(connect(udp.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  driven.poll();
  CHECK((find_udp()->flags & PF_SOCKET_FLAG_LISTENER) == 0);
  CHECK_EQ(find_udp()->remotePort, 5353);
  CHECK_EQ(find_udp()->holderPid, static_cast<std::uint32_t>(getpid()));
  udp.reset();
  driven.poll();
  driven.poll();
  CHECK_EQ(find_udp()->kind, 3);
}

TEST("a namespace's sockets come and go with its processes") {
  Driven driven;
  int ports[2];
  REQUIRE(pipe(ports) == 0);
  auto child = std::make_unique<Child>([&] {
    if (!enter_new_netns()) return;
    loopback_up();
    auto connection = connected();
    (void)!write(ports[1], &connection.port, sizeof connection.port);
    connection.client.release();
    connection.server.release();
    connection.listener.release();
  });
  const auto netns = netns_inode(child->pid());
  if (netns == own_netns()) SKIP("cannot make a network namespace");
  std::uint16_t port = 0;
  (void)!read(ports[0], &port, sizeof port);
  driven.poll();
  const auto in_netns = [&](std::uint8_t kind) {
    return std::count_if(driven.sockets.begin(), driven.sockets.end(), [&](const SocketRow& row) {
      return row.netns == static_cast<double>(netns) && row.kind == kind;
    });
  };
  CHECK_EQ(in_netns(1), 3);
  CHECK_EQ(driven.last(0, port)->holderPid, static_cast<std::uint32_t>(child->pid()));
  driven.poll();
  CHECK(std::any_of(driven.addresses.begin(), driven.addresses.end(), [&](const AddressRow& row) {
    return row.netns == static_cast<double>(netns) && row.address == ipv4("127.0.0.1");
  }));
  child.reset();
  driven.poll();
  CHECK_EQ(in_netns(3), 3);
  CHECK(driven.source.status_json().find("\"source\":\"procfs\"") != std::string::npos);
  close(ports[0]);
  close(ports[1]);
}

TEST("the filter keeps, drops, and leaves the agent's own traffic out") {
  auto connection = connected();
  const auto seen = [&](const Filter& filter) {
    auto with = options();
    with.filter = filter;
    Driven driven(with);
    return driven.last(0, connection.port).has_value();
  };
  Filter filter;
  CHECK(!seen(filter));  // held by this very process
  filter.own_traffic = true;
  CHECK(seen(filter));
  filter.loopback = false;
  CHECK(!seen(filter));
  filter.loopback = true;
  filter.keep.ports = {connection.port};
  CHECK(seen(filter));
  filter.keep.protocols = {IPPROTO_UDP};
  CHECK(!seen(filter));  // kinds AND
  filter.keep = {};
  filter.drop.addresses = {{ipv4("127.0.0.0"), 96 + 8}};
  CHECK(!seen(filter));
  filter.drop.ports = {1};
  CHECK(!seen(filter));  // any of them
  filter.drop.addresses = {};
  CHECK(seen(filter));
  filter.drop = {};
  filter.keep.processes = {Identity::comm(getpid())};
  CHECK(seen(filter));
  filter.drop.processes = filter.keep.processes;
  CHECK(!seen(filter));
  filter = {};
  Child holder([&] {});
  connection.client.reset();
  connection.server.reset();
  filter.own_ports = {connection.port};
  CHECK(!seen(filter));
}

TEST("4000 sockets that come and go are told once each, among many processes") {
  std::vector<std::unique_ptr<Child>> children;
  const std::vector<std::string> sleep{"sleep", "1000"};
  for (int i = 0; i < 450; i++) children.push_back(std::make_unique<Child>("/bin/sleep", sleep));
  Driven driven;
  driven.poll();
  driven.poll();
  std::uint16_t port = 0;
  const OwnedFd listener = listen_on(AF_INET, port);
  std::vector<OwnedFd> ends;
  for (int i = 0; i < 2000; i++) {
    ends.push_back(connect_to(port));
    ends.push_back(OwnedFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
  driven.poll();
  driven.poll();
  ends.clear();
  for (int i = 0; i < 4; i++) driven.poll();
  const auto of_port = [&](std::uint8_t kind) {
    return std::count_if(driven.sockets.begin(), driven.sockets.end(), [&](const SocketRow& row) {
      return row.kind == kind && (row.localPort == port || row.remotePort == port) && row.remotePort != 0;
    });
  };
  CHECK_EQ(of_port(1), 4000);
  CHECK_EQ(of_port(3), 4000);
}

}  // namespace
}  // namespace procflow::test
