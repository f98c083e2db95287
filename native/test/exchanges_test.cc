#include "../src/exchanges.h"

#include <cstring>
#include <vector>

#include "../bpf/http_scan.h"
#include "batch_reader.h"
#include "harness.h"

namespace procflow {
namespace {

constexpr std::uint64_t kCookie = 7;

// What the kernel tells of one connection of process 100.
class Connection {
 public:
  explicit Connection(std::uint8_t side = PF_HTTP_SERVER) : side_(side) {}

  // The head of the next request, and with it all of the request unless it has a body to come.
  void request(const std::string& text, std::uint64_t body_to_come = 0, std::uint32_t tid = 100) {
    pf_http_record record = head(tid, text.size());
    record.flags |= PF_HTTP_LAST | (body_to_come == 0 ? PF_HTTP_WHOLE : 0);
    record.body_bytes = body_to_come;
    give(record, text);
    ordinal_++;
  }
  // A head in two parts, with a line that both have.
  void split_request(const std::string& first, const std::string& second, const std::string& repeated) {
    pf_http_record record = head(100, first.size());
    give(record, first);
    record.flags = PF_HTTP_LAST | PF_HTTP_WHOLE;
    record.bytes = first.size() + second.size();
    record.repeated_bytes = static_cast<pf_u32>(repeated.size());
    give(record, repeated + second);
    ordinal_++;
  }
  void request_ended(std::uint64_t bytes) { give(event(PF_HTTP_REQUEST_ENDED, ordinal_ - 1, bytes)); }
  void response(std::uint32_t ordinal, std::uint16_t status, std::uint64_t bytes, std::uint32_t tid = 100,
                std::uint16_t flags = 0, std::uint32_t pid = 100) {
    pf_http_record record = event(PF_HTTP_RESPONSE_ENDED, ordinal, bytes);
    record.status = status;
    record.tid = tid;
    record.process = {pid + 1000, pid, 0};
    record.flags = flags | PF_HTTP_READING;
    give(record);
  }
  // `started`: a response is under way.
  void close(std::uint32_t ordinal, bool started, std::uint16_t flags = 0, std::uint64_t request_bytes = 0) {
    pf_http_record record = event(PF_HTTP_CLOSED, ordinal, started ? 55 : 0);
    if (!started) record.start_ns = record.end_ns = 0;
    record.status = started ? 200 : 0;
    record.flags = flags | PF_HTTP_READING;
    record.body_bytes = request_bytes;
    give(record);
  }
  void socket_ended() { exchanges_.socket_ended(kCookie, now_, out_); }
  void give(const pf_http_record& record, const std::string& data = "") {
    std::vector<std::uint8_t> memory(sizeof record + data.size());
    pf_http_record with = record;
    with.data_bytes = static_cast<pf_u32>(data.size());
    std::memcpy(memory.data(), &with, sizeof with);
    data.copy(reinterpret_cast<char*>(memory.data()) + sizeof with, data.size());
    exchanges_.record(*reinterpret_cast<const pf_http_record*>(memory.data()), memory.size(), out_);
  }
  pf_http_record event(pf_http_event kind, std::uint32_t ordinal, std::uint64_t bytes) {
    now_ += 1000;
    pf_http_record record{};
    record.record = PF_RECORD_HTTP;
    record.event = static_cast<pf_u8>(kind);
    record.side = side_;
    record.cookie = kCookie;
    record.ordinal = ordinal;
    record.time_ns = record.end_ns = now_;
    record.start_ns = now_ - 100;
    record.bytes = bytes;
    record.tid = 100;
    record.process = {1100, 100, 0};
    std::strcpy(record.thread_name, "worker");
    record.reading.threads = 1;
    record.reading.memory_pages = 10;
    record.reading.peak_pages = 20;
    record.reading.process.cpu_ns = 5 * now_;
    record.reading.process.user_ns = record.reading.process.system_ns = now_;
    record.reading.process.io_wait_ns = record.reading.thread.io_wait_ns = PF_UNKNOWN;
    record.reading.thread.cpu_ns = now_;
    record.reading.process.minor_faults = now_ / 100;
    return record;
  }

  void tell_started() { exchanges_.tell_started(now_, out_); }
  test::Batch rows() { return test::take(out_); }
  Exchanges& exchanges() { return exchanges_; }

 private:
  pf_http_record head(std::uint32_t tid, std::size_t bytes) {
    pf_http_record record = event(PF_HTTP_HEAD, ordinal_, bytes);
    record.tid = tid;
    record.flags = PF_HTTP_FIRST | PF_HTTP_READING;
    return record;
  }

  std::uint8_t side_;
  std::uint32_t ordinal_ = 0;
  std::uint64_t now_ = 1'000'000;
  Exchanges exchanges_{-1};
  BatchBuilder out_;
};

const std::string kGet = "GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nUser-Agent: test\r\n\r\n";

TEST("exchanges: a request and its response") {
  Connection connection;
  connection.request(kGet);
  connection.response(0, 200, 345);
  connection.tell_started();
  const test::Batch batch = connection.rows();
  REQUIRE(batch.exchange.size() == 1);  // it was over before anything was told of it
  const ExchangeRow& row = batch.exchange[0];
  CHECK_EQ(int{row.kind}, 1);
  CHECK_EQ(int{row.side}, 1);
  CHECK_EQ(int{row.version}, 11);
  CHECK_EQ(row.flags, 0);
  CHECK_EQ(row.cookie, 7.0);
  CHECK_EQ(row.ordinal, 0u);
  CHECK_EQ(batch.text(row.method), "GET");
  CHECK_EQ(batch.text(row.target), "/a?b=c");
  CHECK_EQ(batch.text(row.host), "example.org");
  CHECK_EQ(batch.text(row.userAgent), "test");
  CHECK_EQ(row.status, 200);
  CHECK_EQ(row.requestBytes, static_cast<double>(kGet.size()));
  CHECK_EQ(row.responseBytes, 345.0);
  CHECK_EQ(row.requestStartNs, 1'000'900.0);
  CHECK_EQ(row.requestEndNs, 1'001'000.0);
  CHECK_EQ(row.responseStartNs, 1'001'900.0);
  CHECK_EQ(row.responseEndNs, 1'002'000.0);
  CHECK_EQ(row.pid, 100u);
  CHECK_EQ(row.tid, 100u);
  CHECK_EQ(batch.text(row.threadName), "worker");
  CHECK_EQ(int{row.usageFlags}, PF_USAGE_FLAG_PROCESS | PF_USAGE_FLAG_THREAD | PF_USAGE_FLAG_MEMORY | PF_USAGE_FLAG_PEAK);
  CHECK_EQ(row.cpuNs, 5000.0);
  CHECK_EQ(row.userNs, 2500.0);
  CHECK_EQ(row.threadCpuNs, 1000.0);
  CHECK_EQ(row.minorFaults, 10.0);
  CHECK_EQ(connection.exchanges().open(), 0u);
}

TEST("exchanges: one that goes on is told as begun, once") {
  Connection connection;
  connection.request(kGet);
  connection.tell_started();
  connection.tell_started();
  const test::Batch begun = connection.rows();
  REQUIRE(begun.exchange.size() == 1);
  CHECK_EQ(int{begun.exchange[0].kind}, 0);
  CHECK_EQ(begun.text(begun.exchange[0].target), "/a?b=c");
  connection.response(0, 200, 1);
  connection.tell_started();
  const test::Batch ended = connection.rows();
  REQUIRE(ended.exchange.size() == 1);
  CHECK_EQ(int{ended.exchange[0].kind}, 1);
}

TEST("exchanges: pipelined requests are answered in their order") {
  Connection connection;
  for (int i = 0; i < 16; i++) connection.request("GET /" + std::to_string(i) + " HTTP/1.1\r\n\r\n");
  for (std::uint32_t i = 0; i < 16; i++) connection.response(i, static_cast<std::uint16_t>(200 + i), i);
  const test::Batch batch = connection.rows();
  REQUIRE(batch.exchange.size() == 16);
  for (std::uint32_t i = 0; i < 16; i++) {
    CHECK_EQ(batch.exchange[i].ordinal, i);
    CHECK_EQ(batch.text(batch.exchange[i].target), "/" + std::to_string(i));
    CHECK_EQ(batch.exchange[i].status, 200 + i);
  }
}

TEST("exchanges: a head in parts") {
  Connection connection;
  connection.split_request("GET / HTTP/1.1\r\nHo", "st: a\r\n\r\n", "Ho");
  connection.response(0, 200, 1);
  const test::Batch batch = connection.rows();
  REQUIRE(batch.exchange.size() == 1);
  CHECK_EQ(batch.text(batch.exchange[0].host), "a");
  CHECK_EQ(batch.exchange[0].requestBytes, 27.0);
  CHECK_EQ(batch.exchange[0].requestStartNs, 1'000'900.0);
}

TEST("exchanges: a response before the end of the request waits for it") {
  Connection connection;
  connection.request("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n", 10);
  connection.response(0, 413, 1);
  CHECK(connection.rows().exchange.empty());
  connection.request_ended(49);
  const test::Batch batch = connection.rows();
  REQUIRE(batch.exchange.size() == 1);
  CHECK_EQ(batch.exchange[0].flags, 0);
  CHECK_EQ(batch.exchange[0].requestBytes, 49.0);
  CHECK(batch.exchange[0].requestEndNs > batch.exchange[0].responseEndNs);
}

TEST("exchanges: a body that the client left out does not hold back the next request") {
  Connection connection;
  connection.request("POST / HTTP/1.1\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n", 10);
  connection.response(0, 417, 1);
  connection.request(kGet);
  const test::Batch batch = connection.rows();
  REQUIRE(batch.exchange.size() == 1);
  CHECK_EQ(batch.exchange[0].status, 417);
  CHECK_EQ(batch.exchange[0].requestEndNs, 0.0);
}

TEST("exchanges: what the end of the connection leaves") {
  Connection connection;
  connection.request(kGet);
  connection.request(kGet);
  connection.request("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n", 10);
  connection.close(0, true, 0, 45);
  const test::Batch batch = connection.rows();
  REQUIRE(batch.exchange.size() == 3);
  CHECK_EQ(batch.exchange[0].flags, PF_EXCHANGE_FLAG_INCOMPLETE);
  CHECK_EQ(batch.exchange[0].status, 200);
  CHECK_EQ(batch.exchange[0].responseBytes, 55.0);
  CHECK_EQ(batch.exchange[1].flags, PF_EXCHANGE_FLAG_UNANSWERED);
  CHECK_EQ(batch.exchange[1].status, 0);
  CHECK_EQ(batch.exchange[1].responseEndNs, 0.0);
  CHECK_EQ(batch.exchange[2].flags, PF_EXCHANGE_FLAG_UNANSWERED | PF_EXCHANGE_FLAG_INCOMPLETE);
  CHECK_EQ(batch.exchange[2].requestBytes, 45.0);
  CHECK_EQ(batch.exchange[2].requestEndNs, 0.0);
}

TEST("exchanges: a response until the connection closes is whole for the server that closes") {
  for (const pf_http_side side : {PF_HTTP_SERVER, PF_HTTP_CLIENT}) {
    Connection connection(side);
    connection.request(kGet);
    connection.close(0, true, PF_HTTP_UNTIL_CLOSE);
    const test::Batch batch = connection.rows();
    REQUIRE(batch.exchange.size() == 1);
    CHECK_EQ(batch.exchange[0].flags, side == PF_HTTP_SERVER ? 0u : PF_EXCHANGE_FLAG_INCOMPLETE);
    CHECK_EQ(batch.exchange[0].responseBytes, 55.0);
  }
}

TEST("exchanges: an upgrade ends the exchange") {
  Connection connection;
  connection.request(kGet);
  connection.response(0, 101, 129, 100, PF_HTTP_UPGRADED);
  const test::Batch batch = connection.rows();
  REQUIRE(batch.exchange.size() == 1);
  CHECK_EQ(batch.exchange[0].flags, PF_EXCHANGE_FLAG_UPGRADED);
}

TEST("exchanges: usage needs one process, and that of a thread one thread") {
  Connection threads, processes;
  threads.request(kGet, 0, 100);
  threads.response(0, 200, 1, 101);
  const test::Batch by_threads = threads.rows();
  REQUIRE(by_threads.exchange.size() == 1);
  CHECK_EQ(by_threads.exchange[0].usageFlags & (PF_USAGE_FLAG_PROCESS | PF_USAGE_FLAG_THREAD), PF_USAGE_FLAG_PROCESS);
  CHECK_EQ(by_threads.exchange[0].tid, 100u);
  processes.request(kGet);
  processes.response(0, 200, 1, 200, 0, 200);
  const test::Batch by_processes = processes.rows();
  REQUIRE(by_processes.exchange.size() == 1);
  CHECK_EQ(int{by_processes.exchange[0].usageFlags}, 0);
  CHECK_EQ(by_processes.exchange[0].pid, 200u);
}

TEST("exchanges: lost records flag what they leave open") {
  Connection connection;
  connection.request(kGet);
  connection.request(kGet);
  connection.response(1, 200, 1);  // that of the first was lost
  connection.request(kGet);
  connection.socket_ended();  // as was the record of the close
  const test::Batch batch = connection.rows();
  REQUIRE(batch.exchange.size() == 3);
  CHECK_EQ(batch.exchange[0].flags, PF_EXCHANGE_FLAG_LOST | PF_EXCHANGE_FLAG_WINDOW_CUT);
  CHECK_EQ(batch.exchange[1].flags, 0);
  CHECK_EQ(batch.exchange[2].flags, PF_EXCHANGE_FLAG_LOST | PF_EXCHANGE_FLAG_WINDOW_CUT);
  CHECK_EQ(connection.exchanges().open(), 0u);
}

TEST("exchanges: what only looks like HTTP is none, and what the kernel read otherwise is flagged") {
  Connection connection;
  connection.request("GET / RTSP/1.0\r\n\r\n");
  connection.request("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", 4);
  connection.response(1, 200, 1);
  connection.socket_ended();
  const test::Batch batch = connection.rows();
  REQUIRE(batch.exchange.size() == 1);
  CHECK_EQ(batch.exchange[0].flags, PF_EXCHANGE_FLAG_LOST);
}

TEST("exchanges: a head that was cut tells what was read of it") {
  Connection connection;
  pf_http_record record = connection.event(PF_HTTP_HEAD, 0, 9000);
  record.flags = PF_HTTP_FIRST | PF_HTTP_LAST | PF_HTTP_WHOLE | PF_HTTP_CUT;
  connection.give(record, "GET /" + std::string(PF_HTTP_HEAD_BYTES - 5, 'x'));
  connection.response(0, 414, 1);
  const test::Batch batch = connection.rows();
  REQUIRE(batch.exchange.size() == 1);
  CHECK_EQ(batch.exchange[0].flags, PF_EXCHANGE_FLAG_HEAD_CUT);
  CHECK_EQ(batch.text(batch.exchange[0].target).size(), std::size_t{PF_HTTP_HEAD_BYTES - 4});
  CHECK_EQ(int{batch.exchange[0].version}, 0);
}

TEST("exchanges: all that is under way can be forgotten, and what follows is a beginning") {
  Connection connection;
  connection.request(kGet);
  connection.request(kGet);
  connection.tell_started();
  CHECK_EQ(connection.rows().exchange.size(), 2u);
  connection.request(kGet);
  connection.exchanges().forget_all();
  CHECK_EQ(connection.exchanges().open(), 0u);
  connection.tell_started();
  connection.response(0, 200, 10);
  connection.socket_ended();
  CHECK(connection.rows().exchange.empty());
  connection.request(kGet);
  connection.response(3, 200, 10);
  const test::Batch batch = connection.rows();
  REQUIRE(batch.exchange.size() == 1);
  CHECK_EQ(batch.exchange[0].ordinal, 3u);
  CHECK_EQ(batch.exchange[0].flags, 0);
}

TEST("exchanges: memory is bounded, and what does not fit is counted") {
  Exchanges exchanges(-1);
  BatchBuilder out;
  const std::string text = "GET / HTTP/1.1\r\n";
  std::vector<std::uint8_t> memory(sizeof(pf_http_record) + text.size());
  pf_http_record record{};
  record.event = PF_HTTP_HEAD;
  record.flags = PF_HTTP_FIRST;
  record.data_bytes = static_cast<pf_u32>(text.size());
  text.copy(reinterpret_cast<char*>(memory.data()) + sizeof record, text.size());
  for (std::uint64_t cookie = 1; cookie <= Exchanges::kMostPartialHeads + 10; cookie++) {
    record.cookie = cookie;
    std::memcpy(memory.data(), &record, sizeof record);
    exchanges.record(*reinterpret_cast<const pf_http_record*>(memory.data()), memory.size(), out);
  }
  CHECK_EQ(exchanges.lost(), 10u);
  record.flags = PF_HTTP_FIRST | PF_HTTP_LAST | PF_HTTP_WHOLE;
  for (std::uint64_t cookie = 1; cookie <= Exchanges::kMostOpen + 10; cookie++) {
    record.cookie = 1'000'000 + cookie;
    std::memcpy(memory.data(), &record, sizeof record);
    exchanges.record(*reinterpret_cast<const pf_http_record*>(memory.data()), memory.size(), out);
  }
  CHECK_EQ(exchanges.open(), Exchanges::kMostOpen);
  CHECK_EQ(exchanges.lost(), 20u);
}

}  // namespace
}  // namespace procflow
