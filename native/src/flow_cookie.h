// What a connection's end is known by: a socket, and, as one may connect again and again, which of its lives.
#ifndef PROCFLOW_FLOW_COOKIE_H
#define PROCFLOW_FLOW_COOKIE_H

#include <cstdint>

#include "../bpf/wire.h"

namespace procflow {

// The socket's cookie, and above it which of its lives this is, as the maps and records of the kernel programs have it.
std::uint64_t flow_cookie(const pf_socket& socket);

// The same as rows have it. A double has no room for both parts, so a socket's later lives are numbers above 2^52, where
// no cookie is, mixed so that of a million lives two meet once in ten thousand times.
double row_cookie(std::uint64_t flow_cookie);

}  // namespace procflow

#endif
