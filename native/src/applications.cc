#include "applications.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "clock.h"
#include "flow_cookie.h"
#include "payload_peek.h"

namespace procflow {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kSilentNs = 10 * kSecondNs;  // what has not shown by then is not waited for
constexpr std::uint64_t kForgetNs = 30 * kSecondNs;

bool before(const PacketEnd& a, const PacketEnd& b) {
  const int order = std::memcmp(a.address.data(), b.address.data(), a.address.size());
  return order != 0 ? order < 0 : a.port < b.port;
}

bool same(const PacketEnd& a, const PacketEnd& b) { return a.port == b.port && a.address == b.address; }

PacketEnd end_of(const pf_u8 (&address)[16], std::uint16_t port) {
  PacketEnd end;
  std::memcpy(end.address.data(), address, end.address.size());
  end.port = port;
  return end;
}

std::uint32_t intern(const std::string& text, BatchBuilder& out) { return text.empty() ? kUnknownString : out.intern(text); }

}  // namespace

bool Applications::Key::operator==(const Key& other) const {
  return netns == other.netns && protocol == other.protocol && same(ends[0], other.ends[0]) && same(ends[1], other.ends[1]);
}

Applications::KeyHash::KeyHash() {
  std::random_device random;
  for (std::uint64_t& word : secret_) word = static_cast<std::uint64_t>(random()) << 32 | random();
}

// NH, a universal hash (RFC 4418, 5.2.1).
std::size_t Applications::KeyHash::operator()(const Key& key) const {
  std::array<std::uint64_t, 6> words{};
  std::memcpy(&words[0], key.ends[0].address.data(), 16);
  std::memcpy(&words[2], key.ends[1].address.data(), 16);
  words[4] = static_cast<std::uint64_t>(key.netns) << 32 | key.protocol;
  words[5] = static_cast<std::uint64_t>(key.ends[0].port) << 16 | key.ends[1].port;
  unsigned __int128 sum = 0;
  for (std::size_t i = 0; i < words.size(); i += 2)
    sum += static_cast<unsigned __int128>(words[i] + secret_[i]) * (words[i + 1] + secret_[i + 1]);
  return static_cast<std::size_t>(sum >> 64 ^ sum);
}

// Bounded time: nDPI must not keep the thread from what else it has to do.
bool Applications::has_time(std::uint64_t now_ns) {
  if (now_ns - second_ns_ >= kSecondNs) {
    second_ns_ = now_ns;
    spent_ns_ = 0;
  }
  return spent_ns_ + static_cast<double>(pass_.spent_ns) * cpu_share_ < static_cast<double>(limits_.budget_ns);
}

void Applications::account() {
  if (pass_.cpu_ns == 0) return;
  const auto cpu = static_cast<double>(clock_ns(CLOCK_THREAD_CPUTIME_ID) - pass_.cpu_ns);
  const auto wall = static_cast<double>(clock_ns(CLOCK_MONOTONIC) - pass_.wall_ns);
  cpu_share_ = wall > 0 ? std::min(1.0, cpu / wall) : 1;
  spent_ns_ += static_cast<double>(pass_.spent_ns) * cpu_share_;
  pass_ = {};
}

// The conversation of a packet; the end of `open_` when there is no room.
Applications::List::iterator Applications::find(const Key& key, std::size_t side, const pf_packet_record& record,
                                                BatchBuilder& out) {
  const auto known = conversations_.find(key);
  if (known == conversations_.end()) return begin(key, record.number == 0);
  const List::iterator conversation = known->second;
  const std::uint64_t cookie = conversation->sockets[side].cookie;
  if (record.protocol != IPPROTO_TCP || cookie == 0 || cookie == record.cookie) return conversation;
  // Another connection with the same addresses and ports; the end of the one before was not told.
  if (conversation->flow) finish(conversation, record.time_ns, out);
  erase(conversation);
  return begin(key, record.number == 0);
}

Applications::List::iterator Applications::begin(const Key& key, bool from_start) {
  if (open_.size() >= limits_.flows || ApplicationDetector::allocated_bytes() >= limits_.bytes) return open_.end();
  if (conversations_.size() >= limits_.conversations) {
    if (done_.empty()) return open_.end();
    erase(done_.begin());
  }
  ApplicationDetector::Flow flow = detector_.new_flow();
  if (flow == nullptr) return open_.end();
  const List::iterator begun = open_.emplace(open_.end());
  begun->key = key;
  begun->flow = std::move(flow);
  begun->from_start = from_start;
  conversations_.emplace(key, begun);
  return begun;
}

void Applications::name_socket(List::iterator conversation, std::size_t side, const Socket& socket,
                               std::uint64_t now_ns, BatchBuilder& out) {
  conversation->side = side;
  Socket& known = conversation->sockets[side];
  if (known.cookie == socket.cookie) return;
  const bool another = known.cookie != 0;
  known = socket;
  by_cookie_.try_emplace(socket.cookie, conversation);
  // Several sockets get the same datagrams.
  if (another && conversation->told) tell(*conversation, known, conversation->application, !conversation->flow, now_ns, out);
}

void Applications::packet(const pf_packet_record& record, std::size_t size, BatchBuilder& out) {
  if (size < PF_PACKET_RECORD_HEAD + std::size_t{record.captured_bytes} || record.captured_bytes > PF_PACKET_BYTES ||
      (record.protocol != IPPROTO_TCP && record.protocol != IPPROTO_UDP))
    return;
  const PacketEnd local = end_of(record.local, record.local_port), remote = end_of(record.remote, record.remote_port);
  const bool sent = record.direction == 0;
  PacketView packet;
  packet.udp = record.protocol == IPPROTO_UDP;
  packet.from = sent ? local : remote;
  packet.to = sent ? remote : local;
  packet.sequence = record.sequence;
  packet.acknowledgement = record.acknowledgement;
  packet.tcp_flags = record.tcp_flags;
  packet.time_ms = record.time_ns / 1'000'000;
  packet.payload = {record.payload, record.captured_bytes};

  Key key;
  key.netns = record.netns;
  key.protocol = record.protocol;
  key.ends = before(local, remote) ? std::array{local, remote} : std::array{remote, local};
  const std::size_t side = same(local, key.ends[0]) ? 0 : 1;
  const List::iterator conversation = find(key, side, record, out);
  if (conversation == open_.end()) {
    losses_.table++;
    return;
  }
  conversation->last_ns = record.time_ns;
  List& list = conversation->flow ? open_ : done_;
  list.splice(list.end(), list, conversation);
  if ((record.flags & PF_PACKET_UNJUDGED) == 0)
    release(conversation, record.time_ns, out);
  else if (!conversation->told)
    conversation->held = true;
  name_socket(conversation, side, {record.cookie, packet.udp ? remote : PacketEnd{}}, record.time_ns, out);
  if (!conversation->flow) return;
  if (!has_time(record.time_ns)) {
    losses_.budget++;
    return;
  }

  const std::uint64_t started = clock_ns(CLOCK_MONOTONIC);
  if (pass_.cpu_ns == 0) pass_ = {clock_ns(CLOCK_THREAD_CPUTIME_ID), started, 0};
  if (conversation->first_from.port == 0 && conversation->first_to.port == 0) {
    conversation->first_from = packet.from;
    conversation->first_to = packet.to;
  }
  peek(*conversation, packet, sent != ((record.flags & PF_PACKET_PASSIVE) != 0));
  const bool enough = detector_.feed(*conversation->flow, packet);
  std::uint8_t& from_this_side = conversation->packets[same(packet.from, key.ends[0]) ? 0 : 1];
  from_this_side = static_cast<std::uint8_t>(std::min<std::uint32_t>(255, from_this_side + 1u));
  const bool all = conversation->packets[0] >= packets_ && conversation->packets[1] >= packets_;
  if (enough || all) {
    finish(conversation, record.time_ns, out);
  } else {
    const Application now = known(*conversation);
    if (now.known() && !(conversation->told && now == conversation->application))
      tell(*conversation, conversation->sockets[side], now, false, record.time_ns, out);
  }
  pass_.spent_ns += clock_ns(CLOCK_MONOTONIC) - started;
}

void Applications::peek(Conversation& conversation, const PacketView& packet, bool by_client) {
  if (packet.udp) {
    if (const auto code = dns_reply_code(packet.payload)) conversation.dns_reply_code = *code;
    return;
  }
  std::string& banner = by_client ? conversation.ssh_client : conversation.ssh_server;
  if (banner.empty()) banner = ssh_banner(packet.payload);
  if (conversation.tls_version.empty()) conversation.tls_version = tls_server_version(packet.payload);
}

// Of a conversation that is still looked at.
Application Applications::known(const Conversation& conversation) const {
  Application application = detector_.read(*conversation.flow);
  switch (application.kind) {
    case Application::Kind::kTls:
      if (application.tls_version.empty()) application.tls_version = conversation.tls_version;
      break;
    case Application::Kind::kDns:
      application.dns_reply_code = conversation.dns_reply_code;
      break;
    case Application::Kind::kSsh:
      application.ssh_client = conversation.ssh_client;
      application.ssh_server = conversation.ssh_server;
      break;
    case Application::Kind::kOther:
      break;
  }
  return application;
}

void Applications::finish(List::iterator conversation, std::uint64_t now_ns, BatchBuilder& out) {
  Application application = known(*conversation);
  if (!application.known()) {
    PacketView packet;
    packet.udp = conversation->key.protocol == IPPROTO_UDP;
    packet.from = conversation->first_from;
    packet.to = conversation->first_to;
    application = detector_.guess(packet);
  }
  // What is seen from the middle on must not replace what was found in the beginning.
  if (conversation->from_start || (application.known() && !application.guessed))
    tell(*conversation, conversation->sockets[conversation->side], application, true, now_ns, out);
  conversation->flow.reset();
  for (std::string* text : {&conversation->ssh_client, &conversation->ssh_server, &conversation->tls_version})
    std::string().swap(*text);
  done_.splice(done_.end(), open_, conversation);
}

void Applications::tell(Conversation& conversation, const Socket& socket, const Application& application, bool final,
                        std::uint64_t now_ns, BatchBuilder& out) const {
  conversation.told = true;
  conversation.application = application;
  if (conversation.held) return;
  ApplicationRow row;
  if (final) row.flags |= PF_APPLICATION_FLAG_FINAL;
  if (application.guessed) row.flags |= PF_APPLICATION_FLAG_GUESSED;
  row.confidence = application.confidence;
  row.protocolId = application.protocol_id;
  row.applicationId = application.application_id;
  row.timeNs = static_cast<double>(now_ns);
  row.cookie = row_cookie(socket.cookie);
  row.peerAddress = socket.peer.address;
  row.peerPort = socket.peer.port;
  row.protocol = intern(application.protocol, out);
  row.application = intern(application.application, out);
  row.category = intern(application.category, out);
  row.serverName = intern(application.server_name, out);
  row.alpn = intern(application.alpn, out);
  row.tlsVersion = intern(application.tls_version, out);
  row.httpHost = intern(application.http_host, out);
  row.httpUserAgent = intern(application.http_user_agent, out);
  row.dnsQuery = intern(application.dns_query, out);
  row.dnsReplyCode = application.dns_reply_code;
  row.sshClient = intern(application.ssh_client, out);
  row.sshServer = intern(application.ssh_server, out);
  out.add(row);
}

void Applications::release(List::iterator conversation, std::uint64_t now_ns, BatchBuilder& out) {
  if (!conversation->held) return;
  conversation->held = false;
  if (conversation->told)
    tell(*conversation, conversation->sockets[conversation->side], conversation->application, !conversation->flow,
         now_ns, out);
}

void Applications::kept(std::uint64_t cookie, std::uint64_t now_ns, BatchBuilder& out) {
  const auto known = by_cookie_.find(cookie);
  if (known != by_cookie_.end()) release(known->second, now_ns, out);
}

// Of a conversation that is done with.
void Applications::erase(List::iterator conversation) {
  conversations_.erase(conversation->key);
  for (const Socket& socket : conversation->sockets) {
    const auto known = by_cookie_.find(socket.cookie);
    if (known != by_cookie_.end() && known->second == conversation) by_cookie_.erase(known);
  }
  done_.erase(conversation);
}

void Applications::ended(std::uint64_t cookie, std::uint64_t now_ns, BatchBuilder& out) {
  const auto known = by_cookie_.find(cookie);
  if (known == by_cookie_.end()) return;
  const List::iterator conversation = known->second;
  by_cookie_.erase(known);
  const std::size_t side = conversation->sockets[0].cookie == cookie ? 0 : 1;
  if (conversation->sockets[1 - side].cookie != 0) {
    // The other socket may still have something to say.
    conversation->sockets[side].cookie = 0;
    conversation->side = 1 - side;
    return;
  }
  conversation->side = side;
  if (conversation->flow) finish(conversation, now_ns, out);
  erase(conversation);
}

void Applications::tick(std::uint64_t now_ns, BatchBuilder& out) {
  account();
  const auto silent = [now_ns](const List& list, std::uint64_t limit_ns) {
    return !list.empty() && list.front().last_ns + limit_ns < now_ns;
  };
  while (silent(open_, kSilentNs)) finish(open_.begin(), now_ns, out);
  while (silent(done_, kForgetNs)) erase(done_.begin());
}

}  // namespace procflow
