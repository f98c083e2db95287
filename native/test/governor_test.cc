#include "../src/governor.h"

#include <algorithm>
#include <optional>
#include <string>

#include "harness.h"

namespace procflow {
namespace {

// A host, second by second: what the tiers cost when they run, and the rest.
class Host {
 public:
  explicit Host(double budget) : governor(budget) {}

  Governor governor;
  double others = 0, packets = 0, messages = 0;  // percent of a core, when on
  double left = 0.02;                            // of messages, when put off
  double activity = 1000;
  bool can_packets = true, can_messages = true;
  bool packets_on = true, messages_on = true;
  std::uint64_t second = 1000;

  // Lets a second go by; what was done: "", "-packets", "+messages" …
  std::string next() {
    Governor::Reading reading;
    reading.now_ns = second++ * 1'000'000'000;
    const double of_packets = packets_on && can_packets ? packets : 0;
    const double of_messages = messages_on ? messages : left;
    reading.percent = others + of_packets + of_messages;
    reading.of[Governor::kPackets] = {can_packets, of_packets, activity};
    reading.of[Governor::kMessagesOfTcp] = {can_messages, of_messages, activity};
    const std::optional<Governor::Change> change = governor.decide(reading);
    if (!change) return "";
    (change->what == Governor::kPackets ? packets_on : messages_on) = change->on;
    last = change->percent;
    return std::string(change->on ? "+" : "-") + (change->what == Governor::kPackets ? "packets" : "messages");
  }
  // In so many seconds, one after the other; each with the second that it was done in, from 1.
  std::string run(int seconds) {
    std::string all;
    for (int i = 1; i <= seconds; i++)
      if (const std::string done = next(); !done.empty()) all += (all.empty() ? "" : " ") + std::to_string(i) + done;
    return all;
  }
  double last = 0;
};

TEST("packets are put off after three seconds above the budget, messages after three more") {
  Host host(1);
  host.packets = 1.5;
  host.messages = 1.2;
  CHECK_EQ(host.run(10), "3-packets 6-messages");
  CHECK_EQ(host.last, 1.2);
}

TEST("what comes and goes within three seconds, or stays in the budget, is let be") {
  Host host(1);
  host.messages = 0.5;
  for (int i = 0; i < 5; i++) {
    host.packets = 2;
    CHECK_EQ(host.run(2), "");
    host.packets = 0.5;
    CHECK_EQ(host.run(1), "");
  }
}

TEST("putting off packets is enough when the rest fits") {
  Host host(1);
  host.packets = 1.5;
  host.messages = 0.8;
  CHECK_EQ(host.run(100), "3-packets");
}

TEST("what costs next to nothing is not put off, however much the rest takes") {
  Host host(1);
  host.others = 5;
  host.packets = 0.05;
  host.messages = 2;
  CHECK_EQ(host.run(20), "3-messages");
}

TEST("what costs little beside the rest goes first all the same") {
  Host host(1);
  host.packets = 2;
  host.messages = 40;
  CHECK_EQ(host.run(6), "3-packets 6-messages");
}

TEST("a tier that is not there is left out") {
  Host host(1);
  host.packets = 2;
  host.messages = 2;
  host.can_packets = false;
  CHECK_EQ(host.run(20), "3-messages");
}

TEST("what was put off last comes back first, half a minute later, when it fits for ten seconds") {
  Host host(1);
  host.packets = 1;
  host.messages = 1.1;
  CHECK_EQ(host.run(6), "3-packets 6-messages");
  // As little as half of it: there is room for messages, and not for packets.
  host.activity = 500;
  host.messages = 0.5;
  host.packets = 0.5;
  CHECK_EQ(host.run(60), "30+messages");
  host.activity = 100;
  host.messages = 0.1;
  host.packets = 0.1;
  CHECK_EQ(host.run(60), "10+packets");
}

TEST("it does not come back while its activity lasts, though its cost is gone") {
  Host host(1);
  host.packets = 3;
  CHECK_EQ(host.run(600), "3-packets");
  host.activity = 10;
  CHECK_EQ(host.run(11), "10+packets");
}

TEST("ten seconds are ten in a row") {
  Host host(1);
  host.packets = 3;
  CHECK_EQ(host.run(40), "3-packets");
  for (int i = 0; i < 5; i++) {
    host.activity = 10;
    CHECK_EQ(host.run(9), "");
    host.activity = 1000;
    CHECK_EQ(host.run(1), "");
  }
}

TEST("each time that it must go again within a minute it stays away twice as long, at most ten minutes") {
  Host host(1);
  int away[8] = {};
  for (int& seconds : away) {
    host.packets = 3;
    host.activity = 1000;
    CHECK_EQ(host.run(3), "3-packets");
    host.activity = 1;
    while (host.next().empty()) seconds++;
    seconds++;
  }
  for (int i = 0; i < 8; i++) CHECK_EQ(away[i], std::min(30 << i, 600));
  // It stayed for longer than a minute: all is forgiven.
  host.packets = 0;
  CHECK_EQ(host.run(70), "");
  host.packets = 3;
  host.activity = 1000;
  CHECK_EQ(host.run(3), "3-packets");
  host.activity = 1;
  CHECK_EQ(host.run(30), "30+packets");
}

TEST("a budget of 0 is none") {
  Host host(0);
  host.others = host.packets = host.messages = 100;
  CHECK_EQ(host.run(100), "");
}

TEST("a new budget is in force at once") {
  Host host(1);
  host.packets = host.messages = 3;
  CHECK_EQ(host.run(6), "3-packets 6-messages");
  host.governor.set_budget(0);
  CHECK_EQ(host.run(3), "1+messages 2+packets");
  host.governor.set_budget(1);
  CHECK_EQ(host.run(6), "3-packets 6-messages");
  host.governor.set_budget(50);
  CHECK_EQ(host.run(25), "10+messages 20+packets");
}

}  // namespace
}  // namespace procflow
