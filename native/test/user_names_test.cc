#include "../src/user_names.h"

#include "harness.h"

namespace procflow::test {
namespace {

TEST("known users have names, unknown ones none, in order") {
  const auto names = resolve({0, 3999999999u, 0});
  REQUIRE(names.size() == 3);
  CHECK_EQ(names[0].value_or(""), "root");
  CHECK(!names[1].has_value());
  CHECK_EQ(names[2].value_or(""), "root");
  CHECK(resolve({}).empty());
}

}  // namespace
}  // namespace procflow::test
