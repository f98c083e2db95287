#include "../src/payload_peek.h"

#include <string_view>

#include "harness.h"

using namespace procflow;

namespace {

Payload bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

}  // namespace

TEST("payload peek: the banner of SSH ends with its line, or where it is cut") {
  CHECK_EQ(ssh_banner(bytes("SSH-2.0-OpenSSH_9.2 comment\r\nrest")), "SSH-2.0-OpenSSH_9.2 comment");
  CHECK_EQ(ssh_banner(bytes("SSH-1.99-old\n")), "SSH-1.99-old");
  CHECK_EQ(ssh_banner(bytes("SSH-2.0-" + std::string(1000, 'x'))).size(), 255u);
  CHECK_EQ(ssh_banner(bytes("ssh-2.0")), "");
  CHECK_EQ(ssh_banner(bytes("SSH")), "");
  CHECK_EQ(ssh_banner({}), "");
}

TEST("payload peek: only an answer has a reply code") {
  CHECK_EQ(dns_reply_code(bytes(std::string_view("\x12\x34\x81\x83\0\1\0\0\0\0\0\0", 12))).value_or(-1), 3);
  CHECK(!dns_reply_code(bytes(std::string_view("\x12\x34\x01\x03\0\1\0\0\0\0\0\0", 12))));
  CHECK(!dns_reply_code(bytes(std::string_view("\x12\x34\x81\x83\0\1\0\0\0\0\0", 11))));
  CHECK(!dns_reply_code({}));
}

TEST("payload peek: the version is that of a ServerHello, not of another message") {
  CHECK_EQ(tls_server_version(bytes(std::string_view("\x16\x03\x03\0\x31\x02\0\0\x2d\x03\x03", 11))), "TLSv1.2");
  CHECK_EQ(tls_server_version(bytes(std::string_view("\x16\x03\x01\0\x31\x02\0\0\x2d\x03\x01", 11))), "TLSv1.0");
  CHECK_EQ(tls_server_version(bytes(std::string_view("\x16\x03\x01\0\x31\x01\0\0\x2d\x03\x03", 11))), "");
  CHECK_EQ(tls_server_version(bytes(std::string_view("\x16\x03\x03\0\x31\x02\0\0\x2d\x03", 10))), "");
  CHECK_EQ(tls_server_version(bytes(std::string_view("\x17\x03\x03\0\x31\x02\0\0\x2d\x03\x03", 11))), "");
}
