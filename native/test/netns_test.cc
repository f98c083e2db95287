#include "../src/netns.h"

#include <algorithm>

#include "batch_reader.h"
#include "children.h"

namespace procflow::test {
namespace {

bool has(const Batch& batch, std::uint64_t netns, const Address& address, bool removed = false) {
  return std::any_of(batch.address.begin(), batch.address.end(), [&](const AddressRow& row) {
    return row.netns == static_cast<double>(netns) && row.address == address && row.removed == (removed ? 1 : 0);
  });
}

Batch read_addresses(NetnsTable& table) {
  BatchBuilder out;
  table.addresses(out);
  return take(out);
}

TEST("the own namespace needs no privilege: addresses, names and routes") {
  NetnsTable table;
  REQUIRE(table.own() == netns_inode(getpid()));
  REQUIRE(table.ensure(table.own(), getpid()));
  const Batch batch = read_addresses(table);
  REQUIRE(has(batch, table.own(), ipv4("127.0.0.1")));
  CHECK_EQ(batch.text(batch.address.at(0).interfaceName),
           table.interface_name(table.own(), batch.address.at(0).interfaceIndex));
  CHECK_EQ(table.interface_name(table.own(), 1), "lo");
  CHECK_EQ(table.interface_name(table.own(), 99999), "");
  CHECK(table.has_address(table.own(), ipv4("127.0.0.1")));
  CHECK_EQ(read_addresses(table).address.size(), 0u);

  Address source{};
  std::uint32_t mtu = 0;
  REQUIRE(table.source_address(table.own(), ipv4("127.9.9.9"), source, mtu));
  CHECK(source == ipv4("127.0.0.1") || source == ipv4("127.9.9.9"));
  CHECK_EQ(mtu, 65536u);
  if (table.has_address(table.own(), ipv6("::1"))) {
    REQUIRE(table.source_address(table.own(), ipv6("::1"), source, mtu));
    CHECK(source == ipv6("::1"));
  }
  CHECK(!table.source_address(1, ipv4("127.0.0.1"), source, mtu));
}

TEST("another namespace is entered by a process in it, and left again") {
  Child child([] {
    if (!enter_new_netns()) return;
    loopback_up();
    (void)!std::system("ip link set lo mtu 1300 && ip addr add 10.77.1.2/24 dev lo");
  });
  const auto netns = netns_inode(child.pid());
  if (netns == own_netns()) SKIP("cannot make a network namespace");
  NetnsTable table;
  CHECK(!table.ensure(netns, getpid()));  // this process is not in it
  CHECK_EQ(table.last_error().code, ESTALE);
  REQUIRE(table.ensure(netns, child.pid()));
  CHECK_EQ(own_netns(), table.own());
  const Batch batch = read_addresses(table);
  CHECK(has(batch, netns, ipv4("127.0.0.1")));

  // A route is asked there, not here.
  OwnedFd probe;
  CHECK(!socket_in_netns(netns, child.pid(), AF_INET, SOCK_DGRAM, 0, probe));
  CHECK_EQ(own_netns(), table.own());
  if (has(batch, netns, ipv4("10.77.1.2"))) {
    Address source{};
    std::uint32_t mtu = 0;
    REQUIRE(table.source_address(netns, ipv4("10.77.1.9"), source, mtu));
    CHECK(source == ipv4("10.77.1.2"));
    CHECK_EQ(mtu, 1300u);
    CHECK(!table.source_address(netns, ipv4("192.0.2.1"), source, mtu));  // no default route there
    CHECK(!table.source_address(netns, ipv4("192.0.2.1"), source, mtu));
  }
}

TEST("addresses that come and go are told") {
  int fds[2];
  REQUIRE(pipe(fds) == 0);
  int done[2];
  REQUIRE(pipe(done) == 0);
  Child child([&] {
    if (!enter_new_netns()) return;
    loopback_up();
    if (fork() != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char byte;
    (void)!read(fds[0], &byte, 1);
    (void)!std::system("ip addr add 10.66.0.1/32 dev lo");
    (void)!write(done[1], "d", 1);
    (void)!read(fds[0], &byte, 1);
    (void)!std::system("ip addr del 10.66.0.1/32 dev lo");
    (void)!write(done[1], "d", 1);
    pause();
  });
  const auto netns = netns_inode(child.pid());
  if (netns == own_netns()) SKIP("cannot make a network namespace");
  NetnsTable table;
  REQUIRE(table.ensure(netns, child.pid()));
  CHECK(has(read_addresses(table), netns, ipv4("127.0.0.1")));
  char byte;
  (void)!write(fds[1], "g", 1);
  (void)!read(done[0], &byte, 1);
  const Batch added = read_addresses(table);
  if (!has(added, netns, ipv4("10.66.0.1"))) SKIP("ip cannot add an address");
  CHECK_EQ(added.address.size(), 1u);
  (void)!write(fds[1], "g", 1);
  (void)!read(done[0], &byte, 1);
  CHECK(has(read_addresses(table), netns, ipv4("10.66.0.1"), true));
  for (const int fd : {fds[0], fds[1], done[0], done[1]}) close(fd);
}

TEST("the least used namespace gives way") {
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 3; i++)
    children.push_back(std::make_unique<Child>([] {
      enter_new_netns();
      loopback_up();
    }));
  if (netns_inode(children[0]->pid()) == own_netns()) SKIP("cannot make a network namespace");
  NetnsTable table(2);
  Address source{};
  std::uint32_t mtu = 0;
  for (const auto& child : children) REQUIRE(table.ensure(netns_inode(child->pid()), child->pid()));
  CHECK(!table.source_address(netns_inode(children[0]->pid()), ipv4("127.0.0.1"), source, mtu));
  CHECK(table.source_address(netns_inode(children[1]->pid()), ipv4("127.0.0.1"), source, mtu));
  CHECK(table.source_address(netns_inode(children[2]->pid()), ipv4("127.0.0.1"), source, mtu));
}

}  // namespace
}  // namespace procflow::test
