// Runs all tests, or those whose name contains the first argument. One line a test: "ok", "not ok" or "skip".
//
// Build, in native/: g++ -std=c++20 -O1 -g -Wall -Wextra -Werror -pthread -fsanitize=address,undefined -o OUT test/*.cc
//   src/{batch,identity,netlink,netns,netns_finder,proc_files,procfs_processes,procfs_sockets,procfs_source}.cc
//   src/{sock_diag,socket_filter,user_names}.cc
#include <unistd.h>

#include "harness.h"

int main(int argc, char** argv) {
  using namespace procflow::test;
  const std::string wanted = argc > 1 ? argv[1] : "";
  int failed = 0;
  for (const Test& test : tests()) {
    if (test.name.find(wanted) == std::string::npos) continue;
    const int before = failures();
    try {
      test.run();
      const bool ok = failures() == before;
      failed += ok ? 0 : 1;
      std::cout << (ok ? "ok - " : "not ok - ") << test.name << std::endl;
    } catch (const Skipped& skipped) {
      std::cout << "skip - " << test.name << ": " << skipped.what() << std::endl;
    } catch (const std::exception& error) {
      failed++;
      std::cout << "not ok - " << test.name << ": " << error.what() << std::endl;
    }
  }
  return failed == 0 ? 0 : 1;
}
