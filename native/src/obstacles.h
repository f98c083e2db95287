// What stands against the kernel programs on this host, or against a tier of theirs, with the cure; empty when nothing does.
#pragma once

#include <bpf/btf.h>

#include <string>

#include "source.h"

namespace procflow {

// Against eBPF at all.
std::string bpf_obstacle();

// `kernel`: its types; null when they cannot be read.
std::string messages_obstacle(const SourceOptions& options, const btf* kernel);
std::string packets_obstacle(const SourceOptions& options, const btf* kernel);
// Against the highest memory within a window.
std::string peaks_obstacle(const SourceOptions& options, const btf* kernel);

}  // namespace procflow
