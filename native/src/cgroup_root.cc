#include "cgroup_root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "errno_text.h"
#include "identity.h"

namespace procflow {

int open_cgroup_root(const std::string& configured, std::string& error) {
  const std::string root = configured.empty() ? find_cgroup2_mount() : configured;
  if (!root.empty()) {
    const int fd = open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) error = with_errno("cannot open the cgroup2 root " + root, errno);
    return fd;
  }
  char directory[] = "/tmp/procflow-cgroup-XXXXXX";
  if (mkdtemp(directory) == nullptr) {
    error = with_errno("no cgroup2 hierarchy is mounted, and no directory could be made to mount it on", errno);
    return -1;
  }
  int fd = -1;
  if (mount("none", directory, "cgroup2", 0, nullptr) != 0) {
    error = with_errno("no cgroup2 hierarchy is mounted, and mounting one failed", errno);
  } else {
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    umount2(directory, MNT_DETACH);
  }
  rmdir(directory);
  return fd;
}

}  // namespace procflow
