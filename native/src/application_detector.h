// Which application protocol a conversation speaks, by nDPI, from the payload of its first packets.
//
// nDPI reads what strangers sent, in this process. What it gets to see is limited: headers are made here, never copied;
// payloads lie in a buffer of their own with zeros behind them; nothing is fed to a conversation that is detected.
// nDPI keeps what it found of different protocols in one union: a field is read only when its protocol was detected.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "batch.h"

struct ndpi_detection_module_struct;
struct ndpi_flow_struct;

namespace procflow {

struct PacketEnd {
  Address address{};
  std::uint16_t port = 0;
};

struct PacketView {
  bool udp = false;
  PacketEnd from;
  PacketEnd to;
  std::uint32_t sequence = 0;  // TCP
  std::uint32_t acknowledgement = 0;
  std::uint8_t tcp_flags = 0;
  std::uint64_t time_ms = 0;
  std::span<const std::uint8_t> payload;
};

// Texts are empty when unknown; numbers and names are nDPI's.
struct Application {
  std::uint16_t protocol_id = 0;
  std::uint16_t application_id = 0;
  std::uint8_t confidence = 0;
  bool guessed = false;  // by port, address or other conversations
  enum class Kind { kOther, kTls, kDns, kSsh } kind = Kind::kOther;  // whose fields it may have, when not guessed
  std::string protocol;
  std::string application;
  std::string category;
  std::string server_name;
  std::string alpn;
  std::string tls_version;  // only what nDPI is right about: TLSv1.3
  std::string http_host;
  std::string http_user_agent;
  std::string dns_query;
  std::int32_t dns_reply_code = -1;
  std::string ssh_client;
  std::string ssh_server;

  bool known() const { return application_id != 0; }
  bool operator==(const Application&) const = default;
};

class ApplicationDetector {
 public:
  // Payload that is looked at of one packet, at most.
  static constexpr std::size_t kMaxPayload = 4096;

  // Throws std::runtime_error when the library cannot be used.
  ApplicationDetector();
  ~ApplicationDetector();
  ApplicationDetector(const ApplicationDetector&) = delete;
  ApplicationDetector& operator=(const ApplicationDetector&) = delete;

  struct FreeFlow {
    void operator()(ndpi_flow_struct* flow) const;
  };
  using Flow = std::unique_ptr<ndpi_flow_struct, FreeFlow>;

  // What all detectors together have allocated.
  static std::size_t allocated_bytes();

  // Null when there is no memory.
  Flow new_flow() const;
  // True when further packets tell nothing more.
  bool feed(ndpi_flow_struct& flow, const PacketView& packet);
  // What is known so far.
  Application read(const ndpi_flow_struct& flow) const;
  // What ports and addresses suggest.
  Application guess(const PacketView& packet) const;

 private:
  void name(Application& application) const;

  ndpi_detection_module_struct* module_ = nullptr;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace procflow
