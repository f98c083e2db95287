#include "obstacles.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>

#include "errno_text.h"

namespace procflow {
namespace {

bool kernel_has_tracepoint(const btf* kernel, const std::string& name) {
  return btf__find_by_name_kind(kernel, ("btf_trace_" + name).c_str(), BTF_KIND_TYPEDEF) > 0;
}

// A function of the kernel's that programs may call.
bool kernel_has_function(const btf* kernel, const char* name) {
  return btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC) > 0;
}

}  // namespace

std::string bpf_obstacle() {
  if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
    return "the kernel has no BTF (/sys/kernel/btf/vmlinux): it must be built with CONFIG_DEBUG_INFO_BTF=y";
  bpf_map_create_opts options{};
  options.sz = sizeof options;
  const int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "procflow_probe", 0, 0, 4096, &options);
  if (fd < 0) {
    if (errno == EPERM)
      return "the kernel refuses bpf(2): run as root, or with CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_PTRACE";
    if (errno == EINVAL) return "the kernel has no BPF ring buffer: Linux 5.8 or later is needed";
    return with_errno("bpf(2) failed", errno);
  }
  ::close(fd);
  return "";
}

std::string messages_obstacle(const SourceOptions& options, const btf* kernel) {
  if (!options.messages) return "switched off by capture.messages";
  if (kernel == nullptr || !kernel_has_tracepoint(kernel, "sock_send_length") ||
      !kernel_has_tracepoint(kernel, "sock_recv_length"))
    return "the kernel has no sock_send_length tracepoint: Linux 6.3 or later is needed";
  return "";
}

std::string peaks_obstacle(const SourceOptions& options, const btf* kernel) {
  if (!options.peak_memory) return "peak memory: switched off by capture.peakMemory";
  if (kernel == nullptr || !kernel_has_tracepoint(kernel, "rss_stat"))
    return "peak memory: the kernel has no rss_stat tracepoint";
  return "";
}

std::string packets_obstacle(const SourceOptions& options, const btf* kernel) {
  if (!options.packets.enabled) return "switched off by capture.packets.enabled";
  if (kernel == nullptr || !kernel_has_function(kernel, "bpf_cast_to_kern_ctx"))
    return "the kernel has no bpf_cast_to_kern_ctx: Linux 6.2 or later is needed";
  return "";
}

}  // namespace procflow
