// Lists the tests, one a line; given the name of one, runs it. Exit codes: 0 it passed, 1 it failed, 77 it cannot run
// here. What went wrong, or the reason, is on standard output.
#include <string_view>

#include "harness.h"

namespace {
constexpr int kFailed = 1, kSkipped = 77;
}

int main(int argc, char** argv) {
  using namespace procflow::test;
  if (argc < 2) {
    for (const Test& test : tests()) std::cout << test.name << "\n";
    return 0;
  }
  for (const Test& test : tests()) {
    if (test.name != std::string_view(argv[1])) continue;
    try {
      test.run();
    } catch (const Skipped& skipped) {
      std::cout << skipped.what() << std::endl;
      return kSkipped;
    } catch (const std::exception& error) {
      std::cout << error.what() << std::endl;
      return kFailed;
    }
    return failures() == 0 ? 0 : kFailed;
  }
  std::cout << "there is no such test" << std::endl;
  return kFailed;
}
