#include "payload_peek.h"

#include <algorithm>
#include <cstring>

namespace procflow {
namespace {

constexpr std::size_t kSshMaxBanner = 255;

constexpr std::size_t kDnsHeader = 12;
constexpr std::uint8_t kDnsAnswer = 0x80;     // of the third byte
constexpr std::uint8_t kDnsReplyCode = 0x0f;  // of the fourth

constexpr std::uint8_t kTlsHandshake = 22;
constexpr std::uint8_t kTlsServerHello = 2;
constexpr std::size_t kTlsRecordHeader = 5;
constexpr std::size_t kTlsHandshakeHeader = 4;

}  // namespace

std::string ssh_banner(Payload payload) {
  static constexpr char kStart[] = {'S', 'S', 'H', '-'};
  if (payload.size() < sizeof kStart || std::memcmp(payload.data(), kStart, sizeof kStart) != 0) return "";
  const auto line = payload.first(std::min(payload.size(), kSshMaxBanner));
  const auto end = std::find_if(line.begin(), line.end(), [](std::uint8_t c) { return c == '\r' || c == '\n' || c == 0; });
  return std::string(line.begin(), end);
}

std::optional<int> dns_reply_code(Payload payload) {
  if (payload.size() < kDnsHeader || (payload[2] & kDnsAnswer) == 0) return std::nullopt;
  return payload[3] & kDnsReplyCode;
}

std::string tls_server_version(Payload payload) {
  constexpr std::size_t at = kTlsRecordHeader + kTlsHandshakeHeader;
  if (payload.size() < at + 2 || payload[0] != kTlsHandshake || payload[kTlsRecordHeader] != kTlsServerHello) return "";
  switch (payload[at] << 8 | payload[at + 1]) {
    case 0x0300: return "SSLv3";
    case 0x0301: return "TLSv1.0";
    case 0x0302: return "TLSv1.1";
    case 0x0303: return "TLSv1.2";
    default: return "";
  }
}

}  // namespace procflow
