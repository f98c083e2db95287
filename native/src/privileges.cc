#include "privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>

namespace procflow {
namespace {

constexpr std::uint64_t bit(int capability) { return std::uint64_t{1} << capability; }

// Entering network namespaces; /proc/PID/exe, root, cwd and ns of others; their fd, and cgroups by their ids.
constexpr std::uint64_t kCapture = bit(CAP_SYS_ADMIN) | bit(CAP_SYS_PTRACE) | bit(CAP_DAC_READ_SEARCH);
constexpr std::uint64_t kOtherOfRoot = bit(CAP_DAC_READ_SEARCH);

bool kernel_before(int wanted_major, int wanted_minor) {
  utsname name{};
  int major = 0, minor = 0;
  return uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2 || major < wanted_major ||
         (major == wanted_major && minor < wanted_minor);
}

bool have(int capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  return syscall(SYS_capget, &header, data) == 0 && (data[capability / 32].effective >> (capability % 32) & 1) != 0;
}

// What the thread that captures needs besides, here.
std::uint64_t needed_here() {
  std::uint64_t more = 0;
  // To read a map, where kernel.unprivileged_bpf_disabled is set; since then a descriptor of it is enough.
  if (kernel_before(5, 19)) more |= bit(CAP_BPF);
  // To attach the packets tier again when it was switched off; since then CAP_SYS_ADMIN will do.
  if (kernel_before(6, 9) || !have(CAP_SYS_ADMIN)) more |= bit(CAP_NET_ADMIN);
  return more;
}

// The signal by which the C library has every thread change its user: no thread can block it, as some of V8's do with
// all others. Go's runtime changes credentials by it as well.
constexpr int kSignal = 33;

// As rt_sigaction(2) takes it; sigaction(3) keeps this signal to itself.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

struct Order {
  pid_t capture_thread;
  std::uint64_t capture, others;
};
Order order;                         // written while no thread is asked
std::atomic<pid_t> answered{0};      // the thread that obeyed last
std::atomic<int> refused{0};         // errno of the system call that failed

// Only system calls: this runs in signal handlers.
int drop_here(std::uint64_t kept) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  // Takes CAP_SETPCAP. Where that is missing the line above must do.
  for (unsigned long capability = 0; capability < 64; capability++)
    if ((kept >> capability & 1) == 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) break;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (syscall(SYS_capget, &header, data) != 0) return errno;
  for (int half = 0; half < 2; half++) {
    const auto mask = static_cast<std::uint32_t>(kept >> (32 * half));
    data[half].permitted &= mask;
    data[half].effective &= mask;
    data[half].inheritable = 0;  // and with it the ambient ones
  }
  return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

void obey(int) {
  const int saved = errno;
  const auto self = static_cast<pid_t>(syscall(SYS_gettid));
  if (const int error = drop_here(self == order.capture_thread ? order.capture : order.others); error != 0)
    refused = error;
  answered = self;
  errno = saved;
}

// The C library's signal, ours as long as this lives.
class BorrowedSignal {
 public:
  BorrowedSignal() {
    if (set(nullptr, &theirs_) != 0 || theirs_.handler == SIG_DFL)
      throw std::runtime_error("the C library has no signal for all threads");
    KernelAction ours = theirs_;
    ours.handler = obey;
    if (set(&ours, nullptr) != 0)
      throw std::runtime_error(std::string("cannot reach the other threads: ") + std::strerror(errno));
  }
  ~BorrowedSignal() { set(&theirs_, nullptr); }
  BorrowedSignal(const BorrowedSignal&) = delete;
  BorrowedSignal& operator=(const BorrowedSignal&) = delete;

 private:
  static long set(const KernelAction* action, KernelAction* old) {
    return syscall(SYS_rt_sigaction, kSignal, action, old, sizeof action->mask);
  }
  KernelAction theirs_{};
};

std::set<pid_t> threads() {
  std::set<pid_t> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    found.insert(std::stoi(task.path().filename()));
  return found;
}

// Has one thread obey, and waits until it did. One that has ended meanwhile is none any more.
void ask(pid_t thread) {
  constexpr int kPatience = 20000;
  constexpr timespec kPause{0, 100'000};
  answered = 0;
  if (syscall(SYS_tgkill, getpid(), thread, kSignal) != 0) return;
  for (int i = 0; answered != thread; i++) {
    if (syscall(SYS_tgkill, getpid(), thread, 0) != 0) return;
    if (i == kPatience) throw std::runtime_error("thread " + std::to_string(thread) + " does not answer");
    nanosleep(&kPause, nullptr);
  }
}

}  // namespace

void drop_privileges(pid_t capture_thread) {
  order.capture_thread = capture_thread;
  order.capture = kCapture | needed_here();
  order.others = geteuid() == 0 ? kOtherOfRoot : 0;
  refused = 0;

  const BorrowedSignal signal;
  // A thread that has not obeyed yet can start another that has not: until all are known.
  std::set<pid_t> done;
  for (std::size_t before = 0; done.empty() || done.size() > before;) {
    before = done.size();
    for (const pid_t thread : threads())
      if (done.insert(thread).second) ask(thread);
  }
  if (!done.contains(gettid())) throw std::runtime_error("/proc shows the threads of another pid namespace");
  if (const int error = refused; error != 0)
    throw std::runtime_error(std::string("the kernel refuses to drop capabilities: ") + std::strerror(error));
}

}  // namespace procflow
