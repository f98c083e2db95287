#include "../src/program_costs.h"

#include "harness.h"

namespace procflow {
namespace {

TEST("every run that is counted belongs to a program, but for parts of those that count messages") {
  for (int run = 0; run < PF_RUNS; run++)
    CHECK_EQ(ProgramCosts::programs(static_cast<pf_run>(run)).empty(), run == PF_RUN_HTTP || run == PF_RUN_OTHERS);
}

TEST("the load is runs times what one takes, in the time between two readings") {
  ProgramCosts costs;
  costs.add(PF_RUN_SEND, -1);
  costs.add(PF_RUN_FORK, -1);
  pf_statistics statistics{};
  statistics.runs[PF_RUN_SEND] = 1000;
  CHECK(!costs.read(1'000'000'000, statistics));
  CHECK_EQ(costs.percent(), 0.0);
  statistics.runs[PF_RUN_SEND] += 200'000;
  statistics.runs[PF_RUN_FORK] += 100;
  statistics.runs[PF_RUN_HTTP] += 1'000'000;
  CHECK(costs.read(3'000'000'000, statistics));
  const ProgramCosts::Load& send = costs.load(PF_RUN_SEND);
  CHECK_EQ(costs.seconds(), 2.0);
  CHECK_EQ(send.runs, 201'000u);
  CHECK_EQ(send.runs_per_second, 100'000.0);
  CHECK(send.cost_ns > 0);
  CHECK_EQ(send.percent, 100'000 * send.cost_ns / 1e7);
  CHECK_EQ(costs.load(PF_RUN_HTTP).percent, 0.0);
  CHECK_EQ(costs.percent(), send.percent + costs.load(PF_RUN_FORK).percent);
  CHECK(costs.state() == ProgramCosts::State::kPending);
}

TEST("without messages of TCP a message takes less, and as much as before with them") {
  ProgramCosts costs;
  costs.add(PF_RUN_SEND, -1);
  const pf_statistics statistics{};
  costs.read(1, statistics);
  const double all = costs.load(PF_RUN_SEND).cost_ns;
  costs.set_light(true, 2);
  costs.read(3, statistics);
  CHECK(costs.load(PF_RUN_SEND).cost_ns < all);
  costs.set_light(false, 4);
  costs.read(5, statistics);
  CHECK_EQ(costs.load(PF_RUN_SEND).cost_ns, all);
}

TEST("the cost of a run goes where it is measured to be, and few runs do not move it far") {
  RunCost cost(100);
  CHECK_EQ(cost.ns(), 100.0);
  cost.add(0, 0);
  CHECK_EQ(cost.ns(), 100.0);
  cost.add(10'000, 1);
  CHECK(cost.ns() > 100 && cost.ns() < 1000);
  for (int i = 0; i < 10; i++) cost.add(2'000'000, 10'000);
  CHECK(cost.ns() > 199 && cost.ns() < 202);
}

}  // namespace
}  // namespace procflow
