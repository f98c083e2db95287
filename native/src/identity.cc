#include "identity.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace procflow {
namespace {

constexpr std::size_t kMaxExecutables = 4096;
constexpr std::size_t kMaxCgroups = 4096;
constexpr double kCgroupTtlNs = 300e9;
constexpr std::size_t kCgroupFileBytes = 16384;
constexpr int kFileIdKernfs = 0xfe;              // FILEID_KERNFS of include/linux/exportfs.h
constexpr std::string_view kDeleted = " (deleted)";

struct ProcPath {
  char text[64];
  ProcPath(pid_t pid, const char* file) { std::snprintf(text, sizeof text, "/proc/%d/%s", pid, file); }
  operator const char*() const { return text; }
};

// mountinfo writes blank, tab, line end and backslash as \ooo.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); i++) {
    const auto octal = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      plain += static_cast<char>(((text[i + 1] - '0') << 6) | ((text[i + 2] - '0') << 3) | (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string_view next_token(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const std::string_view token = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return token;
}

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

// The path of the image that runs. The kernel marks one that was unlinked; a file may also really be named so.
std::string image_path(int dir) {
  std::string path = link_at(dir, "exe");
  if (!path.ends_with(kDeleted)) return path;
  struct stat image {}, named {};
  const std::string within = "root" + path;
  if (fstatat(dir, "exe", &image, 0) == 0 && fstatat(dir, within.c_str(), &named, 0) == 0 && same_file(image, named))
    return path;
  path.resize(path.size() - kDeleted.size());
  return path;
}

// argv joined by NUL. Programs that write a title over their arguments pad it with NULs: those are no arguments.
std::string arguments_at(int dir, const char* path, bool& truncated) {
  std::array<char, kMaxArgumentBytes + 1> text;
  const ssize_t got = read_at(dir, path, text.data(), text.size());
  truncated = got > static_cast<ssize_t>(kMaxArgumentBytes);
  if (got <= 0) return {};
  std::size_t length = static_cast<std::size_t>(got);
  if (truncated) return std::string(text.data(), kMaxArgumentBytes);
  if (text[length - 1] == '\0') length--;
  std::size_t end = length;
  while (end > 0 && text[end - 1] == '\0') end--;
  return std::string(text.data(), length - end > 2 ? end : length);
}

// "Uid:\treal\teffective\t…" of /proc/PID/status.
bool effective_id(std::string_view status, std::string_view label, std::uint32_t& id) {
  const auto at = status.find(label);
  if (at == std::string_view::npos) return false;
  std::string_view rest = status.substr(at + label.size());
  next_token(rest, '\t');
  const std::string_view token = next_token(rest, '\t');
  return std::from_chars(token.data(), token.data() + token.size(), id).ec == std::errc{};
}

// Opens what a process names by a path, symbolic links resolved in that process's root.
OwnedFd open_in_root(int root, const char* path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  OwnedFd file(static_cast<int>(syscall(SYS_openat2, root, path, &how, sizeof how)));
  if (file || (errno != ENOSYS && errno != EPERM)) return file;
  while (*path == '/') path++;
  return OwnedFd(openat(root, path, O_PATH | O_CLOEXEC));
}

std::string path_if_inode(const OwnedFd& file, std::uint64_t inode) {
  struct stat info {};
  if (!file || fstat(file.get(), &info) != 0 || info.st_ino != inode || !S_ISREG(info.st_mode)) return {};
  char link[32];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file.get());
  return link_at(AT_FDCWD, link);
}

}  // namespace

std::string find_cgroup2_mount(std::string_view mountinfo) {
  std::string fallback;
  while (!mountinfo.empty()) {
    const std::string_view line = next_token(mountinfo, '\n');
    const auto dash = line.find(" - ");
    if (dash == std::string_view::npos || !line.substr(dash + 3).starts_with("cgroup2 ")) continue;
    std::string_view rest = line;
    for (int i = 0; i < 3; i++) next_token(rest, ' ');
    const std::string_view root = next_token(rest, ' ');
    const std::string_view point = next_token(rest, ' ');
    if (root == "/") return unescape(point);
    if (fallback.empty()) fallback = unescape(point);
  }
  return fallback;
}

std::string find_cgroup2_mount() {
  std::string text(1 << 20, '\0');
  const ssize_t length = read_at(AT_FDCWD, "/proc/self/mountinfo", text.data(), text.size());
  return length > 0 ? find_cgroup2_mount(std::string_view(text.data(), static_cast<std::size_t>(length))) : "";
}

std::string select_cgroup(std::string_view text) {
  static constexpr std::string_view kOrder[] = {"name=systemd", "cpu", "cpuacct", "memory", "pids"};
  std::string_view v2, v1;
  std::size_t best = std::size(kOrder);
  bool any = false;
  while (!text.empty()) {
    std::string_view path = next_token(text, '\n');
    next_token(path, ':');
    std::string_view controllers = next_token(path, ':');
    if (path.empty()) continue;
    any = true;
    if (controllers.empty()) v2 = path;
    while (path != "/" && !controllers.empty()) {
      const std::string_view controller = next_token(controllers, ',');
      for (std::size_t rank = 0; rank < best; rank++)
        if (kOrder[rank] == controller) {
          best = rank;
          v1 = path;
        }
    }
  }
  if (!v2.empty() && v2 != "/") return std::string(v2);
  if (!v1.empty()) return std::string(v1);
  return any ? "/" : "";
}

struct Identity::Reading {
  ProcStat stat;
  std::uint32_t uid = 0, gid = 0;
  std::string executable, arguments, cgroup;
  std::uint64_t cgroup_id = 0;
  bool truncated = false;
};

Identity::Identity() : cgroup_mount_(find_cgroup2_mount()) {
  if (!cgroup_mount_.empty())
    cgroup_mount_fd_ = OwnedFd(open(cgroup_mount_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::string_view lines;
  const std::string text = cgroup_text(AT_FDCWD, "/proc/self/cgroup");
  lines = text;
  while (!lines.empty())
    if (!next_token(lines, '\n').starts_with("0::")) hybrid_ = true;
}

std::string Identity::cgroup_text(int dir, const char* path) {
  std::string text(kCgroupFileBytes, '\0');
  const ssize_t length = read_at(dir, path, text.data(), text.size());
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text;
}

std::uint64_t Identity::cgroup_id_of(std::string_view v2_path) const {
  if (!cgroup_mount_fd_ || !v2_path.starts_with('/')) return 0;
  struct stat info {};
  const std::string relative = "." + std::string(v2_path);
  return fstatat(cgroup_mount_fd_.get(), relative.c_str(), &info, 0) == 0 ? info.st_ino : 0;
}

bool Identity::read_once(int dir, pid_t, ProcessRow& row, Reading& reading) {
  ProcStat& stat = reading.stat;
  if (!read_stat(dir, "stat", stat) || stat.dead()) return false;
  const double start_ns = ticks_to_ns(stat.start_ticks);
  if (row.startNs != 0 && std::abs(row.startNs - start_ns) > tick_ns()) return false;

  char status[1024];  // the ids stand in the first lines; the name is escaped there
  const ssize_t length = read_at(dir, "status", status, sizeof status);
  if (length <= 0) return false;
  const std::string_view text(status, static_cast<std::size_t>(length));
  if (!effective_id(text, "\nUid:\t", reading.uid) || !effective_id(text, "\nGid:\t", reading.gid)) return false;

  if (!stat.kernel_thread()) {
    reading.executable = image_path(dir);
    reading.arguments = arguments_at(dir, "cmdline", reading.truncated);
  }
  const std::string cgroups = cgroup_text(dir, "cgroup");
  reading.cgroup = select_cgroup(cgroups);
  const auto v2 = cgroups.starts_with("0::") ? 0 : cgroups.find("\n0::");
  if (v2 != std::string::npos) {
    std::string_view path = std::string_view(cgroups).substr(cgroups.find("::", v2) + 2);
    reading.cgroup_id = cgroup_id_of(next_token(path, '\n'));
  }
  return true;
}

bool Identity::read(pid_t pid, ProcessRow& row, BatchBuilder& out) {
  // The directory stays bound to this one process: what is read below it can fail, but never be another process's.
  const OwnedFd dir(open(ProcPath(pid, ""), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!dir) return false;
  Reading reading;
  for (int attempt = 0; attempt < 3; attempt++) {
    reading = {};
    if (!read_once(dir.get(), pid, row, reading)) return false;
    ProcStat after;
    if (!read_stat(dir.get(), "stat", after) || after.dead()) return false;
    if (after.start_ticks != reading.stat.start_ticks) return false;
    // An exec in the middle would mix two images.
    if (after.start_stack == reading.stat.start_stack && after.comm == reading.stat.comm) break;
  }

  row.pid = static_cast<std::uint32_t>(pid);
  if (row.startNs == 0) row.startNs = ticks_to_ns(reading.stat.start_ticks);
  const auto parent = static_cast<std::uint32_t>(reading.stat.parent);
  if (row.parentPid != parent || row.parentStartNs == 0) {
    row.parentPid = parent;
    row.parentStartNs = 0;
    ProcStat stat;
    if (parent != 0 && read_stat(AT_FDCWD, ProcPath(reading.stat.parent, "stat"), stat) &&
        stat.start_ticks <= reading.stat.start_ticks)
      row.parentStartNs = ticks_to_ns(stat.start_ticks);
  }
  const auto known = [&](const std::string& text) { return text.empty() ? kUnknownString : out.intern(text); };
  row.uid = reading.uid;
  row.gid = reading.gid;
  row.cgroup = known(reading.cgroup);
  if (reading.cgroup_id != 0) row.cgroupId = static_cast<double>(reading.cgroup_id);
  row.name = out.intern(reading.stat.comm);
  row.executable = known(reading.executable);
  row.arguments = known(reading.arguments);
  row.argumentsTruncated = reading.truncated ? 1 : 0;
  return true;
}

std::string Identity::executable(pid_t pid, pid_t parent_pid, std::uint64_t inode, std::string_view exec_filename,
                                 std::string_view argv0) {
  std::string key(reinterpret_cast<const char*>(&inode), sizeof inode);
  key += exec_filename;
  if (const auto found = executables_.find(key); found != executables_.end()) return found->second;
  const auto remember = [&](std::string path) {
    if (executables_.size() >= kMaxExecutables) executables_.clear();
    return executables_.emplace(std::move(key), std::move(path)).first->second;
  };

  if (const OwnedFd dir(open(ProcPath(pid, ""), O_PATH | O_DIRECTORY | O_CLOEXEC)); dir) {
    struct stat info {};
    if (fstatat(dir.get(), "exe", &info, 0) == 0 && info.st_ino == inode)
      if (std::string path = image_path(dir.get()); !path.empty()) return remember(std::move(path));
  }

  OwnedFd parent_root, own_root;
  for (const std::string_view candidate : {exec_filename, argv0}) {
    // A first argument without a slash was found along PATH: it is a name, not a path.
    const bool relative = !candidate.starts_with('/');
    if (candidate.empty() || candidate.find('\0') != std::string_view::npos) continue;
    if (relative && candidate.data() == argv0.data() && candidate.find('/') == std::string_view::npos) continue;
    const std::string name(candidate);
    if (relative) {
      const OwnedFd cwd(open(ProcPath(parent_pid, "cwd"), O_PATH | O_DIRECTORY | O_CLOEXEC));
      if (!cwd) continue;
      const OwnedFd file(openat(cwd.get(), name.c_str(), O_PATH | O_CLOEXEC));
      if (std::string path = path_if_inode(file, inode); !path.empty()) return remember(std::move(path));
      continue;
    }
    if (!parent_root) parent_root = OwnedFd(open(ProcPath(parent_pid, "root"), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (parent_root)
      if (std::string path = path_if_inode(open_in_root(parent_root.get(), name.c_str()), inode); !path.empty())
        return remember(std::move(path));
    if (!own_root) own_root = OwnedFd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (own_root)
      if (std::string path = path_if_inode(open_in_root(own_root.get(), name.c_str()), inode); !path.empty())
        return remember(std::move(path));
  }
  return exec_filename.starts_with('/') ? std::string(exec_filename) : std::string();
}

std::string Identity::path_by_handle(std::uint64_t cgroup_id) const {
  if (!cgroup_mount_fd_) return {};
  union {
    file_handle handle;
    char bytes[sizeof(file_handle) + sizeof cgroup_id];
  } request{};
  request.handle.handle_bytes = sizeof cgroup_id;
  request.handle.handle_type = kFileIdKernfs;
  std::memcpy(request.bytes + offsetof(file_handle, f_handle), &cgroup_id, sizeof cgroup_id);

  const OwnedFd dir(open_by_handle_at(cgroup_mount_fd_.get(), &request.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) return {};
  char link[32];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", dir.get());
  std::string path = link_at(AT_FDCWD, link);
  if (path.starts_with(cgroup_mount_)) path.erase(0, cgroup_mount_ == "/" ? 0 : cgroup_mount_.size());
  return path.empty() ? "/" : path;
}

std::string Identity::cgroup_path(std::uint64_t cgroup_id, pid_t pid) {
  const double now = boot_now_ns();
  std::string path;
  if (const auto found = cgroups_.find(cgroup_id); found != cgroups_.end() && found->second.expires_ns > now)
    path = found->second.path;
  else {
    path = path_by_handle(cgroup_id);
    if (path.empty() && pid > 0) {
      const std::string text = cgroup_text(AT_FDCWD, ProcPath(pid, "cgroup"));
      const auto v2 = text.starts_with("0::") ? 0 : text.find("\n0::");
      if (v2 == std::string::npos) return select_cgroup(text);  // no v2 hierarchy: ids mean nothing
      std::string_view rest = std::string_view(text).substr(text.find("::", v2) + 2);
      const std::string_view now_in = next_token(rest, '\n');
      const std::uint64_t now_id = cgroup_id_of(now_in);
      if (now_id != 0 && now_id != cgroup_id) return {};  // the process has moved since
      path = now_in;
    }
    if (path.empty()) return {};
    if (cgroups_.size() >= kMaxCgroups) cgroups_.clear();
    cgroups_[cgroup_id] = {path, now + kCgroupTtlNs};
  }
  if (path == "/" && hybrid_ && pid > 0) {
    // Here the v2 id tells nothing, every process has the same: ask the process.
    if (std::string own = select_cgroup(cgroup_text(AT_FDCWD, ProcPath(pid, "cgroup"))); !own.empty()) return own;
  }
  return path;
}

std::string Identity::arguments(pid_t pid, bool* truncated) {
  bool cut = false;
  std::string text = arguments_at(AT_FDCWD, ProcPath(pid, "cmdline"), cut);
  if (truncated != nullptr) *truncated = cut;
  return text;
}

std::string Identity::comm(pid_t pid) {
  char text[128];
  ssize_t length = read_at(AT_FDCWD, ProcPath(pid, "comm"), text, sizeof text);
  if (length <= 0) return {};
  if (text[length - 1] == '\n') length--;
  return std::string(text, static_cast<std::size_t>(length));
}

}  // namespace procflow
