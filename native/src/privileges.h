// Giving up privileges once everything is open.
#pragma once

#include <sys/types.h>

namespace procflow {

// Gives up, on every thread of this process and for good, each capability that a running capture does not need; what is
// executed from then on gets no more either. `capture_thread` keeps what it takes to read other processes and to enter
// network namespaces. The other threads keep nothing; those of root may still read every file, since its configuration
// can lie where only its owner may look. Nothing is gained: what a thread does not have it does not get.
// Throws std::runtime_error when a thread cannot be reached or the kernel refuses.
void drop_privileges(pid_t capture_thread);

}  // namespace procflow
