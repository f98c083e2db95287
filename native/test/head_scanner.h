// Goes over a head as the kernel programs do: in messages, and in each by windows of the buffer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "../bpf/http_scan.h"

namespace procflow::test {

class HeadScanner {
 public:
  enum class State { kInHead, kEnded, kNoHttp };

  explicit HeadScanner(bool is_request) : is_request_(is_request) {}

  // Takes a message in; after the head has ended, no more. What lies behind the head is not counted in `bytes`.
  State message(std::string_view text) {
    begin_message();
    std::size_t at = 0;
    while (state_ == State::kInHead) {
      if (cursor_.scanned >= cursor_.filled) {
        if (at == text.size() || cursor_.filled >= PF_HTTP_CARRY + PF_HTTP_HEAD_BYTES) {
          if (cursor_.filled == carried_ && at == text.size()) break;
          carry();
          if (at == text.size()) break;
          continue;
        }
        const std::size_t got = std::min<std::size_t>(text.size() - at, PF_HTTP_WINDOW);
        if (bytes_ == 0 && (text[at] == '\r' || text[at] == '\n')) {
          at++;
          continue;
        }
        std::memcpy(buffer_.bytes + cursor_.filled, text.data() + at, got);
        cursor_.filled += static_cast<pf_u32>(got);
        bytes_ += got;
        at += got;
      }
      step();
    }
    return state_;
  }

  std::size_t bytes() const { return bytes_; }
  pf_http_framing& framing() { return framing_; }

 private:
  void begin_message() {
    std::memcpy(buffer_.bytes, line_, sizeof line_);
    cursor_ = {carried_, carried_, 0};
  }

  void step() {
    if ((framing_.flags & PF_HTTP_RECOGNISED) == 0) {
      const int match = pf_http_begins(&framing_, &buffer_, cursor_.filled, is_request_);
      if (match == PF_HTTP_NO) {
        state_ = State::kNoHttp;
        return;
      }
      if (match == PF_HTTP_YES) framing_.flags |= PF_HTTP_RECOGNISED;
    }
    if (pf_http_scan(&framing_, &buffer_, &cursor_) == 0) return;
    bytes_ -= cursor_.filled - cursor_.scanned;
    state_ = State::kEnded;
  }

  void carry() {
    pf_u32 length = cursor_.filled - cursor_.line;
    if (length > PF_HTTP_CARRY || (framing_.flags & PF_HTTP_LONG_LINE) != 0) {
      framing_.flags |= PF_HTTP_LONG_LINE;
      length = 0;
    }
    std::memmove(line_, buffer_.bytes + cursor_.line, sizeof line_);
    std::memcpy(buffer_.bytes, line_, sizeof line_);
    carried_ = length;
    cursor_ = {length, length, 0};
  }

  bool is_request_;
  State state_ = State::kInHead;
  pf_http_framing framing_{};
  pf_http_buffer buffer_{};
  pf_http_cursor cursor_{};
  pf_u8 line_[PF_HTTP_CARRY]{};
  pf_u32 carried_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace procflow::test
