#include <string>
#include <vector>

#include "harness.h"
#include "head_scanner.h"

namespace procflow::test {
namespace {

using State = HeadScanner::State;

const std::string kRequest =
    "POST /a?b HTTP/1.1\r\nHost: example.org\r\nCookie: " + std::string(700, 'c') +
    "\r\nContent-Type: text/plain\r\nContent-Length: 42\r\nTE: trailers\r\n\r\n";

pf_http_buffer buffer_of(const std::string& text) {
  pf_http_buffer buffer{};
  text.copy(reinterpret_cast<char*>(buffer.bytes), text.size());
  return buffer;
}

TEST("http scan: what a request and a response begin with") {
  const auto begins = [](const std::string& text, bool request) {
    pf_http_framing framing{};
    const pf_http_buffer buffer = buffer_of(text);
    return pf_http_begins(&framing, &buffer, static_cast<pf_u32>(text.size()), request);
  };
  for (const char* text : {"GET / ", "POST /x", "OPTIONS * ", "GET http://", "CONNECT a:1", "VERSION-CONTROL /x"})
    CHECK_EQ(begins(text, true), int{PF_HTTP_YES});
  for (const char* text : {"G", "GET", "GET ", "CONNECT ", "VERSION-CONTROL"}) CHECK_EQ(begins(text, true), int{PF_HTTP_MAYBE});
  for (const char* text : {" GET /", "get / ", "EHLO localhost", "GET key", "QUIT\r\n", "\x16\x03\x01", "SSH-2.0-x",
                           "ABCDEFGHIJKLMNOPQRSTUV /"})
    CHECK_EQ(begins(text, true), int{PF_HTTP_NO});
  CHECK_EQ(begins("HTTP/1.1 200 OK", false), int{PF_HTTP_YES});
  CHECK_EQ(begins("HTTP/1.0 404", false), int{PF_HTTP_YES});
  CHECK_EQ(begins("HTTP/1.1 20", false), int{PF_HTTP_MAYBE});
  CHECK_EQ(begins("H", false), int{PF_HTTP_MAYBE});
  for (const char* text : {"HTTP/2 200 OK", "HTTP/1.1 2x0 OK", "HTTP/1.1 000 OK", "HTTX", "RTSP/1.0 200 OK"})
    CHECK_EQ(begins(text, false), int{PF_HTTP_NO});
}

TEST("http scan: a head's end and its body, however the head is split") {
  for (std::size_t first = 1; first < kRequest.size(); first++) {
    HeadScanner scanner(true);
    CHECK(scanner.message(kRequest.substr(0, first)) == State::kInHead);
    CHECK(scanner.message(kRequest.substr(first) + "body") == State::kEnded);
    CHECK_EQ(scanner.bytes(), kRequest.size());
    CHECK_EQ(scanner.framing().length, 42u);
    CHECK(pf_http_request_body(&scanner.framing()) == PF_HTTP_BODY_LENGTH);
  }
  HeadScanner bytewise(true);
  for (const char c : kRequest) bytewise.message({&c, 1});
  CHECK_EQ(bytewise.bytes(), kRequest.size());
  CHECK_EQ(bytewise.framing().length, 42u);
}

TEST("http scan: a head that is longer than the buffer") {
  const std::string text = "GET / HTTP/1.1\r\nCookie: " + std::string(20'000, 'x') + "\r\n" +
                           "A: b\r\n\r\nGET /next";
  for (const std::size_t piece : {std::size_t{7}, std::size_t{1000}, text.size()}) {
    HeadScanner scanner(true);
    State state = State::kInHead;
    for (std::size_t at = 0; at < text.size() && state == State::kInHead; at += piece)
      state = scanner.message(text.substr(at, piece));
    CHECK(state == State::kEnded);
    CHECK_EQ(scanner.bytes(), text.size() - 9);
  }
}

TEST("http scan: bodies of responses") {
  struct Case {
    std::string head;
    pf_u8 asked;
    pf_http_body body;
    pf_u64 length;
  };
  const std::vector<Case> cases = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", 0, PF_HTTP_BODY_LENGTH, 7},
      {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", PF_HTTP_IS_HEAD, PF_HTTP_BODY_LENGTH, 0},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0, PF_HTTP_BODY_CHUNKED, 0},
      {"HTTP/1.1 200 OK\r\ntransfer-encoding:gzip\r\n\r\n", 0, PF_HTTP_BODY_UNTIL_CLOSE, 0},
      {"HTTP/1.1 200 OK\r\n\r\n", 0, PF_HTTP_BODY_UNTIL_CLOSE, 0},
      {"HTTP/1.1 204 No Content\nContent-Length: 7\n\n", 0, PF_HTTP_BODY_LENGTH, 0},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 0, PF_HTTP_BODY_LENGTH, 0},
      {"HTTP/1.1 100 Continue\r\n\r\n", 0, PF_HTTP_BODY_LENGTH, 0},
      {"HTTP/1.1 200 OK\r\n\r\n", PF_HTTP_IS_CONNECT, PF_HTTP_BODY_LENGTH, 0},
      {"HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\n", PF_HTTP_IS_CONNECT, PF_HTTP_BODY_LENGTH, 3},
      {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 8\r\n\r\n", 0, PF_HTTP_BODY_BAD, 0},
      {"HTTP/1.1 200 OK\r\nContent-Length: 7a\r\n\r\n", 0, PF_HTTP_BODY_BAD, 0},
  };
  for (const Case& each : cases) {
    HeadScanner scanner(false);
    CHECK(scanner.message(each.head + "xyz") == State::kEnded);
    const pf_http_body body = pf_http_response_body(&scanner.framing(), each.asked);
    if (body != each.body || (body == PF_HTTP_BODY_LENGTH && scanner.framing().length != each.length))
      fail(__FILE__, __LINE__, "wrong body: " + each.head);
  }
}

// Goes over a chunked body in messages of `piece` bytes; how many bytes it has, or 0 when it is none.
std::size_t chunked_bytes(const std::string& body, std::size_t piece) {
  pf_http_chunk chunk{};
  bool trailer = false;
  std::size_t left = 0;
  for (std::size_t message = 0; message < body.size(); message += piece) {
    const std::size_t end = std::min(body.size(), message + piece);
    for (std::size_t at = message; at < end;) {
      if (left > 0) {
        const std::size_t taken = std::min(left, end - at);
        left -= taken;
        at += taken;
        continue;
      }
      const auto length = static_cast<pf_u32>(std::min<std::size_t>(end - at, PF_HTTP_CHUNK_WINDOW));
      const pf_http_buffer buffer = buffer_of(body.substr(at, length));
      const int line = trailer ? pf_http_trailer(&chunk, &buffer, length) : pf_http_chunk_size(&chunk, &buffer, length);
      at += chunk.taken;
      if (line == PF_HTTP_LINE_BAD) return 0;
      if (line == PF_HTTP_LINE_MORE) continue;
      if (trailer) return at;
      if (chunk.size == 0)
        trailer = true;
      else
        left = chunk.size + 2;
      chunk = {};
    }
  }
  return 0;
}

TEST("http scan: chunked bodies, however they are split") {
  const std::string chunks = "5\r\nhello\r\n1A;name=\"value\";longer=than-a-window\r\n" + std::string(26, 'x') + "\r\n";
  const std::string plain = chunks + "0\r\n\r\n", trailers = chunks + "000\r\nA: b\r\nCc: " + std::string(40, 'd') + "\r\n\r\n";
  for (std::size_t piece = 1; piece <= trailers.size(); piece++) {
    CHECK_EQ(chunked_bytes(plain + "HTTP/1.1 200 OK\r\n", piece), plain.size());
    CHECK_EQ(chunked_bytes(trailers + "x", piece), trailers.size());
  }
  for (const char* bad : {"\r\nx", "g\r\n", "-1\r\n", "123456789abcdef\r\nx"}) CHECK_EQ(chunked_bytes(bad, 100), 0u);
}

}  // namespace
}  // namespace procflow::test
