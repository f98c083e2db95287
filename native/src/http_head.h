// A strict parser of HTTP/1.0 and HTTP/1.1 request heads (RFC 9112). It reads bytes that anybody may have sent: bounded,
// without allocation, and what it gives are views into its input.
#pragma once

#include <cstdint>
#include <string_view>

namespace procflow {

struct RequestHead {
  std::string_view method;
  std::string_view target;  // origin-form, absolute-form, authority-form (CONNECT) or "*" (OPTIONS)
  std::string_view host;    // the first Host field; empty when there is none
  std::string_view user_agent;
  std::uint8_t version = 0;  // 10 or 11; 0 when the text ends before it

  // How the body is delimited (RFC 9112, section 6.3).
  enum class Body : std::uint8_t {
    kLength,   // `length` bytes, often none
    kChunked,
    kInvalid,  // the fields contradict each other, or say what a request must not
  } body = Body::kLength;
  std::uint64_t length = 0;
};

enum class HeadState : std::uint8_t {
  kComplete,  // up to the empty line
  kCut,       // the text ends before it; `head` has what came so far, as far as it is right
  kInvalid,   // no HTTP/1 request
};

// Parses what begins at the first byte. Empty lines before the request line are skipped, and a line feed alone ends a
// line, as section 2.2 lets a server do. A field that is no field is passed over; it can hide no other. Folded fields are
// taken, except for those that tell of the body. `bytes` is set to the length of a complete head.
HeadState parse_request(std::string_view text, RequestHead& head, std::size_t& bytes);

}  // namespace procflow
