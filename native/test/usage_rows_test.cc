#include "../src/usage_rows.h"

#include <unistd.h>

#include "batch_reader.h"
#include "harness.h"

namespace procflow::test {
namespace {

pf_usage_record reading(std::uint32_t kind, std::uint64_t cookie) {
  pf_usage_record record{};
  record.record = PF_RECORD_USAGE;
  record.kind = kind;
  record.time_ns = 1000;
  record.cookie = cookie;
  record.process = {77, 42, 0};
  record.threads = 3;
  record.memory_pages = 10;
  record.peak_pages = PF_UNKNOWN;
  record.usage.cpu_ns = 30;
  record.usage.io_wait_ns = PF_UNKNOWN;
  record.usage.minor_faults = 5;
  return record;
}

TEST("CPU time is divided as the samples of its mode are") {
  pf_usage usage{};
  usage.cpu_ns = 100;
  CHECK_EQ(cpu_by_mode(usage).user_ns, 100.0);
  usage.user_ns = 30'000'000;
  usage.system_ns = 10'000'000;
  CHECK_EQ(cpu_by_mode(usage).user_ns, 75.0);
  CHECK_EQ(cpu_by_mode(usage).system_ns, 25.0);
  // A hundred days of eight threads.
  usage = {};
  usage.cpu_ns = usage.system_ns = 69'120'000'000'000'000;
  CHECK_EQ(cpu_by_mode(usage).user_ns, 0.0);
}

TEST("what is not known of a process has no flag") {
  BatchBuilder builder;
  UsageRows rows;
  rows.add(reading(PF_USAGE_SAMPLE, 0), builder);
  pf_usage_record all = reading(PF_USAGE_ENDED, 9);
  all.peak_pages = 20;
  all.usage.io_wait_ns = 0;
  rows.add(all, builder);
  pf_usage_record kernel_thread = reading(PF_USAGE_SAMPLE, 0);
  kernel_thread.memory_pages = PF_UNKNOWN;
  rows.add(kernel_thread, builder);
  pf_usage_record not_read = reading(PF_USAGE_BEGAN, 9);
  not_read.threads = 0;
  rows.add(not_read, builder);

  const Batch batch = take(builder);
  REQUIRE(batch.usage.size() == 3);
  const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
  CHECK_EQ(int{batch.usage[0].flags}, static_cast<int>(PF_USAGE_FLAG_MEMORY));
  CHECK_EQ(batch.usage[0].memoryBytes, 10 * page);
  CHECK_EQ(batch.usage[0].minorFaults, 5.0);
  CHECK_EQ(batch.usage[0].threads, 3u);
  CHECK_EQ(int{batch.usage[1].flags},
           static_cast<int>(PF_USAGE_FLAG_MEMORY | PF_USAGE_FLAG_PEAK | PF_USAGE_FLAG_IO_WAIT));
  CHECK_EQ(batch.usage[1].peakMemoryBytes, 20 * page);
  CHECK_EQ(int{batch.usage[2].flags}, 0);
}

TEST("a reading at a connect waits until its socket is told of, or forgotten") {
  BatchBuilder builder;
  UsageRows rows;
  pf_usage_record connecting = reading(PF_USAGE_BEGAN, 9);
  connecting.connecting = 1;
  rows.add(connecting, builder);
  rows.told(8, builder);
  CHECK(builder.empty());
  rows.told(9, builder);
  rows.told(9, builder);
  CHECK_EQ(take(builder).usage.size(), std::size_t{1});

  rows.add(connecting, builder);
  rows.forget_before(1000);
  rows.told(9, builder);
  CHECK_EQ(take(builder).usage.size(), std::size_t{1});
  rows.add(connecting, builder);
  rows.forget_before(1001);
  rows.told(9, builder);
  CHECK(builder.empty());
}

}  // namespace
}  // namespace procflow::test
