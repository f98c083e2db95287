#include "../src/identity.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cstdlib>
#include <fstream>

#include "batch_reader.h"
#include "children.h"

namespace procflow::test {
namespace {

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/procflow-test-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
    chmod(name, 0755);
  }
  ~Folder() { (void)!std::system(("rm -rf '" + path + "'").c_str()); }
};

std::string copy_of_sleep(const Folder& folder, const std::string& name) {
  const std::string target = folder.path + "/" + name;
  std::ifstream from("/bin/sleep", std::ios::binary);
  std::ofstream to(target, std::ios::binary);
  to << from.rdbuf();
  to.close();
  chmod(target.c_str(), 0755);
  return target;
}

std::uint64_t inode_of(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

struct ReadProcess {
  bool ok = false;
  ProcessRow row;
  std::string name, executable, arguments, cgroup;
};

ReadProcess read(pid_t pid, double start_ns = 0) {
  Identity identity;
  BatchBuilder out;
  ReadProcess result;
  result.row.startNs = start_ns;
  result.ok = identity.read(pid, result.row, out);
  if (!result.ok) return result;
  out.add(result.row);
  const Batch batch = take(out);
  result.row = batch.process.at(0);
  result.name = batch.text(result.row.name);
  result.executable = batch.text(result.row.executable);
  result.arguments = batch.text(result.row.arguments);
  result.cgroup = batch.text(result.row.cgroup);
  return result;
}

TEST("a living process has name, executable, arguments, user, parent and start") {
  const uid_t uid = geteuid() == 0 ? 12345 : 0;
  Folder folder;
  const std::string program = copy_of_sleep(folder, "a name) (x");
  Child child(program, {"zero", "1000", "0.5"}, uid);
  const auto process = read(child.pid());
  REQUIRE(process.ok);
  CHECK_EQ(process.name, "a name) (x");
  CHECK_EQ(process.executable, program);
  CHECK_EQ(process.arguments, std::string("zero\0001000\0000.5", 13));
  CHECK_EQ(process.row.argumentsTruncated, 0);
  CHECK_EQ(process.row.uid, uid != 0 ? uid : geteuid());
  CHECK_EQ(process.row.gid, uid != 0 ? uid : getegid());
  CHECK_EQ(process.row.parentPid, static_cast<std::uint32_t>(getpid()));
  CHECK(process.row.parentStartNs > 0 && process.row.parentStartNs <= process.row.startNs);
  CHECK(boot_now_ns() - process.row.startNs < 60e9);
  CHECK(!process.cgroup.empty() && process.cgroup[0] == '/');
}

TEST("a start time that is not the process's is refused, one within a tick is taken and kept") {
  const auto self = read(getpid());
  REQUIRE(self.ok);
  CHECK(!read(getpid(), self.row.startNs + 5e9).ok);
  const auto again = read(getpid(), self.row.startNs + 9e6);
  CHECK(again.ok);
  CHECK_EQ(again.row.startNs, self.row.startNs + 9e6);
}

TEST("gone processes and zombies are not read") {
  const pid_t pid = fork();
  if (pid == 0) _exit(0);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  CHECK(!read(pid).ok);  // a zombie
  waitpid(pid, nullptr, 0);
  CHECK(!read(pid).ok);
  CHECK(!read(-1).ok);
}

TEST("two MiB of arguments are cut at 4096 bytes and marked") {
  std::vector<std::string> arguments{"sleep", "1000"};
  for (int i = 0; i < 15; i++) arguments.push_back("0" + std::string(100000, '0'));
  Child child("/bin/sleep", arguments);
  const auto process = read(child.pid());
  REQUIRE(process.ok);
  CHECK_EQ(process.arguments.size(), 4096u);
  CHECK_EQ(process.row.argumentsTruncated, 1);
}

TEST("hostile names and arguments come through as bytes") {
  Folder folder;
  const std::string program = copy_of_sleep(folder, "\n) R 1\xff\x1b");
  Child other(program, {"</script>\n\xfe", "1000"});
  const auto living = read(other.pid());
  REQUIRE(living.ok);
  CHECK_EQ(living.name, "\n) R 1\xff\x1b");
  CHECK_EQ(living.arguments, std::string("</script>\n\xfe\0001000", 16));
  CHECK_EQ(living.row.parentPid, static_cast<std::uint32_t>(getpid()));
}

TEST("a title written over the arguments loses its padding, empty arguments stay") {
  Child empty("/bin/sh", {"sh", "-c", "while :; do sleep 0.05; done", ""});
  CHECK_EQ(Identity::arguments(empty.pid()), std::string("sh\0-c\0while :; do sleep 0.05; done\0", 35));
  // A title is what the process writes where the kernel looks for its arguments.
  Child titled([] {
    prctl(PR_SET_NAME, "titled");
    constexpr int kProtection = PROT_READ | PROT_WRITE, kFlags = MAP_PRIVATE | MAP_ANONYMOUS;
    char* const title = static_cast<char*>(mmap(nullptr, 4096, kProtection, kFlags, -1, 0));
    std::strcpy(title, "titled: worker");
    (void)prctl(PR_SET_MM, PR_SET_MM_ARG_START, title, 0, 0);
    (void)prctl(PR_SET_MM, PR_SET_MM_ARG_END, title + 200, 0, 0);
  });
  const std::string title = Identity::arguments(titled.pid());
  if (title.starts_with("titled")) CHECK_EQ(title, "titled: worker");
}

TEST("an unlinked executable loses the kernel's mark, a file really named so keeps its name") {
  Folder folder;
  const std::string gone = copy_of_sleep(folder, "gone");
  Child first(gone, {"x", "1000"});
  unlink(gone.c_str());
  CHECK_EQ(read(first.pid()).executable, gone);
  const std::string named = copy_of_sleep(folder, "named (deleted)");
  Child second(named, {"x", "1000"});
  CHECK_EQ(read(second.pid()).executable, named);
}

TEST("kernel threads have a name and no executable") {
  ProcStat stat;
  if (!read_stat(AT_FDCWD, "/proc/2/stat", stat) || !stat.kernel_thread()) SKIP("no kernel threads to be seen");
  const auto process = read(2);
  REQUIRE(process.ok);
  CHECK_EQ(process.name, "kthreadd");
  CHECK_EQ(process.executable, "<unknown>");
  CHECK_EQ(process.arguments, "<unknown>");
}

TEST("the executable of a process that is gone is found by its parent, and remembered") {
  Identity identity;
  const pid_t gone = 4194303;
  const auto inode = inode_of("/bin/sleep");
  char real[4096];
  REQUIRE(realpath("/bin/sleep", real) != nullptr);
  CHECK_EQ(identity.executable(gone, getpid(), inode, "/bin/sleep", "x"), std::string(real));
  // Remembered under the name as executed, whoever asks.
  CHECK_EQ(identity.executable(gone, gone, inode, "/bin/sleep", ""), std::string(real));
  // By the first argument when the file name is another's (an interpreter's script).
  CHECK_EQ(identity.executable(gone, getpid(), inode, "/etc/passwd", "/bin/sleep"), std::string(real));
  // Not proven: the absolute name as it is; a relative one is unknown.
  CHECK_EQ(identity.executable(gone, gone, 1, "/no/such", ""), "/no/such");
  CHECK_EQ(identity.executable(gone, gone, 1, "such", "such"), "");
  CHECK_EQ(identity.executable(gone, getpid(), inode_of("/etc/passwd") + 1000000, "/etc/passwd", ""), "/etc/passwd");
}

TEST("a relative executable is resolved where the parent stands, a living one by itself") {
  Folder folder;
  const std::string program = copy_of_sleep(folder, "here");
  Child parent([&] { REQUIRE(chdir(folder.path.c_str()) == 0); });
  Identity identity;
  const auto inode = inode_of(program);
  CHECK_EQ(identity.executable(4194303, parent.pid(), inode, "./here", "here"), program);
  Child living(program, {"x", "1000"});
  Identity fresh;
  CHECK_EQ(fresh.executable(living.pid(), 1, inode, "./here", ""), program);
}

TEST("an executable in another root is resolved there, its absolute links too") {
  if (geteuid() != 0) SKIP("needs root for chroot");
  Folder folder;
  mkdir((folder.path + "/real").c_str(), 0755);
  const std::string program = copy_of_sleep(folder, "real/prog");
  REQUIRE(symlink("/real", (folder.path + "/bin").c_str()) == 0);
  Child parent([&] { REQUIRE(chroot(folder.path.c_str()) == 0 && chdir("/") == 0); });
  Identity identity;
  CHECK_EQ(identity.executable(4194303, parent.pid(), inode_of(program), "/bin/prog", ""), program);
}

TEST("the cgroup is v2's, or on a hybrid host the deepest that tells something") {
  CHECK_EQ(select_cgroup("0::/system.slice/a.service\n"), "/system.slice/a.service");
  CHECK_EQ(select_cgroup("12:pids:/p\n3:cpu,cpuacct:/c\n1:name=systemd:/s:x\n0::/\n"), "/s:x");
  CHECK_EQ(select_cgroup("12:pids:/p\n3:cpu,cpuacct:/c\n1:name=systemd:/\n0::/\n"), "/c");
  CHECK_EQ(select_cgroup("4:memory:/m\n0::/v2\n"), "/v2");
  CHECK_EQ(select_cgroup("4:freezer:/f\n0::/\n"), "/");
  CHECK_EQ(select_cgroup("4:memory:/m\n"), "/m");
  CHECK_EQ(select_cgroup(""), "");
  CHECK_EQ(select_cgroup("nonsense\n::\n"), "");
}

TEST("the cgroup2 mount is read with its escapes, a whole one first") {
  CHECK_EQ(find_cgroup2_mount("31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
                              "41 31 0:38 /sub /mnt/part rw - cgroup2 cgroup2 rw\n"
                              "42 31 0:38 / /mnt/a\\040b\\134 rw shared:1 - cgroup2 cgroup2 rw\n"),
           "/mnt/a b\\");
  CHECK_EQ(find_cgroup2_mount("41 31 0:38 /sub /mnt/part rw - cgroup2 cgroup2 rw"), "/mnt/part");
  CHECK_EQ(find_cgroup2_mount(""), "");
  CHECK_EQ(find_cgroup2_mount("garbage\n - cgroup2 \n"), "");
}

TEST("a cgroup's path is found by its id, and by the process where the id tells nothing") {
  const std::string mount = find_cgroup2_mount();
  if (mount.empty()) SKIP("no cgroup2 mount");
  const std::string directory = mount + "/procflow-test-" + std::to_string(getpid());
  if (mkdir(directory.c_str(), 0755) != 0) SKIP("cannot make a cgroup");
  const auto id = inode_of(directory);
  Identity identity;
  CHECK_EQ(identity.cgroup_path(id, 0), directory.substr(mount.size()));
  Child child([&] { std::ofstream(directory + "/cgroup.procs") << getpid(); });
  const auto process = read(child.pid());
  CHECK_EQ(process.cgroup, directory.substr(mount.size()));
  CHECK_EQ(process.row.cgroupId, static_cast<double>(id));
  child.end();
  rmdir(directory.c_str());
  CHECK_EQ(identity.cgroup_path(id, 0), directory.substr(mount.size()));  // remembered
  identity.forget(id);
  CHECK_EQ(identity.cgroup_path(id, getpid()), "");  // gone, and this process is elsewhere
  std::ifstream file("/proc/self/cgroup");
  const std::string own((std::istreambuf_iterator<char>(file)), {});
  CHECK_EQ(identity.cgroup_path(inode_of(mount), getpid()), select_cgroup(own));
}

TEST("reading processes that come and go never fails badly") {
  Identity identity;
  BatchBuilder out;
  Child churn([] {
    if (fork() != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
      const pid_t pid = fork();
      if (pid == 0) {
        execl("/bin/true", "true", nullptr);
        _exit(1);
      }
      waitpid(pid, nullptr, 0);
    }
  });
  int read_count = 0;
  const double end = boot_now_ns() + 0.5e9;
  pid_t pid = churn.pid();
  while (boot_now_ns() < end) {
    ProcessRow row;
    if (identity.read(++pid, row, out)) {
      read_count++;
      CHECK(row.name != kUnknownString);
    }
    if (pid > churn.pid() + 400) pid = churn.pid();
  }
  CHECK(read_count >= 0);
  take(out);
}

}  // namespace
}  // namespace procflow::test
