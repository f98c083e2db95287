#include "../src/applications.h"

#include <netinet/in.h>

#include <cstring>
#include <string_view>

#include "batch_reader.h"
#include "harness.h"

using namespace procflow;
using namespace procflow::test;

namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint16_t kClientPort = 40000;

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: shop.example.org\r\nUser-Agent: test/1\r\n\r\n";
constexpr std::string_view kResponse = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
constexpr std::string_view kQuery("\x12\x34\x01\0\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1", 33);
constexpr std::string_view kAnswer("\x12\x34\x81\x83\0\1\0\0\0\1\0\0\3www\7example\3org\0\0\1\0\1\xc0\x10\0\6\0\1\0\0\0\1\0\0", 45);

// A conversation of 10.0.0.1 with 10.0.0.2, whose server's port is given.
class Wire {
 public:
  Wire(std::uint16_t protocol, std::uint16_t port, const Applications::Limits& limits = {}, std::uint32_t packets = 8)
      : protocol_(protocol), port_(port), applications(packets, limits) {}

  enum Side { kClient, kServer };
  // `witness`: whose socket gave it; 0 is none of this host's.
  void say(Side sender, std::string_view payload, Side witness, std::uint64_t cookie, std::uint8_t flags = 0) {
    pf_packet_record record{};
    record.record = PF_RECORD_PACKET;
    record.direction = sender == witness ? 0 : 1;
    record.number = numbers_[sender]++;
    record.flags = static_cast<std::uint8_t>(flags | (witness == kServer ? PF_PACKET_PASSIVE : 0));
    record.time_ns = now_ns;
    record.cookie = cookie;
    record.netns = 1;
    record.protocol = protocol_;
    record.payload_bytes = static_cast<std::uint32_t>(payload.size());
    record.captured_bytes = static_cast<std::uint16_t>(payload.size());
    fill(record.local, witness);
    fill(record.remote, witness == kClient ? kServer : kClient);
    record.local_port = port_of(witness);
    record.remote_port = port_of(witness == kClient ? kServer : kClient);
    record.sequence = sequences_[sender];
    record.acknowledgement = sequences_[1 - sender];
    sequences_[sender] += record.payload_bytes;
    std::memcpy(record.payload, payload.data(), payload.size());
    applications.packet(record, PF_PACKET_RECORD_HEAD + payload.size(), builder);
  }

  Batch rows() { return take(builder); }

  std::uint64_t now_ns = kSecondNs;
  BatchBuilder builder;

 private:
  std::uint16_t protocol_, port_;
  std::uint8_t numbers_[2] = {};
  std::uint32_t sequences_[2] = {1000, 5000};

  static void fill(pf_u8 (&address)[16], Side side) {
    address[10] = address[11] = 0xff;
    address[12] = 10;
    address[15] = side == kClient ? 1 : 2;
  }
  std::uint16_t port_of(Side side) const { return side == kClient ? kClientPort : port_; }

 public:
  Applications applications;
};

}  // namespace

TEST("applications: a request tells, the answer ends it, and both sockets of a local conversation are one") {
  Wire wire(IPPROTO_TCP, 8080);
  wire.say(Wire::kClient, kRequest, Wire::kClient, 11);
  Batch batch = wire.rows();
  REQUIRE(batch.application.size() == 1);
  CHECK_EQ(batch.text(batch.application[0].protocol), "HTTP");
  CHECK_EQ(batch.text(batch.application[0].httpHost), "shop.example.org");
  CHECK_EQ(batch.text(batch.application[0].httpUserAgent), "test/1");
  CHECK_EQ(batch.application[0].flags, 0);
  CHECK_EQ(batch.application[0].cookie, 11);
  CHECK_EQ(batch.application[0].dnsReplyCode, -1);
  wire.say(Wire::kServer, kResponse, Wire::kServer, 12);
  batch = wire.rows();
  REQUIRE(batch.application.size() == 1);
  CHECK_EQ(batch.application[0].flags, PF_APPLICATION_FLAG_FINAL);
  CHECK_EQ(batch.application[0].cookie, 12);
  CHECK_EQ(wire.applications.size(), 1u);

  // Nothing more is looked at, and the end of both sockets ends the conversation.
  wire.say(Wire::kClient, kRequest, Wire::kClient, 11);
  wire.applications.ended(11, wire.now_ns, wire.builder);
  CHECK_EQ(wire.applications.size(), 1u);
  wire.applications.ended(12, wire.now_ns, wire.builder);
  CHECK_EQ(wire.applications.size(), 0u);
  CHECK(wire.builder.empty());
}

TEST("applications: a name and the answer's code, by peer") {
  Wire wire(IPPROTO_UDP, 53);
  wire.say(Wire::kClient, kQuery, Wire::kClient, 11);
  wire.say(Wire::kServer, kAnswer, Wire::kClient, 11);
  const Batch batch = wire.rows();
  REQUIRE(!batch.application.empty());
  const ApplicationRow& row = batch.application.back();
  CHECK_EQ(batch.text(row.protocol), "DNS");
  CHECK_EQ(batch.text(row.dnsQuery), "www.example.org");
  CHECK_EQ(row.dnsReplyCode, 3);
  CHECK_EQ(row.peerPort, 53);
  CHECK_EQ(row.peerAddress[15], 2);
}

TEST("applications: the sides of SSH, whoever speaks first") {
  for (const bool server_first : {false, true}) {
    Wire wire(IPPROTO_TCP, 2222);
    for (const Wire::Side side : {server_first ? Wire::kServer : Wire::kClient, server_first ? Wire::kClient : Wire::kServer})
      wire.say(side, side == Wire::kServer ? "SSH-2.0-server\r\n" : "SSH-2.0-client\r\n", Wire::kServer, 12);
    const Batch batch = wire.rows();
    REQUIRE(!batch.application.empty());
    CHECK_EQ(batch.text(batch.application.back().sshClient), "SSH-2.0-client");
    CHECK_EQ(batch.text(batch.application.back().sshServer), "SSH-2.0-server");
  }
}

TEST("applications: what stays silent is guessed by its port, and forgotten") {
  Wire wire(IPPROTO_TCP, 5432);
  wire.say(Wire::kClient, "!", Wire::kClient, 11);
  wire.say(Wire::kServer, "?", Wire::kClient, 11);
  CHECK(wire.builder.empty());
  wire.applications.tick(wire.now_ns + 11 * kSecondNs, wire.builder);
  const Batch batch = wire.rows();
  REQUIRE(batch.application.size() == 1);
  CHECK_EQ(batch.text(batch.application[0].protocol), "PostgreSQL");
  CHECK_EQ(batch.application[0].flags, PF_APPLICATION_FLAG_FINAL | PF_APPLICATION_FLAG_GUESSED);
  CHECK_EQ(batch.application[0].confidence, 1);
  CHECK_EQ(wire.applications.size(), 1u);
  wire.applications.tick(wire.now_ns + 31 * kSecondNs, wire.builder);
  CHECK_EQ(wire.applications.size(), 0u);
}

TEST("applications: a guess from the middle of a conversation replaces nothing") {
  Wire wire(IPPROTO_TCP, 5432);
  wire.say(Wire::kClient, "!", Wire::kClient, 11);
  wire.applications.tick(wire.now_ns + 11 * kSecondNs, wire.builder);
  wire.applications.tick(wire.now_ns + 60 * kSecondNs, wire.builder);
  CHECK_EQ(wire.rows().application.size(), 1u);
  wire.now_ns += 60 * kSecondNs;
  wire.say(Wire::kClient, "!", Wire::kClient, 11);
  wire.applications.ended(11, wire.now_ns, wire.builder);
  CHECK(wire.builder.empty());
}

TEST("applications: rows of a socket that the filter has not judged wait for its verdict") {
  Wire wire(IPPROTO_TCP, 8080);
  wire.say(Wire::kClient, kRequest, Wire::kServer, 12, PF_PACKET_UNJUDGED);
  CHECK(wire.builder.empty());
  wire.applications.kept(12, wire.now_ns, wire.builder);
  const Batch batch = wire.rows();
  REQUIRE(batch.application.size() == 1);
  CHECK_EQ(batch.text(batch.application[0].httpHost), "shop.example.org");

  Wire dropped(IPPROTO_TCP, 8080);
  dropped.say(Wire::kClient, kRequest, Wire::kServer, 12, PF_PACKET_UNJUDGED);
  dropped.applications.tick(dropped.now_ns + 60 * kSecondNs, dropped.builder);
  dropped.applications.tick(dropped.now_ns + 120 * kSecondNs, dropped.builder);
  CHECK(dropped.builder.empty());
  CHECK_EQ(dropped.applications.size(), 0u);
}

TEST("applications: another connection with the same addresses begins anew") {
  Wire wire(IPPROTO_TCP, 8080);
  wire.say(Wire::kClient, kRequest, Wire::kClient, 11);
  wire.rows();
  wire.say(Wire::kClient, "SSH-2.0-client\r\n", Wire::kClient, 21);
  const Batch batch = wire.rows();
  REQUIRE(batch.application.size() == 2);
  CHECK_EQ(batch.text(batch.application[0].protocol), "HTTP");
  CHECK_EQ(batch.application[0].cookie, 11);
  CHECK_EQ(batch.application[0].flags, PF_APPLICATION_FLAG_FINAL);
  CHECK_EQ(batch.text(batch.application[1].protocol), "SSH");
  CHECK_EQ(batch.application[1].cookie, 21);
  CHECK_EQ(wire.applications.size(), 1u);
}

TEST("applications: what finds no room, or no time, is counted") {
  Wire none(IPPROTO_TCP, 8080, {.flows = 0});
  none.say(Wire::kClient, kRequest, Wire::kClient, 11);
  CHECK_EQ(none.applications.losses().table, 1u);
  Wire no_bytes(IPPROTO_TCP, 8080, {.bytes = 0});
  no_bytes.say(Wire::kClient, kRequest, Wire::kClient, 11);
  CHECK_EQ(no_bytes.applications.losses().table, 1u);
  Wire no_time(IPPROTO_TCP, 8080, {.budget_ns = 0});
  no_time.say(Wire::kClient, kRequest, Wire::kClient, 11);
  CHECK_EQ(no_time.applications.losses().budget, 1u);
  CHECK_EQ(no_time.applications.losses().table, 0u);
}

TEST("applications: done conversations make room for new ones") {
  Wire wire(IPPROTO_TCP, 8080, {.conversations = 1});
  wire.say(Wire::kClient, kRequest, Wire::kClient, 11);
  wire.say(Wire::kServer, kResponse, Wire::kClient, 11);
  CHECK_EQ(wire.applications.size(), 1u);
  wire.say(Wire::kClient, kRequest, Wire::kClient, 21);
  CHECK_EQ(wire.applications.size(), 1u);
  CHECK_EQ(wire.applications.losses().table, 0u);
}

TEST("applications: records that are not whole are left alone") {
  Wire wire(IPPROTO_TCP, 8080);
  pf_packet_record record{};
  record.protocol = IPPROTO_TCP;
  record.captured_bytes = 100;
  wire.applications.packet(record, PF_PACKET_RECORD_HEAD + 99, wire.builder);
  record.captured_bytes = PF_PACKET_BYTES + 1;
  wire.applications.packet(record, sizeof record + 1, wire.builder);
  record.captured_bytes = 1;
  record.protocol = IPPROTO_ICMP;
  wire.applications.packet(record, sizeof record, wire.builder);
  CHECK_EQ(wire.applications.size(), 0u);
  CHECK(wire.builder.empty());
}
