// One netlink socket: requests and their answers, and the events of the groups it has joined.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "proc_files.h"

namespace procflow {

// The attributes of a message, walked with every length checked.
template <typename F>
void for_each_attribute(const void* first, std::size_t length, F&& visit) {
  const auto* at = static_cast<const std::uint8_t*>(first);
  while (length >= sizeof(nlattr)) {
    const auto* attribute = reinterpret_cast<const nlattr*>(at);
    if (attribute->nla_len < sizeof(nlattr) || attribute->nla_len > length) return;
    visit(static_cast<std::uint16_t>(attribute->nla_type & NLA_TYPE_MASK), at + NLA_HDRLEN,
          static_cast<std::size_t>(attribute->nla_len - NLA_HDRLEN));
    const std::size_t step = NLA_ALIGN(attribute->nla_len);
    if (step >= length) return;
    at += step;
    length -= step;
  }
}

class Netlink {
 public:
  using OnMessage = std::function<void(const nlmsghdr&)>;

  Netlink() = default;
  // Takes over a netlink socket and binds it to the groups (a bit mask of groups 1 to 32).
  SystemError open(OwnedFd socket, std::uint32_t groups);
  void close() { socket_.reset(); }
  bool is_open() const { return static_cast<bool>(socket_); }
  int fd() const { return socket_.get(); }

  // Sends a request (nlmsg_seq is filled in) and hands each message of the answer to `on_message`, which must not use
  // netlink itself. `interrupted` tells that the kernel's table changed in the middle of a dump. Events that arrive in
  // between go to `on_event`.
  SystemError exchange(nlmsghdr& request, const OnMessage& on_message, bool* interrupted = nullptr);

  // Takes the events that wait. ENOBUFS is the error when some were lost.
  SystemError drain();

  OnMessage on_event;

 private:
  SystemError receive(int flags, std::size_t& length);

  OwnedFd socket_;
  std::uint32_t port_ = 0;
  std::uint32_t sequence_ = 0;
};

}  // namespace procflow
