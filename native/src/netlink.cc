#include "netlink.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace procflow {
namespace {

constexpr std::size_t kBufferBytes = 128 * 1024;  // the kernel sends at most 32 KiB unless one message is larger
constexpr int kAnswerTimeoutMs = 500;             // answers are made while the request is sent: this never passes
constexpr int kMaxEventsPerDrain = 4096;

// One buffer for the thread: answers are handled before the next is received.
char* buffer() {
  thread_local std::vector<char> bytes(kBufferBytes);
  return bytes.data();
}

}  // namespace

SystemError Netlink::open(OwnedFd socket, std::uint32_t groups) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return {errno, "bind a netlink socket"};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return {errno, "name a netlink socket"};
  port_ = address.nl_pid;
  socket_ = std::move(socket);
  return {};
}

SystemError Netlink::receive(int flags, std::size_t& length) {
  for (;;) {
    sockaddr_nl from{};
    iovec vector{buffer(), kBufferBytes};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    const ssize_t got = recvmsg(socket_.get(), &message, flags);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {errno, "receive from netlink"};
    if (from.nl_pid != 0) continue;  // not the kernel
    if ((message.msg_flags & MSG_TRUNC) != 0) return {EMSGSIZE, "receive from netlink"};
    length = static_cast<std::size_t>(got);
    return {};
  }
}

SystemError Netlink::exchange(nlmsghdr& request, const OnMessage& on_message, bool* interrupted) {
  request.nlmsg_seq = ++sequence_;
  request.nlmsg_pid = port_;
  const bool dump = (request.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  while (send(socket_.get(), &request, request.nlmsg_len, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) return {errno, "send to netlink"};

  for (;;) {
    std::size_t length = 0;
    SystemError error = receive(MSG_DONTWAIT, length);
    if (error.code == EAGAIN) {
      pollfd wait{socket_.get(), POLLIN, 0};
      if (poll(&wait, 1, kAnswerTimeoutMs) <= 0) return {ETIMEDOUT, "receive from netlink"};
      continue;
    }
    if (error.code == ENOBUFS) continue;  // events were lost; our own answer waits behind
    if (error) return error;
    auto remaining = static_cast<unsigned>(length);
    for (auto* message = reinterpret_cast<const nlmsghdr*>(buffer()); NLMSG_OK(message, remaining);
         message = NLMSG_NEXT(message, remaining)) {
      if (message->nlmsg_seq != sequence_ || message->nlmsg_pid != port_) {
        if (on_event) on_event(*message);
        continue;
      }
      if (interrupted != nullptr && (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) *interrupted = true;
      if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
        int code = 0;
        if (message->nlmsg_len >= NLMSG_LENGTH(sizeof code)) __builtin_memcpy(&code, NLMSG_DATA(message), sizeof code);
        if (code < 0) return {-code, "ask netlink"};
        return {};
      }
      on_message(*message);
      if (!dump) return {};
    }
  }
}

SystemError Netlink::drain() {
  SystemError result;
  for (int i = 0; i < kMaxEventsPerDrain; i++) {
    std::size_t length = 0;
    const SystemError error = receive(MSG_DONTWAIT, length);
    if (error.code == EAGAIN) break;
    if (error) {
      result = error;
      if (error.code == ENOBUFS || error.code == EMSGSIZE) continue;
      break;
    }
    auto remaining = static_cast<unsigned>(length);
    for (auto* message = reinterpret_cast<const nlmsghdr*>(buffer()); NLMSG_OK(message, remaining);
         message = NLMSG_NEXT(message, remaining))
      if (on_event) on_event(*message);
  }
  return result;
}

}  // namespace procflow
