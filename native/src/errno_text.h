// What failed, and what the kernel said.
#pragma once

#include <cstring>
#include <string>

namespace procflow {

inline std::string with_errno(const std::string& what, int error) { return what + ": " + std::strerror(error); }

}  // namespace procflow
