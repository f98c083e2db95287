// A connected UDP socket that many datagrams are sent on with one system call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace procflow {

class DatagramSender {
 public:
  // `address` is numeric, of either IP version. Throws std::runtime_error with the reason.
  DatagramSender(const std::string& address, std::uint16_t port);
  ~DatagramSender();
  DatagramSender(const DatagramSender&) = delete;
  DatagramSender& operator=(const DatagramSender&) = delete;

  // Sends `count` datagrams in their order: the n-th begins at slots + n * slot_size and has lengths[n] bytes. Never
  // waits, nor fragments: what is larger than the path takes fails with EMSGSIZE. Returns how many went, or the negative
  // errno of the first when none did.
  int send(const std::uint8_t* slots, std::size_t slot_size, const std::uint32_t* lengths, std::size_t count) const;

  // Largest IP packet that the path takes, as far as the kernel knows; 0 when it does not.
  int path_mtu() const;

 private:
  int fd_ = -1;
  bool is_ipv6_ = false;
};

}  // namespace procflow
