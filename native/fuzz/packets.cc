// Packets as strangers may send them, through the table of conversations into nDPI and out again as rows.
// Sources: src/application_detector.cc src/applications.cc src/batch.cc src/flow_cookie.cc src/payload_peek.cc
// Libraries: -lndpi -lgcrypt -lm
//
// An input is a list of steps: a byte that says what, then for a packet two bytes of length and the payload. What is not
// payload is taken from few values, so that steps meet in the same conversations.
#include <netinet/in.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "../src/applications.h"
#include "../test/batch_reader.h"

namespace {

using namespace procflow;

constexpr std::size_t kLongestText = 255;
constexpr std::uint64_t kSecondNs = 1'000'000'000;

// The lowest bits of a step.
enum Step : std::uint8_t { kEnd = 7, kPassTime = 6, kKept = 5, kBroken = 4 };

class Steps {
 public:
  explicit Steps(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool more() const { return !bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint16_t word() {
    const std::uint16_t low = byte();
    return static_cast<std::uint16_t>(low | byte() << 8);
  }
  std::span<const std::uint8_t> take(std::size_t wanted) {
    const auto taken = bytes_.first(std::min(wanted, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

void require(bool condition) {
  if (!condition) std::abort();
}

void check_rows(BatchBuilder& builder) {
  const test::Batch batch = test::take(builder);
  for (const ApplicationRow& row : batch.application) {
    require(row.cookie != 0);
    for (const std::uint32_t text : {row.protocol, row.application, row.category, row.serverName, row.alpn,
                                     row.tlsVersion, row.httpHost, row.httpUserAgent, row.dnsQuery, row.sshClient,
                                     row.sshServer})
      require(text == kUnknownString || (text < batch.strings.size() && batch.strings[text].size() <= kLongestText));
    require(row.dnsReplyCode >= -1 && row.dnsReplyCode <= 15);
    require((row.applicationId == 0) == (row.protocol == kUnknownString));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Applications applications(8, {.flows = 6, .conversations = 8, .bytes = 64u << 20, .budget_ns = ~0ull >> 1});
  static BatchBuilder builder;
  static std::uint64_t now_ns = kSecondNs, cookies = 1, first_cookie;
  static pf_packet_record record;

  Steps steps({data, size});
  const std::uint8_t kind = steps.byte();
  const std::uint16_t ports[2] = {steps.word(), steps.word()};
  first_cookie = cookies;
  cookies += 16;
  std::uint8_t numbers[4][2] = {};
  std::uint32_t sequences[4][2] = {};

  while (steps.more()) {
    const std::uint8_t step = steps.byte();
    const std::uint8_t conversation = step >> 3 & 3;
    const std::size_t sender = step >> 5 & 1;   // who sent it
    const std::size_t witness = step >> 6 & 1;  // whose socket gave it
    const std::uint64_t cookie = first_cookie + conversation * 2u + witness;
    now_ns += 1'000'000;
    switch (step & 7) {
      case kEnd:
        applications.ended(cookie, now_ns, builder);
        continue;
      case kPassTime:
        now_ns += step * kSecondNs / 8;
        applications.tick(now_ns, builder);
        continue;
      case kKept:
        applications.kept(cookie, now_ns, builder);
        continue;
      default:
        break;
    }
    const auto payload = steps.take(std::min<std::size_t>(steps.word(), PF_PACKET_BYTES));
    record.record = PF_RECORD_PACKET;
    record.direction = sender == witness ? 0 : 1;
    record.number = numbers[conversation][sender]++;
    record.tcp_flags = 0x18 | (step & 2) >> 1;
    record.flags = static_cast<std::uint8_t>((witness == 1 ? PF_PACKET_PASSIVE : 0) |
                                             (step >> 7 != 0 ? PF_PACKET_UNJUDGED : 0));
    record.time_ns = now_ns;
    record.cookie = cookie;
    record.netns = 1;
    record.payload_bytes = static_cast<std::uint32_t>(payload.size());
    record.protocol = (kind & 1) != 0 ? IPPROTO_UDP : IPPROTO_TCP;
    for (std::size_t end = 0; end < 2; end++) {
      std::uint8_t* address = end == 0 ? record.local : record.remote;
      std::memset(address, 0, 16);
      if ((kind & 2) != 0) {
        address[0] = 0xfd;
      } else {
        address[10] = address[11] = 0xff;
        address[12] = 10;
      }
      address[15] = static_cast<std::uint8_t>(conversation * 2 + (end == 0 ? witness : 1 - witness));
    }
    record.local_port = ports[witness];
    record.remote_port = ports[1 - witness];
    record.sequence = sequences[conversation][sender];
    record.acknowledgement = sequences[conversation][1 - sender];
    sequences[conversation][sender] += record.payload_bytes;
    record.captured_bytes = static_cast<std::uint16_t>(payload.size());
    std::memcpy(record.payload, payload.data(), payload.size());
    if ((step & 7) == kBroken) {
      // What the kernel does not do: a record shorter than it says, or of a size beyond all records.
      if (payload.empty()) record.captured_bytes = 0xffff;
      applications.packet(record, PF_PACKET_RECORD_HEAD + payload.size() / 2, builder);
    } else {
      applications.packet(record, PF_PACKET_RECORD_HEAD + payload.size(), builder);
    }
  }

  for (std::uint64_t cookie = first_cookie; cookie < first_cookie + 16; cookie++)
    applications.ended(cookie, now_ns, builder);
  for (int i = 0; i < 2; i++) {
    now_ns += 60 * kSecondNs;
    applications.tick(now_ns, builder);
  }
  require(applications.size() == 0);
  check_rows(builder);
  return 0;
}
