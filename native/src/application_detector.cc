#include "application_detector.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <ndpi/ndpi_api.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <string_view>

namespace procflow {
namespace {

constexpr std::size_t kMaxHeaders = sizeof(ip6_hdr) + sizeof(tcphdr);
// Zeros behind the payload, for readers that go a little too far.
constexpr std::size_t kTail = 512;
constexpr std::size_t kMaxText = 255;
constexpr std::uint16_t kTls13 = 0x0304;

bool is_mapped(const Address& address) {
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(address.data(), kMapped, sizeof kMapped) == 0;
}

std::uint32_t v4_of(const Address& address) {
  std::uint32_t value;
  std::memcpy(&value, address.data() + 12, sizeof value);
  return value;
}

std::string text(const char* from) { return from == nullptr ? std::string() : std::string(from, strnlen(from, kMaxText)); }

template <std::size_t N>
std::string text(const char (&from)[N]) {
  return std::string(from, strnlen(from, std::min(N, kMaxText)));
}

bool speaks(const ndpi_flow_struct& flow, std::initializer_list<std::uint16_t> protocols) {
  for (const std::uint16_t protocol : protocols)
    if (flow.detected_protocol_stack[0] == protocol || flow.detected_protocol_stack[1] == protocol) return true;
  return false;
}

bool is_guess(int confidence) {
  return confidence == NDPI_CONFIDENCE_MATCH_BY_PORT || confidence == NDPI_CONFIDENCE_MATCH_BY_IP ||
         confidence == NDPI_CONFIDENCE_DPI_CACHE;
}

void put(std::uint8_t*& to, const void* header, std::size_t size) {
  std::memcpy(to, header, size);
  to += size;
}

// Returns the bytes of the headers.
std::size_t write_headers(std::uint8_t* to, const PacketView& packet, std::size_t payload) {
  const std::uint8_t* const start = to;
  const std::size_t transport = (packet.udp ? sizeof(udphdr) : sizeof(tcphdr)) + payload;
  const std::uint8_t protocol = packet.udp ? IPPROTO_UDP : IPPROTO_TCP;
  if (is_mapped(packet.from.address) && is_mapped(packet.to.address)) {
    iphdr ip{};
    ip.version = 4;
    ip.ihl = 5;
    ip.tot_len = htons(static_cast<std::uint16_t>(sizeof ip + transport));
    ip.ttl = 64;
    ip.protocol = protocol;
    ip.saddr = v4_of(packet.from.address);
    ip.daddr = v4_of(packet.to.address);
    put(to, &ip, sizeof ip);
  } else {
    ip6_hdr ip{};
    ip.ip6_flow = htonl(6u << 28);
    ip.ip6_plen = htons(static_cast<std::uint16_t>(transport));
    ip.ip6_nxt = protocol;
    ip.ip6_hlim = 64;
    std::memcpy(&ip.ip6_src, packet.from.address.data(), 16);
    std::memcpy(&ip.ip6_dst, packet.to.address.data(), 16);
    put(to, &ip, sizeof ip);
  }
  if (packet.udp) {
    udphdr udp{};
    udp.source = htons(packet.from.port);
    udp.dest = htons(packet.to.port);
    udp.len = htons(static_cast<std::uint16_t>(transport));
    put(to, &udp, sizeof udp);
  } else {
    tcphdr tcp{};
    tcp.source = htons(packet.from.port);
    tcp.dest = htons(packet.to.port);
    tcp.seq = htonl(packet.sequence);
    tcp.ack_seq = htonl(packet.acknowledgement);
    tcp.doff = sizeof tcp / 4;
    // A SYN with data would make nDPI begin anew.
    tcp.ack = 1;
    tcp.psh = (packet.tcp_flags & TH_PUSH) != 0 ? 1 : 0;
    tcp.fin = (packet.tcp_flags & TH_FIN) != 0 ? 1 : 0;
    tcp.window = htons(0xffff);
    put(to, &tcp, sizeof tcp);
  }
  return static_cast<std::size_t>(to - start);
}

// Signed: nDPI frees through us what the C library allocated for it, too.
std::atomic<std::int64_t> allocated{0};

void* allocate(std::size_t size) {
  void* memory = std::malloc(size);
  allocated += static_cast<std::int64_t>(malloc_usable_size(memory));
  return memory;
}

void release(void* memory) {
  allocated -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

// nDPI asks for memory through functions that the whole process shares.
void count_allocations() {
  static const bool once = [] {
    set_ndpi_malloc(allocate);
    set_ndpi_free(release);
    set_ndpi_flow_malloc(allocate);
    return true;
  }();
  (void)once;
}

}  // namespace

std::size_t ApplicationDetector::allocated_bytes() {
  return static_cast<std::size_t>(std::max<std::int64_t>(allocated, 0));
}

ApplicationDetector::ApplicationDetector() : buffer_(kMaxHeaders + kMaxPayload + kTail) {
  if (ndpi_get_api_version() != NDPI_API_VERSION ||
      ndpi_detection_get_sizeof_ndpi_flow_struct() != sizeof(ndpi_flow_struct))
    throw std::runtime_error(std::string("nDPI is version ") + ndpi_revision() +
                             ", and procflow was built with another one: build it again");
  count_allocations();
  module_ = ndpi_init_detection_module(ndpi_no_prefs);
  if (module_ == nullptr) throw std::runtime_error("nDPI cannot be initialised");
  NDPI_PROTOCOL_BITMASK all;
  NDPI_BITMASK_SET_ALL(all);
  ndpi_set_protocol_detection_bitmask2(module_, &all);
  ndpi_finalize_initialization(module_);
}

ApplicationDetector::~ApplicationDetector() { ndpi_exit_detection_module(module_); }

void ApplicationDetector::FreeFlow::operator()(ndpi_flow_struct* flow) const { ndpi_free_flow(flow); }

ApplicationDetector::Flow ApplicationDetector::new_flow() const {
  void* memory = ndpi_flow_malloc(sizeof(ndpi_flow_struct));
  if (memory != nullptr) std::memset(memory, 0, sizeof(ndpi_flow_struct));
  return Flow(static_cast<ndpi_flow_struct*>(memory));
}

bool ApplicationDetector::feed(ndpi_flow_struct& flow, const PacketView& packet) {
  const std::size_t payload = std::min(packet.payload.size(), kMaxPayload);
  const std::size_t headers = write_headers(buffer_.data(), packet, payload);
  std::memcpy(buffer_.data() + headers, packet.payload.data(), payload);
  std::memset(buffer_.data() + headers + payload, 0, kTail);
  ndpi_detection_process_packet(module_, &flow, buffer_.data(), static_cast<unsigned short>(headers + payload),
                                packet.time_ms);
  if (flow.fail_with_unknown) return true;
  return flow.detected_protocol_stack[0] != NDPI_PROTOCOL_UNKNOWN && ndpi_extra_dissection_possible(module_, &flow) == 0;
}

void ApplicationDetector::name(Application& application) const {
  if (application.protocol_id == NDPI_PROTOCOL_UNKNOWN) application.protocol_id = application.application_id;
  if (!application.known()) return;
  application.protocol = text(ndpi_get_proto_name(module_, application.protocol_id));
  application.application = text(ndpi_get_proto_name(module_, application.application_id));
}

Application ApplicationDetector::read(const ndpi_flow_struct& flow) const {
  Application found;
  found.application_id = flow.detected_protocol_stack[0];
  found.protocol_id = flow.detected_protocol_stack[1];
  if (!found.known()) return found;
  name(found);
  ndpi_protocol protocol{};
  protocol.app_protocol = flow.detected_protocol_stack[0];
  protocol.master_protocol = flow.detected_protocol_stack[1];
  found.category = text(ndpi_category_get_name(
      module_, flow.category != NDPI_PROTOCOL_CATEGORY_UNSPECIFIED ? flow.category
                                                                    : ndpi_get_proto_category(module_, protocol)));
  found.confidence = static_cast<std::uint8_t>(flow.confidence);
  found.guessed = is_guess(flow.confidence);

  if (speaks(flow, {NDPI_PROTOCOL_TLS, NDPI_PROTOCOL_DTLS, NDPI_PROTOCOL_QUIC, NDPI_PROTOCOL_MAIL_SMTPS,
                    NDPI_PROTOCOL_MAIL_POPS, NDPI_PROTOCOL_MAIL_IMAPS})) {
    const auto& tls = flow.protos.tls_quic;
    found.kind = Application::Kind::kTls;
    found.server_name = text(flow.host_server_name);
    found.alpn = text(tls.alpn);
    if (tls.ja3_server[0] != '\0' && tls.ssl_version == kTls13) found.tls_version = "TLSv1.3";
  } else if (speaks(flow, {NDPI_PROTOCOL_DNS, NDPI_PROTOCOL_MDNS, NDPI_PROTOCOL_LLMNR})) {
    found.kind = Application::Kind::kDns;
    found.dns_query = text(flow.host_server_name);
  } else if (speaks(flow, {NDPI_PROTOCOL_HTTP, NDPI_PROTOCOL_HTTP_CONNECT, NDPI_PROTOCOL_HTTP_PROXY})) {
    found.http_host = text(flow.host_server_name);
    found.http_user_agent = text(flow.http.user_agent);
  } else if (speaks(flow, {NDPI_PROTOCOL_SSH})) {
    found.kind = Application::Kind::kSsh;
  }
  return found;
}

Application ApplicationDetector::guess(const PacketView& packet) const {
  const bool v4 = is_mapped(packet.from.address) && is_mapped(packet.to.address);
  const auto host = [v4](const PacketEnd& end) { return v4 ? ntohl(v4_of(end.address)) : 0; };
  const ndpi_protocol protocol =
      ndpi_guess_undetected_protocol(module_, nullptr, packet.udp ? IPPROTO_UDP : IPPROTO_TCP, host(packet.from),
                                     packet.from.port, host(packet.to), packet.to.port);
  Application guessed;
  guessed.application_id = protocol.app_protocol;
  guessed.protocol_id = protocol.master_protocol;
  if (!guessed.known()) return guessed;
  name(guessed);
  guessed.category = text(ndpi_category_get_name(module_, protocol.category));
  guessed.confidence = NDPI_CONFIDENCE_MATCH_BY_PORT;
  guessed.guessed = true;
  return guessed;
}

}  // namespace procflow
