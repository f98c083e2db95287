#include "../src/netns.h"

#include <sys/mount.h>

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
  REQUIRE(table.ensure(netns, child.pid()));
  CHECK_EQ(own_netns(), table.own());
  const Batch batch = read_addresses(table);
  CHECK(has(batch, netns, ipv4("127.0.0.1")));

  // A route is asked there, not here.
  OwnedFd probe;
  CHECK(!socket_in_netns(netns, netns_path(child.pid()), AF_INET, SOCK_DGRAM, 0, probe));
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

// Whether the table can ask the namespace itself; each peer is another one, since answers are kept.
bool can_ask(NetnsTable& table, std::uint64_t netns) {
  static std::uint8_t peers = 1;
  Address source{}, peer = ipv4("127.0.0.0");
  peer[15] = peers++;
  std::uint32_t mtu = 0;
  return table.source_address(netns, peer, source, mtu);
}

TEST("a namespace is found by another process in it, when the one that was met has gone or is elsewhere") {
  Child child([] {
    if (enter_new_netns()) loopback_up();
  });
  const auto netns = netns_inode(child.pid());
  if (netns == own_netns()) SKIP("cannot make a network namespace");
  Child dead([] {});
  const pid_t gone = dead.pid();
  dead.end();
  {
    NetnsTable table;
    REQUIRE(table.ensure(netns, gone));
    CHECK(can_ask(table, netns));
  }
  NetnsTable table;
  REQUIRE(table.ensure(netns, getpid()));
  CHECK(can_ask(table, netns));
}

TEST("a namespace without a process is found by its mount, and let go with it") {
  auto child = std::make_unique<Child>([] {
    if (enter_new_netns()) loopback_up();
  });
  const pid_t pid = child->pid();
  const auto netns = netns_inode(pid);
  if (netns == own_netns()) SKIP("cannot make a network namespace");
  char place[] = "/tmp/netns test XXXXXX";
  REQUIRE(OwnedFd(mkstemp(place)));
  if (mount(netns_path(pid).c_str(), place, nullptr, MS_BIND, nullptr) != 0) {
    unlink(place);
    SKIP("cannot mount");
  }
  child.reset();
  NetnsTable table;
  CHECK(table.ensure(netns, pid));
  CHECK(has(read_addresses(table), netns, ipv4("127.0.0.1")));
  CHECK(can_ask(table, netns));

  CHECK_EQ(umount(place), 0);
  unlink(place);
  bool let_go = false, removed = false;
  for (int i = 0; i < 1000 && !removed; i++) {
    removed = has(read_addresses(table), netns, ipv4("127.0.0.1"), true);
    let_go |= !can_ask(table, netns);
    usleep(10000);
  }
  CHECK(let_go);
  CHECK(removed);
  CHECK(!table.ensure(netns, pid));
}

TEST("mounts of network namespaces are told from others") {
  const auto mounts = netns_mounts(
      "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "450 23 0:4 net:[4026532177] /run/netns/a rw shared:5 - nsfs nsfs rw\n"
      "451 23 0:4 mnt:[4026532178] /run/snapd/ns/b.mnt rw - nsfs nsfs rw\n"
      "452 23 0:4 net:[4026532179] /run/my\\040net\\134ns\\04 rw - nsfs nsfs rw\n"
      "453 23\n"
      "\n"
      "454 23 0:4 net:[] /x rw - nsfs nsfs rw\n"
      "455 23 0:4 net:[4026532180]");
  CHECK_EQ(mounts.size(), 3u);
  CHECK_EQ(mounts.at(4026532177), "/run/netns/a");
  CHECK_EQ(mounts.at(4026532179), "/run/my net\\ns\\04");
  CHECK_EQ(mounts.at(4026532180), "");
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
