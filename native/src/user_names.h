// User names by NSS. Slow where NSS asks a directory server: for a worker thread, never for the capture thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace procflow {

// The name of each user, in order; nothing where there is no such user or the lookup failed. Safe on any thread.
std::vector<std::optional<std::string>> resolve(const std::vector<uid_t>& uids);

}  // namespace procflow
