#include "netns_socket.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "netns_finder.h"

namespace procflow {

std::uint64_t own_netns() { return netns_at("/proc/thread-self/ns/net"); }

SystemError socket_in_netns(std::uint64_t netns, const std::string& path, int family, int type, int protocol,
                            OwnedFd& made) {
  // Opened once, in the namespace the agent started in: the way back.
  static const OwnedFd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  static const std::uint64_t home_netns = own_netns();
  static bool lost = false;
  if (lost) return {EPERM, "return to the own network namespace"};

  type |= SOCK_CLOEXEC;
  if (netns == home_netns || netns == 0) {
    made = OwnedFd(socket(family, type, protocol));
    return made ? SystemError{} : SystemError{errno, "socket"};
  }
  const OwnedFd there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!there) return {errno, "open a network namespace"};
  struct stat info {};
  if (fstat(there.get(), &info) != 0) return {errno, "stat a network namespace"};
  if (info.st_ino != netns) return {ESTALE, "find a network namespace"};
  if (!home) return {ENOENT, "open the own network namespace"};
  if (setns(there.get(), CLONE_NEWNET) != 0) return {errno, "setns"};
  made = OwnedFd(socket(family, type, protocol));
  const SystemError error = made ? SystemError{} : SystemError{errno, "socket in a network namespace"};
  if (setns(home.get(), CLONE_NEWNET) != 0) {
    // Whoever could leave can come back; if not, nothing may be done from the wrong place.
    lost = true;
    made.reset();
    return {errno, "return to the own network namespace"};
  }
  return error;
}

}  // namespace procflow
