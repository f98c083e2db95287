// Sockets in other network namespaces than the own. Used by the capture thread alone: it goes there and comes back.
#pragma once

#include <cstdint>
#include <string>

#include "netlink.h"
#include "proc_files.h"

namespace procflow {

// The inode of this process's own network namespace, 0 when /proc does not tell.
std::uint64_t own_netns();

// Opens a socket inside a network namespace: `path` leads there, as a process's /proc/PID/ns/net or a mount does. The
// thread goes there and comes back; the socket stays there. Needs CAP_SYS_ADMIN for other namespaces than the own.
// ESTALE: the path leads to another namespace by now.
SystemError socket_in_netns(std::uint64_t netns, const std::string& path, int family, int type, int protocol,
                            OwnedFd& socket);

}  // namespace procflow
