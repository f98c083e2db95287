// A tiny test harness: tests register themselves, checks name the line, a test may skip with a reason.
#pragma once

#include <functional>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace procflow::test {

struct Test {
  std::string name;
  std::function<void()> run;
};

struct Skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

inline int& failures() {
  static int count = 0;
  return count;
}

struct Registration {
  Registration(const char* name, std::function<void()> run) { tests().push_back({name, std::move(run)}); }
};

template <typename T>
std::string shown(const T& value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

inline void fail(const char* file, int line, const std::string& what) {
  std::cout << "  " << file << ":" << line << ": " << what << "\n";
  failures()++;
}

}  // namespace procflow::test

#define PF_JOIN2(a, b) a##b
#define PF_JOIN(a, b) PF_JOIN2(a, b)
#define TEST(name)                                                                                      \
  static void PF_JOIN(test_at_, __LINE__)();                                                            \
  static const ::procflow::test::Registration PF_JOIN(registered_at_, __LINE__){name, PF_JOIN(test_at_, __LINE__)}; \
  static void PF_JOIN(test_at_, __LINE__)()
#define CHECK(condition) \
  do {                   \
    if (!(condition)) ::procflow::test::fail(__FILE__, __LINE__, "not so: " #condition); \
  } while (false)
#define CHECK_EQ(actual, expected)                                                                              \
  do {                                                                                                          \
    const auto actual_value = (actual);                                                                         \
    const auto expected_value = (expected);                                                                     \
    if (!(actual_value == expected_value))                                                                      \
      ::procflow::test::fail(__FILE__, __LINE__,                                                                \
                             #actual " is " + ::procflow::test::shown(actual_value) + ", expected " +           \
                                 ::procflow::test::shown(expected_value));                                      \
  } while (false)
#define REQUIRE(condition)                                                                        \
  do {                                                                                            \
    if (!(condition)) throw std::runtime_error(std::string(__FILE__) + ": required: " #condition); \
  } while (false)
#define SKIP(reason) throw ::procflow::test::Skipped(reason)
