// Fuzzes what reads HTTP: the parser of requests, the kernel programs' scan of heads and chunks, and the assembler of
// exchanges, each with whatever bytes come. Checks besides, that where the parser finds a request right, the scan finds
// the same end and the same body, however the head is split.
// Sources: src/http_head.cc src/exchanges.cc src/flow_cookie.cc src/usage_rows.cc src/batch.cc
// Libraries: -lbpf
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "../src/exchanges.h"
#include "../test/head_scanner.h"

namespace {

using procflow::Exchanges;
using procflow::HeadState;
using procflow::RequestHead;
using procflow::test::HeadScanner;

void require(bool condition) {
  if (!condition) std::abort();
}

// What is left of the input.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : text_(reinterpret_cast<const char*>(data), size) {}
  bool empty() const { return text_.empty(); }
  std::uint8_t byte() {
    if (text_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(text_.front());
    text_.remove_prefix(1);
    return value;
  }
  std::string_view take(std::size_t size) {
    const std::string_view taken = text_.substr(0, size);
    text_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

HeadScanner::State scan(HeadScanner& scanner, std::string_view text, std::size_t first, std::size_t piece) {
  HeadScanner::State state = scanner.message(text.substr(0, first));
  for (std::size_t at = first; at < text.size() && state == HeadScanner::State::kInHead; at += piece)
    state = scanner.message(text.substr(at, piece));
  return state;
}

bool same_body(const RequestHead& head, HeadScanner& scanner) {
  const pf_http_body body = pf_http_request_body(&scanner.framing());
  if (head.body == RequestHead::Body::kChunked) return body == PF_HTTP_BODY_CHUNKED;
  return body == PF_HTTP_BODY_LENGTH && scanner.framing().length == head.length;
}

bool has_long_line(std::string_view text) {
  std::size_t start = 0;
  for (std::size_t end; (end = text.find('\n', start)) != std::string_view::npos; start = end + 1)
    if (end - start > PF_HTTP_CARRY) return true;
  return false;
}

void heads(Input input) {
  const std::size_t first = input.byte(), piece = std::size_t{1} + input.byte();
  const std::string_view text = input.rest();
  RequestHead head;
  std::size_t bytes = 0;
  const HeadState state = procflow::parse_request(text, head, bytes);
  for (const std::string_view part : {head.method, head.target, head.host, head.user_agent})
    require(part.empty() || (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size()));
  require((state == HeadState::kComplete) == (bytes != 0));

  HeadScanner split(true), whole(true), response(false);
  const HeadScanner::State split_state = scan(split, text, first, piece), whole_state = whole.message(text);
  scan(response, text, first, piece);
  pf_http_response_body(&response.framing(), static_cast<pf_u8>(piece));
  // A method that is not in capitals is none for the scan.
  if (state != HeadState::kComplete || whole_state == HeadScanner::State::kNoHttp) return;
  const std::size_t empty = text.find_first_not_of("\r\n");
  require(whole_state == HeadScanner::State::kEnded && split_state == HeadScanner::State::kEnded);
  require(whole.bytes() == bytes - empty && split.bytes() == bytes - empty);
  if (head.body == RequestHead::Body::kInvalid) return;
  // Of a line that goes on in the next message, or behind the buffer, only the beginning is kept.
  require(bytes > PF_HTTP_HEAD_BYTES || same_body(head, whole));
  require(has_long_line(text) || same_body(head, split));
}

void chunks(Input input) {
  pf_http_chunk chunk{};
  while (!input.empty()) {
    const std::size_t size = 1 + input.byte() % PF_HTTP_CHUNK_WINDOW;
    const std::string_view text = input.take(size);
    pf_http_buffer buffer{};
    text.copy(reinterpret_cast<char*>(buffer.bytes), text.size());
    const auto length = static_cast<pf_u32>(text.size());
    const int line = input.rest().size() % 2 == 0 ? pf_http_chunk_size(&chunk, &buffer, length)
                                                  : pf_http_trailer(&chunk, &buffer, length);
    require(chunk.taken <= length || length == 0);
    if (line != PF_HTTP_LINE_MORE) chunk = {};
  }
}

// Records in any order, with any contents. Nothing may be left when the sockets are closed.
void exchanges(Input input) {
  Exchanges assembler(-1);
  procflow::BatchBuilder out;
  constexpr std::uint64_t kCookies = 3;
  std::vector<std::uint8_t> memory;
  while (!input.empty()) {
    pf_http_record record{};
    record.record = PF_RECORD_HTTP;
    record.event = input.byte() % 5;
    record.cookie = 1 + input.byte() % kCookies;
    record.flags = input.byte();
    record.ordinal = input.byte() % 4;
    record.start_ns = record.time_ns = input.byte();
    record.bytes = input.byte();
    record.body = input.byte() % 5;
    record.reading.threads = record.tid = input.byte() % 3;
    record.reading.peak_pages = record.reading.process.io_wait_ns = (record.flags & 1) != 0 ? PF_UNKNOWN : 5;
    const std::string_view data = record.event == PF_HTTP_HEAD ? input.take(input.byte()) : std::string_view();
    record.data_bytes = static_cast<pf_u32>(data.size());
    record.repeated_bytes = record.status = record.bytes % 3 == 0 ? record.bytes : 0;
    memory.resize(sizeof record + data.size());
    std::memcpy(memory.data(), &record, sizeof record);
    if (!data.empty()) std::memcpy(memory.data() + sizeof record, data.data(), data.size());
    assembler.record(*reinterpret_cast<const pf_http_record*>(memory.data()), memory.size(), out);
    if ((record.flags & 128) != 0) assembler.tell_started(1, out);
  }
  for (std::uint64_t cookie = 1; cookie <= kCookies; cookie++) assembler.socket_ended(cookie, 2, out);
  require(assembler.open() == 0);
  assembler.tell_started(3, out);
  std::free(out.seal().data);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  switch (input.byte() % 4) {
    case 0:
      exchanges(input);
      break;
    case 1:
      chunks(input);
      break;
    default:
      heads(input);
  }
  return 0;
}
