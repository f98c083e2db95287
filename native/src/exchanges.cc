#include "exchanges.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "../bpf/http_scan.h"
#include "flow_cookie.h"
#include "usage_rows.h"

namespace procflow {
namespace {

constexpr std::size_t kKeptTextBytes = 1024;  // a place that had more gives it back
constexpr std::size_t kSpareNodes = 4096;

bool same_process(const pf_process_ref& a, const pf_process_ref& b) {
  return a.pid == b.pid && a.start_ns == b.start_ns;
}

bool same_body(const RequestHead& head, const pf_http_record& record) {
  switch (head.body) {
    case RequestHead::Body::kLength:
      return record.body == PF_HTTP_BODY_LENGTH && record.body_bytes == head.length;
    case RequestHead::Body::kChunked:
      return record.body == PF_HTTP_BODY_CHUNKED;
    case RequestHead::Body::kInvalid:
      return record.body == PF_HTTP_BODY_BAD;
  }
  return false;
}

double bytes_of_pages(std::uint64_t pages) {
  static const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  return static_cast<double>(pages) * page;
}

// What was spent between two readings. Counters that are summed over threads may be read while one of them goes, so a
// step back is taken for standing still.
double spent(std::uint64_t from, std::uint64_t to) { return to > from ? static_cast<double>(to - from) : 0; }

pf_usage difference(const pf_usage& from, const pf_usage& to) {
  const auto less = [](std::uint64_t before, std::uint64_t after) { return after > before ? after - before : 0; };
  pf_usage spent{};
  spent.cpu_ns = less(from.cpu_ns, to.cpu_ns);
  spent.user_ns = less(from.user_ns, to.user_ns);
  spent.system_ns = less(from.system_ns, to.system_ns);
  // Too short for a clock tick: divided as what was spent before it.
  if (spent.user_ns + spent.system_ns == 0) {
    spent.user_ns = to.user_ns;
    spent.system_ns = to.system_ns;
  }
  return spent;
}

bool has_io_wait(const pf_usage& from, const pf_usage& to) {
  return from.io_wait_ns != PF_UNKNOWN && to.io_wait_ns != PF_UNKNOWN;
}

void add_process_usage(ExchangeRow& row, const pf_reading& from, const pf_reading& to) {
  if (from.threads == 0 || to.threads == 0) return;
  const pf_usage between = difference(from.process, to.process);
  const CpuByMode cpu = cpu_by_mode(between);
  row.usageFlags |= PF_USAGE_FLAG_PROCESS;
  row.cpuNs = static_cast<double>(between.cpu_ns);
  row.userNs = cpu.user_ns;
  row.systemNs = cpu.system_ns;
  row.minorFaults = spent(from.process.minor_faults, to.process.minor_faults);
  row.majorFaults = spent(from.process.major_faults, to.process.major_faults);
  if (has_io_wait(from.process, to.process)) {
    row.usageFlags |= PF_USAGE_FLAG_IO_WAIT;
    row.ioWaitNs = spent(from.process.io_wait_ns, to.process.io_wait_ns);
  }
  row.readBytes = spent(from.process.read_bytes, to.process.read_bytes);
  row.writtenBytes = spent(from.process.written_bytes, to.process.written_bytes);
  row.voluntarySwitches = spent(from.process.voluntary_switches, to.process.voluntary_switches);
  row.involuntarySwitches = spent(from.process.involuntary_switches, to.process.involuntary_switches);
  if (to.memory_pages != PF_UNKNOWN) {
    row.usageFlags |= PF_USAGE_FLAG_MEMORY;
    row.memoryBytes = bytes_of_pages(to.memory_pages);
  }
  if (to.peak_pages != PF_UNKNOWN) {
    row.usageFlags |= PF_USAGE_FLAG_PEAK;
    row.peakMemoryBytes = bytes_of_pages(to.peak_pages);
  }
}

void add_thread_usage(ExchangeRow& row, const pf_usage& from, const pf_usage& to) {
  if (to.cpu_ns < from.cpu_ns) return;  // another thread, by a tid used again
  const pf_usage between = difference(from, to);
  const CpuByMode cpu = cpu_by_mode(between);
  row.usageFlags |= PF_USAGE_FLAG_THREAD;
  row.threadCpuNs = static_cast<double>(between.cpu_ns);
  row.threadUserNs = cpu.user_ns;
  row.threadSystemNs = cpu.system_ns;
  row.threadMinorFaults = spent(from.minor_faults, to.minor_faults);
  row.threadMajorFaults = spent(from.major_faults, to.major_faults);
  if (has_io_wait(from, to)) {
    row.usageFlags |= PF_USAGE_FLAG_IO_WAIT;
    row.threadIoWaitNs = spent(from.io_wait_ns, to.io_wait_ns);
  }
  row.threadReadBytes = spent(from.read_bytes, to.read_bytes);
  row.threadWrittenBytes = spent(from.written_bytes, to.written_bytes);
  row.threadVoluntarySwitches = spent(from.voluntary_switches, to.voluntary_switches);
  row.threadInvoluntarySwitches = spent(from.involuntary_switches, to.involuntary_switches);
}

std::string_view thread_name(const char (&name)[16]) { return {name, strnlen(name, sizeof name)}; }

}  // namespace

void Exchanges::record(const pf_http_record& record, std::size_t size, BatchBuilder& out) {
  if (record.event == PF_HTTP_HEAD) {
    const std::size_t behind = size - sizeof record;
    if (record.data_bytes > behind || record.repeated_bytes > record.data_bytes) return;
    const auto* data = reinterpret_cast<const char*>(&record) + sizeof record;
    head(record, {data + record.repeated_bytes, record.data_bytes - record.repeated_bytes}, out);
    return;
  }
  const auto found = connections_.find(record.cookie);
  if (found == connections_.end()) return;
  switch (record.event) {
    case PF_HTTP_REQUEST_ENDED:
      request_ended(found->second, record, out);
      break;
    case PF_HTTP_RESPONSE_ENDED:
      response_ended(found->second, record, out);
      break;
    case PF_HTTP_CLOSED:
      closed(found->second, record, out);
      break;
    default:
      break;
  }
  drop_if_idle(found);
}

void Exchanges::head(const pf_http_record& record, std::string_view data, BatchBuilder& out) {
  const auto found = connection_of(record.cookie);
  Connection& connection = found->second;
  const bool last = (record.flags & PF_HTTP_LAST) != 0;
  if ((record.flags & PF_HTTP_FIRST) != 0) {
    free_partial(connection);
    if (last) {
      begin(connection, record, record, data, out);
    } else {
      connection.partial = partial_head(record.cookie);
      partial_heads_[connection.partial].first = record;
      partial_heads_[connection.partial].text = data;
    }
  } else if (connection.partial == kNone) {
    lost_++;  // its beginning was
  } else {
    PartialHead& partial = partial_heads_[connection.partial];
    if (partial.text.size() + data.size() <= PF_HTTP_HEAD_BYTES) partial.text += data;
    if (last) {
      begin(connection, partial.first, record, partial.text, out);
      free_partial(connection);
    }
  }
  drop_if_idle(found);
}

// A request whose head is there. `first` tells of its first byte, `last` of the head's last.
void Exchanges::begin(Connection& connection, const pf_http_record& first, const pf_http_record& last,
                      std::string_view text, BatchBuilder& out) {
  RequestHead head;
  std::size_t bytes = 0;
  const HeadState state = parse_request(text, head, bytes);
  if (state == HeadState::kInvalid) return no_http(last);
  // Answered without its body having come: it will not come any more.
  if (connection.first != kNone && exchanges_[connection.first].response_ended)
    finish_first(connection, last.time_ns, out);
  const std::uint32_t place = new_exchange();
  if (place == kNone) return;

  Exchange& exchange = exchanges_[place];
  exchange.request = first;
  exchange.ordinal = last.ordinal;
  exchange.version = head.version;
  exchange.request_ended = (last.flags & PF_HTTP_WHOLE) != 0;
  exchange.response_ended = false;
  exchange.flags = (last.flags & PF_HTTP_SHIFTED) != 0 ? PF_EXCHANGE_FLAG_LOST : 0;
  if (state == HeadState::kCut || (last.flags & PF_HTTP_CUT) != 0)
    exchange.flags |= PF_EXCHANGE_FLAG_HEAD_CUT;
  else if (!same_body(head, last))
    exchange.flags |= PF_EXCHANGE_FLAG_LOST;
  exchange.request_end_ns = exchange.request_ended ? last.end_ns : 0;
  exchange.request_bytes = last.bytes;
  exchange.text.clear();
  for (const std::string_view part : {head.method, head.target, head.host, head.user_agent}) exchange.text += part;
  exchange.method_bytes = static_cast<std::uint32_t>(head.method.size());
  exchange.target_bytes = static_cast<std::uint32_t>(head.target.size());
  exchange.host_bytes = static_cast<std::uint32_t>(head.host.size());
  text_bytes_ += exchange.text.size();
  if (connection.first == kNone)
    connection.first = place;
  else
    exchanges_[connection.last].next = place;
  connection.last = place;
  started_.push_back({place, exchange.generation});
}

void Exchanges::request_ended(Connection& connection, const pf_http_record& record, BatchBuilder& out) {
  if (connection.last == kNone) return;
  Exchange& exchange = exchanges_[connection.last];
  if (exchange.ordinal != record.ordinal) return;
  exchange.request_ended = true;
  exchange.request_end_ns = record.end_ns;
  exchange.request_bytes = record.bytes;
  if (exchange.response_ended) finish_first(connection, record.time_ns, out);
}

void Exchanges::response_ended(Connection& connection, const pf_http_record& record, BatchBuilder& out) {
  // Responses come in the order of the requests: those of earlier ones were missed.
  while (connection.first != kNone && static_cast<std::int32_t>(exchanges_[connection.first].ordinal - record.ordinal) < 0) {
    Exchange& missed = exchanges_[connection.first];
    if (!missed.response_ended) missed.flags |= PF_EXCHANGE_FLAG_LOST;
    finish_first(connection, record.time_ns, out);
  }
  if (connection.first == kNone || exchanges_[connection.first].ordinal != record.ordinal) return;
  Exchange& exchange = exchanges_[connection.first];
  exchange.response = record;
  exchange.response_ended = true;
  if ((record.flags & PF_HTTP_UPGRADED) != 0) exchange.flags |= PF_EXCHANGE_FLAG_UPGRADED;
  if (exchange.request_ended || (record.flags & PF_HTTP_UPGRADED) != 0) finish_first(connection, record.time_ns, out);
}

void Exchanges::closed(Connection& connection, const pf_http_record& record, BatchBuilder& out) {
  while (connection.first != kNone) {
    Exchange& exchange = exchanges_[connection.first];
    if (!exchange.request_ended) {
      exchange.flags |= PF_EXCHANGE_FLAG_INCOMPLETE;
      exchange.request_bytes = std::max<std::uint64_t>(exchange.request_bytes, record.body_bytes);
    }
    const bool answering = exchange.ordinal == record.ordinal && record.start_ns != 0;
    if (!exchange.response_ended && answering) {
      exchange.response = record;
      exchange.response_ended = true;
      // A server ends a response without length by closing; a client that closes first may have missed the rest.
      if ((record.flags & PF_HTTP_UNTIL_CLOSE) == 0 || record.side == PF_HTTP_CLIENT)
        exchange.flags |= PF_EXCHANGE_FLAG_INCOMPLETE;
    } else if (!exchange.response_ended) {
      exchange.flags |= PF_EXCHANGE_FLAG_UNANSWERED;
      exchange.response = record;  // the end of the window
    }
    finish_first(connection, record.time_ns, out);
  }
  free_partial(connection);
}

void Exchanges::socket_ended(std::uint64_t cookie, std::uint64_t time_ns, BatchBuilder& out) {
  const auto found = connections_.find(cookie);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  while (connection.first != kNone) {
    Exchange& exchange = exchanges_[connection.first];
    if (!exchange.response_ended) exchange.flags |= PF_EXCHANGE_FLAG_LOST;
    finish_first(connection, time_ns, out);
  }
  free_partial(connection);
  drop_if_idle(found);
}

void Exchanges::tell_started(std::uint64_t time_ns, BatchBuilder& out) {
  for (const Started& each : started_) {
    const Exchange& exchange = exchanges_[each.place];
    if (exchange.generation != each.generation) continue;
    ExchangeRow row = row_of(exchange, time_ns, out);
    row.kind = 0;
    out.add(row);
  }
  started_.clear();
}

void Exchanges::forget_all() {
  while (!connections_.empty()) {
    const auto connection = connections_.begin();
    while (connection->second.first != kNone) free_first(connection->second);
    free_partial(connection->second);
    drop_if_idle(connection);
  }
  started_.clear();
}

// Tells of the connection's first exchange, and makes its place free.
void Exchanges::finish_first(Connection& connection, std::uint64_t time_ns, BatchBuilder& out) {
  const std::uint32_t place = connection.first;
  Exchange& exchange = exchanges_[place];
  ExchangeRow row = row_of(exchange, time_ns, out);
  row.kind = 1;
  const bool answered = exchange.response_ended;
  const pf_http_record& from = exchange.request;
  const pf_http_record& to = exchange.response;
  if (answered) {
    row.responseStartNs = static_cast<double>(to.start_ns);
    row.responseEndNs = static_cast<double>(to.end_ns);
    row.responseBytes = static_cast<double>(to.bytes);
    row.status = to.status;
  }
  // Whether its last moment was told: that of the response's end, or of the close.
  const bool ended = answered || (exchange.flags & PF_EXCHANGE_FLAG_UNANSWERED) != 0;
  if (ended) {
    row.windowToNs = static_cast<double>(to.time_ns);
    if (to.process.pid != 0) {
      row.pid = to.process.pid;
      row.startNs = static_cast<double>(to.process.start_ns);
    }
  } else {
    row.flags |= PF_EXCHANGE_FLAG_WINDOW_CUT;
    row.windowToNs = static_cast<double>(time_ns);
  }
  if (ended && (from.flags & to.flags & PF_HTTP_READING) != 0 && same_process(from.process, to.process)) {
    add_process_usage(row, from.reading, to.reading);
    if (from.tid == to.tid) add_thread_usage(row, from.reading.thread, to.reading.thread);
  }
  out.add(row);
  if (answered && to.end_ns >= from.start_ns + kSlowNs) slow_ended_ns_ = std::max(slow_ended_ns_, to.end_ns);
  free_first(connection);
}

void Exchanges::free_first(Connection& connection) {
  const std::uint32_t place = connection.first;
  Exchange& exchange = exchanges_[place];
  connection.first = exchange.next;
  if (connection.first == kNone) connection.last = kNone;
  text_bytes_ -= exchange.text.size();
  if (exchange.text.capacity() > kKeptTextBytes) std::string().swap(exchange.text);
  exchange.generation++;
  exchange.next = free_;
  free_ = place;
  open_--;
}

// The columns that the request tells.
ExchangeRow Exchanges::row_of(const Exchange& exchange, std::uint64_t time_ns, BatchBuilder& out) const {
  const std::string_view text = exchange.text;
  const auto part = [&](std::size_t from, std::size_t bytes) {
    return bytes == 0 ? kUnknownString : out.intern(text.substr(from, bytes));
  };
  ExchangeRow row;
  row.side = exchange.request.side;
  row.version = exchange.version;
  row.flags = exchange.flags;
  row.cookie = row_cookie(exchange.request.cookie);
  row.ordinal = exchange.ordinal;
  row.timeNs = static_cast<double>(time_ns);
  row.requestStartNs = static_cast<double>(exchange.request.start_ns);
  row.requestEndNs = static_cast<double>(exchange.request_end_ns);
  row.requestBytes = static_cast<double>(exchange.request_bytes);
  std::size_t at = 0;
  row.method = part(at, exchange.method_bytes);
  at += exchange.method_bytes;
  row.target = part(at, exchange.target_bytes);
  at += exchange.target_bytes;
  row.host = part(at, exchange.host_bytes);
  at += exchange.host_bytes;
  row.userAgent = part(at, text.size() - at);
  row.pid = exchange.request.process.pid;
  row.startNs = static_cast<double>(exchange.request.process.start_ns);
  row.tid = exchange.request.tid;
  row.threadName = out.intern(thread_name(exchange.request.thread_name));
  row.windowFromNs = static_cast<double>(exchange.request.start_ns);
  return row;
}

Exchanges::Connections::iterator Exchanges::connection_of(std::uint64_t cookie) {
  const auto found = connections_.find(cookie);
  if (found != connections_.end()) return found;
  if (spare_nodes_.empty()) return connections_.try_emplace(cookie).first;
  Connections::node_type node = std::move(spare_nodes_.back());
  spare_nodes_.pop_back();
  node.key() = cookie;
  node.mapped() = {};
  return connections_.insert(std::move(node)).position;
}

// Between two exchanges there is nothing to know of a connection.
void Exchanges::drop_if_idle(Connections::iterator connection) {
  if (connection->second.first != kNone || connection->second.partial != kNone) return;
  Connections::node_type node = connections_.extract(connection);
  if (spare_nodes_.size() < kSpareNodes) spare_nodes_.push_back(std::move(node));
}

// A place for a head. When none is free, that of some other connection is taken: its head is lost.
std::uint32_t Exchanges::partial_head(std::uint64_t cookie) {
  if (partial_heads_.empty()) partial_heads_.resize(kMostPartialHeads);
  for (std::size_t tries = 0; tries < kMostPartialHeads && partial_heads_[next_partial_].cookie != 0; tries++)
    next_partial_ = (next_partial_ + 1) % kMostPartialHeads;
  const std::uint32_t place = next_partial_;
  next_partial_ = (next_partial_ + 1) % kMostPartialHeads;
  PartialHead& partial = partial_heads_[place];
  if (partial.cookie != 0) {
    lost_++;
    const auto owner = connections_.find(partial.cookie);
    owner->second.partial = kNone;
    drop_if_idle(owner);
  }
  partial.cookie = cookie;
  return place;
}

void Exchanges::free_partial(Connection& connection) {
  if (connection.partial == kNone) return;
  PartialHead& partial = partial_heads_[connection.partial];
  partial.cookie = 0;
  partial.text.clear();
  connection.partial = kNone;
}

std::uint32_t Exchanges::new_exchange() {
  if (open_ >= kMostOpen || text_bytes_ >= kMostTextBytes) {
    lost_++;
    return kNone;
  }
  open_++;
  if (free_ == kNone) {
    exchanges_.emplace_back();
    return static_cast<std::uint32_t>(exchanges_.size() - 1);
  }
  const std::uint32_t place = free_;
  free_ = exchanges_[place].next;
  exchanges_[place].next = kNone;
  return place;
}

// It only looked like HTTP: the kernel stops looking.
void Exchanges::no_http(const pf_http_record& record) {
  pf_http state;
  if (bpf_map_lookup_elem(map_, &record.sock, &state) == 0 && state.cookie == record.cookie)
    bpf_map_delete_elem(map_, &record.sock);
}

}  // namespace procflow
