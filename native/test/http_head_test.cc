#include <string>
#include <vector>

#include "../src/http_head.h"
#include "harness.h"

namespace procflow {
namespace {

using Body = RequestHead::Body;

struct Parsed {
  HeadState state;
  RequestHead head;
  std::size_t bytes;
};

// The views point into `text`, which must outlive what this gives.
Parsed parse(const std::string& text) {
  Parsed parsed;
  parsed.state = parse_request(text, parsed.head, parsed.bytes);
  return parsed;
}

std::string with_fields(const std::string& fields) { return "POST /a HTTP/1.1\r\n" + fields + "\r\n"; }

TEST("http head: the request line and the fields that are wanted") {
  const std::string text =
      "GET /a/b?c=d%20e HTTP/1.1\r\nHost: example.org:8080\r\nuser-agent: \tcurl/7.88 (x; y)  \r\nAccept: */*\r\n\r\nbody";
  const Parsed parsed = parse(text);
  CHECK(parsed.state == HeadState::kComplete);
  CHECK_EQ(parsed.head.method, "GET");
  CHECK_EQ(parsed.head.target, "/a/b?c=d%20e");
  CHECK_EQ(parsed.head.host, "example.org:8080");
  CHECK_EQ(parsed.head.user_agent, "curl/7.88 (x; y)");
  CHECK_EQ(int{parsed.head.version}, 11);
  CHECK(parsed.head.body == Body::kLength);
  CHECK_EQ(parsed.head.length, 0u);
  CHECK_EQ(parsed.bytes, text.size() - 4);
}

TEST("http head: the forms of a target, and what is none") {
  const std::vector<std::string> good = {"GET / HTTP/1.1",
                                         "GET http://example.org/x HTTP/1.1",
                                         "GET HTTPS://example.org HTTP/1.0",
                                         "OPTIONS * HTTP/1.1",
                                         "CONNECT example.org:443 HTTP/1.1",
                                         "GET /\xc3\xa4 HTTP/1.1"};
  for (const std::string& line : good) {
    const std::string text = line + "\r\n\r\n";
    CHECK(parse(text).state == HeadState::kComplete);
  }
  const std::vector<std::string> bad = {
      "GET  / HTTP/1.1",      "GET / HTTP/1.1 ",       "GET /a b HTTP/1.1",       "GET /\x01 HTTP/1.1",
      "GET /\x7f HTTP/1.1",   "GET * HTTP/1.1",        "GET example.org HTTP/1.1", "GET ftp://x/ HTTP/1.1",
      "GET / HTTP/2.0",       "GET / HTTP/1.",         "GET / http/1.1",           "GET / RTSP/1.0",
      "GE\x80T / HTTP/1.1",   "GET",                   "GET /",                    "CONNECT a/b HTTP/1.1",
      "G(T / HTTP/1.1",       " GET / HTTP/1.1",       "GET / HTTP/1.1\rX"};
  for (const std::string& line : bad) {
    const std::string text = line + "\r\n\r\n";
    if (parse(text).state != HeadState::kInvalid) test::fail(__FILE__, __LINE__, "taken for a request: " + line);
  }
}

TEST("http head: versions") {
  const std::string old = "GET / HTTP/1.0\r\n\r\n", later = "GET / HTTP/1.7\r\n\r\n";
  CHECK_EQ(int{parse(old).head.version}, 10);
  CHECK_EQ(int{parse(later).head.version}, 11);
}

TEST("http head: empty lines before it, and bare line feeds") {
  const std::string text = "\r\n\n\r\nGET / HTTP/1.1\nHost: a\n\nrest";
  const Parsed parsed = parse(text);
  CHECK(parsed.state == HeadState::kComplete);
  CHECK_EQ(parsed.head.host, "a");
  CHECK_EQ(parsed.bytes, text.size() - 4);
}

TEST("http head: how the body is delimited") {
  struct Case {
    std::string fields;
    Body body;
    std::uint64_t length;
  };
  const std::vector<Case> cases = {
      {"", Body::kLength, 0},
      {"Content-Length: 5\r\n", Body::kLength, 5},
      {"CONTENT-LENGTH:\t 999999999999999 \r\n", Body::kLength, 999999999999999},
      {"Content-Length: 0005\r\n", Body::kLength, 5},
      {"Transfer-Encoding: chunked\r\n", Body::kChunked, 0},
      {"transfer-encoding: gzip, Chunked\r\n", Body::kChunked, 0},
      {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", Body::kChunked, 0},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Body::kChunked, 0},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", Body::kInvalid, 0},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", Body::kInvalid, 0},
      {"Content-Length: 5, 5\r\n", Body::kInvalid, 0},
      {"Content-Length: -5\r\n", Body::kInvalid, 0},
      {"Content-Length: +5\r\n", Body::kInvalid, 0},
      {"Content-Length: 0x5\r\n", Body::kInvalid, 0},
      {"Content-Length: \r\n", Body::kInvalid, 0},
      {"Content-Length: 1 2\r\n", Body::kInvalid, 0},
      {"Content-Length: 18446744073709551621\r\n", Body::kInvalid, 0},
      {"Content-Length : 5\r\n", Body::kInvalid, 0},
      {"Content-Length: 5\r\n 6\r\n", Body::kInvalid, 0},
      {"Transfer-Encoding:\r\n chunked\r\n", Body::kInvalid, 0},
      {"Transfer-Encoding: chunked, gzip\r\n", Body::kInvalid, 0},
      {"Transfer-Encoding: xchunked\r\n", Body::kInvalid, 0},
      {"Transfer-Encoding : chunked\r\n", Body::kInvalid, 0},
      {"X-Content-Length: 5\r\n", Body::kLength, 0},
  };
  for (const Case& each : cases) {
    const std::string text = with_fields(each.fields);
    const Parsed parsed = parse(text);
    const bool right = parsed.state == HeadState::kComplete && parsed.head.body == each.body &&
                       (each.body != Body::kLength || parsed.head.length == each.length);
    if (!right) test::fail(__FILE__, __LINE__, "wrong body: " + each.fields);
  }
  const std::string old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(parse(old).head.body == Body::kInvalid);
}

TEST("http head: folded fields and lines that are no fields hide nothing") {
  const std::string text = "GET / HTTP/1.1\r\nX: a\r\n b\r\n\tc\r\nno field at all\r\n: x\r\nHost: a\r\n\r\n";
  const Parsed parsed = parse(text);
  CHECK(parsed.state == HeadState::kComplete);
  CHECK_EQ(parsed.head.host, "a");
}

TEST("http head: control characters are no HTTP") {
  const std::string bare_cr = "GET / HTTP/1.1\r\nA: b\rHost: c\r\n\r\n";
  CHECK(parse(bare_cr).state == HeadState::kInvalid);
  const std::string nul = std::string("GET / HTTP/1.1\r\nA: b") + '\0' + "\r\n\r\n";
  CHECK(parse(nul).state == HeadState::kInvalid);
}

TEST("http head: one that is cut gives what it has") {
  const std::string whole = "GET /abc HTTP/1.1\r\nHost: example.org\r\nUser-Agent: x\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); size++) {
    const std::string text = whole.substr(0, size);
    const Parsed parsed = parse(text);
    if (size == 0) continue;
    CHECK(parsed.state == HeadState::kCut);
    CHECK_EQ(parsed.bytes, 0u);
    if (size > 10) CHECK_EQ(parsed.head.target.substr(0, 3), "/ab");
    if (size > 40) CHECK_EQ(parsed.head.host, "example.org");
  }
  CHECK(parse(whole).state == HeadState::kComplete);
}

}  // namespace
}  // namespace procflow
