// Where programs are attached that are to see all processes.
#pragma once

#include <string>

namespace procflow {

// Opens the root of the cgroup2 hierarchy, `configured` or found. Where none is mounted, a mount that nobody else sees
// lasts as long as the descriptor. -1 with the cause in `error` when there is none to be had.
int open_cgroup_root(const std::string& configured, std::string& error);

}  // namespace procflow
