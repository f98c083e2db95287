#include "datagram_sender.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace procflow {
namespace {

// Datagrams of one system call.
constexpr std::size_t kBatch = 64;
// The kernel's default holds a few hundred small datagrams; a burst is more.
constexpr int kSendBufferBytes = 4 << 20;

}  // namespace

DatagramSender::DatagramSender(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) throw std::runtime_error(gai_strerror(status));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
  fd_ = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) throw std::runtime_error(std::strerror(errno));
  is_ipv6_ = found->ai_family == AF_INET6;
  const int discover = is_ipv6_ ? IPV6_PMTUDISC_DO : IP_PMTUDISC_DO;
  setsockopt(fd_, is_ipv6_ ? IPPROTO_IPV6 : IPPROTO_IP, is_ipv6_ ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &discover,
             sizeof discover);
  // Less is no failure.
  setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
  if (connect(fd_, found->ai_addr, found->ai_addrlen) != 0) {
    const int error = errno;
    close(fd_);
    throw std::runtime_error(std::strerror(error));
  }
}

DatagramSender::~DatagramSender() { close(fd_); }

int DatagramSender::path_mtu() const {
  int mtu = 0;
  socklen_t length = sizeof mtu;
  const int status =
      getsockopt(fd_, is_ipv6_ ? IPPROTO_IPV6 : IPPROTO_IP, is_ipv6_ ? IPV6_MTU : IP_MTU, &mtu, &length);
  return status == 0 ? mtu : 0;
}

int DatagramSender::send(const std::uint8_t* slots, std::size_t slot_size, const std::uint32_t* lengths,
                         std::size_t count) const {
  std::array<iovec, kBatch> pieces;
  std::array<mmsghdr, kBatch> messages{};
  std::size_t sent = 0;
  while (sent < count) {
    const std::size_t now = std::min(kBatch, count - sent);
    for (std::size_t i = 0; i < now; i++) {
      pieces[i].iov_base = const_cast<std::uint8_t*>(slots + (sent + i) * slot_size);
      pieces[i].iov_len = lengths[sent + i];
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int result = sendmmsg(fd_, messages.data(), static_cast<unsigned>(now), 0);
    if (result < 0) return sent > 0 ? static_cast<int>(sent) : -errno;
    sent += static_cast<std::size_t>(result);
    // What comes next has an error, which the next call tells.
    if (static_cast<std::size_t>(result) < now) break;
  }
  return static_cast<int>(sent);
}

}  // namespace procflow
