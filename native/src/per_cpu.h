// Where the kernel has its variables of which each CPU has one.
#pragma once

#include <bpf/btf.h>

#include <cstdint>

namespace procflow {

struct PerCpuVariable {
  const char* name;
  const char* type;  // of a struct
};

// How far one variable of a CPU lies from another one of the same CPU, whichever that is. 0 when the kernel does not have
// both. Unlike their addresses that is known without CONFIG_KALLSYMS_ALL.
std::int32_t per_cpu_distance(const btf* kernel, const PerCpuVariable& from, const PerCpuVariable& to);

}  // namespace procflow
