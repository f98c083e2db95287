#include "http_head.h"

#include <array>
#include <cstddef>

namespace procflow {
namespace {

constexpr std::size_t kMostBlanks = 64;       // around the value of a field that tells of the body
constexpr std::size_t kMostLengthDigits = 15;  // what a double holds exactly

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// tchar, RFC 9110, section 5.6.2
constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> is{};
  for (int c = '0'; c <= '9'; c++) is[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; c++) is[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; c++) is[static_cast<std::size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) is[static_cast<unsigned char>(c)] = true;
  return is;
}();

bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (!kTokenCharacters[static_cast<unsigned char>(c)]) return false;
  return true;
}

bool equals(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); i++)
    if (lower(text[i]) != lower_case[i]) return false;
  return true;
}

std::string_view trimmed(std::string_view text, std::size_t most) {
  for (std::size_t i = 0; i < most && !text.empty() && is_blank(text.front()); i++) text.remove_prefix(1);
  for (std::size_t i = 0; i < most && !text.empty() && is_blank(text.back()); i++) text.remove_suffix(1);
  return text;
}

// Takes the next line off the text, without its end; false when it has none.
bool take_line(std::string_view& text, std::string_view& line) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  text.remove_prefix(end + 1);
  return true;
}

bool is_target(std::string_view method, std::string_view target) {
  if (target.empty()) return false;
  for (const char c : target)
    if (c == ' ' || is_control(c)) return false;
  if (method == "CONNECT") return target.find('/') == std::string_view::npos;
  if (target.front() == '/') return true;
  if (target == "*") return method == "OPTIONS";
  const std::size_t scheme = target.find("://");
  return scheme == 4 ? equals(target.substr(0, 4), "http") : scheme == 5 && equals(target.substr(0, 5), "https");
}

// method SP request-target SP HTTP-version
bool parse_request_line(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return false;
  head.method = line.substr(0, first);
  const std::size_t second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return false;
  head.target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/1.") || !is_digit(version[7])) return false;
  // A minor version that is not known is treated as the highest that is.
  head.version = version[7] == '0' ? 10 : 11;
  return is_token(head.method) && is_target(head.method, head.target);
}

// A request line that the text ends in.
bool parse_cut_request_line(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' ');
  head.method = line.substr(0, first);
  if (!is_token(head.method)) return false;
  if (first == std::string_view::npos) return true;
  const std::size_t second = line.find(' ', first + 1);
  head.target = line.substr(first + 1, second == std::string_view::npos ? second : second - first - 1);
  for (const char c : head.target)
    if (is_control(c)) return false;
  return true;
}

// What the fields say of the body until all are read.
struct Framing {
  bool has_length = false, has_coding = false, chunked = false, bad = false;
  std::uint64_t length = 0;

  void content_length(std::string_view value) {
    value = trimmed(value, kMostBlanks);
    if (has_length || value.empty() || value.size() > kMostLengthDigits) bad = true;
    has_length = true;
    length = 0;
    for (const char c : value) {
      if (!is_digit(c)) bad = true;
      if (bad) return;
      length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
  }

  // The last coding must be chunked; those before it do not matter here.
  void transfer_encoding(std::string_view value) {
    value = trimmed(value, kMostBlanks);
    has_coding = true;
    chunked = value.size() >= 7 && equals(value.substr(value.size() - 7), "chunked") &&
              (value.size() == 7 || value[value.size() - 8] == ',' || is_blank(value[value.size() - 8]));
  }

  void tell(RequestHead& head) const {
    head.body = RequestHead::Body::kLength;
    head.length = 0;
    if (has_coding) {
      head.body =
          chunked && !bad && head.version >= 11 ? RequestHead::Body::kChunked : RequestHead::Body::kInvalid;
    } else if (bad) {
      head.body = RequestHead::Body::kInvalid;
    } else if (has_length) {
      head.length = length;
    }
  }
};

bool has_control(std::string_view line) {
  for (const char c : line)
    if (is_control(c) && c != '\t') return true;
  return false;
}

}  // namespace

HeadState parse_request(std::string_view text, RequestHead& head, std::size_t& bytes) {
  const std::size_t size = text.size();
  head = {};
  bytes = 0;
  std::string_view line;
  do {
    if (!take_line(text, line)) return parse_cut_request_line(text, head) ? HeadState::kCut : HeadState::kInvalid;
  } while (line.empty());
  if (!parse_request_line(line, head)) return HeadState::kInvalid;

  Framing framing;
  bool framing_line = false;  // the last field tells of the body
  while (take_line(text, line)) {
    if (line.empty()) {
      framing.tell(head);
      bytes = size - text.size();
      return HeadState::kComplete;
    }
    if (has_control(line)) return HeadState::kInvalid;
    if (is_blank(line.front())) {
      if (framing_line) framing.bad = true;
      continue;
    }
    framing_line = false;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 1);
    if (equals(name, "content-length")) {
      framing.content_length(value);
      framing_line = true;
    } else if (equals(name, "transfer-encoding")) {
      framing.transfer_encoding(value);
      framing_line = true;
    } else if (equals(name, "host")) {
      if (head.host.empty()) head.host = trimmed(value, value.size());
    } else if (equals(name, "user-agent")) {
      if (head.user_agent.empty()) head.user_agent = trimmed(value, value.size());
    } else if (equals(trimmed(name, kMostBlanks), "content-length") ||
               equals(trimmed(name, kMostBlanks), "transfer-encoding")) {
      framing.bad = true;  // a blank before the colon hides it from some (section 5.1)
    }
  }
  framing.tell(head);
  return HeadState::kCut;
}

}  // namespace procflow
