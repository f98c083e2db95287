// What is read of payloads without nDPI, which is wrong about it, or does not say it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace procflow {

using Payload = std::span<const std::uint8_t>;

// The identification string at the start of an SSH connection (RFC 4253, 4.2), without the line end; empty when there
// is none.
std::string ssh_banner(Payload payload);

// RCODE of a DNS answer in a datagram (RFC 1035, 4.1.1).
std::optional<int> dns_reply_code(Payload payload);

// The version that a TLS server chose, up to 1.2, by its ServerHello (RFC 5246, 7.4.1.3): "TLSv1.2". TLS 1.3 says 1.2
// here and the truth in an extension. Empty when the payload begins with no ServerHello.
std::string tls_server_version(Payload payload);

}  // namespace procflow
