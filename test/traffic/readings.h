/* What the kernel tells a process of itself, for comparison with what the agent tells of it. */
#ifndef READINGS_H
#define READINGS_H

#include <stdint.h>

struct readings {
	int64_t cpu_ns; /* CLOCK_PROCESS_CPUTIME_ID */
	int64_t thread_cpu_ns; /* CLOCK_THREAD_CPUTIME_ID */
	int64_t minor_faults, major_faults;
	int64_t voluntary_switches, involuntary_switches;
	int64_t io_wait_ns; /* taskstats */
	int64_t read_bytes, written_bytes; /* /proc/self/io */
	int64_t memory_bytes; /* /proc/self/smaps_rollup */
};

/* Once, before the first reading. */
void readings_open(void);
/* CPU time is read last when `opens` a window, else first: what reading costs is outside of it. */
struct readings read_self(int opens);
/* CPU time alone: for windows that are shorter than reading all of it takes, and for threads, of which one reads at a time. */
struct readings read_cpu(void);
/* Prints the differences as members of a JSON object. */
void print_spent(const struct readings *from, const struct readings *to);

#endif
