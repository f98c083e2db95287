/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Resident memory of a process: now, and the highest within a window. */
#ifndef PROCFLOW_MEMORY_H
#define PROCFLOW_MEMORY_H

#include "common.h"

/* More CPUs than these, and the parts of a counter that each CPU keeps are left out: together they cost too much. */
#define PF_COUNTER_CPUS 64

/* How far from its base each CPU has what is allocated for all; `counter_cpus` of them are known. */
volatile __u64 cpu_distance[PF_COUNTER_CPUS];
volatile __u32 counter_cpus = 0;
volatile __u64 statistics_address;

#define PF_PEAKS 32
/* What memory must have fallen by, in pages, before a window that begins is told from those that are open. */
#define PF_PEAK_STEP 64

/* The highest memory from one sequence number to that of the next entry. */
struct pf_peak {
	__u32 sequence;
	__u32 pages;
};

/*
 * What is kept of a process beyond what the kernel keeps. The kernel knows the highest memory since the start alone, so
 * here it is kept by sections of time: a stack of peaks that fall from the oldest to the current one. A peak that a later
 * one exceeds is merged into that, for no window would be told of it.
 */
struct pf_group {
	__u64 start_ns;
	__u64 dead_io_wait_ns; /* of threads that exited: the kernel does not sum it */
	__u32 sequence;        /* of the current section, from 1 */
	__u32 sample_window;
	__u32 bottom;          /* entries from here to `top`, modulo PF_PEAKS */
	__u32 top;
	__u32 busy;
	__u32 pad0;
	struct pf_peak peaks[PF_PEAKS];
};

/* By the address of the group leader's task_struct. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct pf_group);
} groups SEC(".maps");

static __always_inline struct pf_group *find_group(struct task_struct *task)
{
	struct task_struct *leader = untrusted(task)->group_leader;
	__u64 key = (__u64)leader;
	struct pf_group *group = bpf_map_lookup_elem(&groups, &key);

	/* The memory of a task_struct that went away unseen may be another task now. */
	if (group && group->start_ns != leader->start_boottime)
		return 0;
	return group;
}

static __noinline struct pf_group *make_group(struct task_struct *task)
{
	struct task_struct *leader = untrusted(task)->group_leader;
	__u64 key = (__u64)leader;
	struct pf_group fresh = {}, *group;

	fresh.start_ns = leader->start_boottime;
	/* What another thread has just made stays; what another task left goes. */
	if (bpf_map_lookup_elem(&groups, &key) && !find_group(task))
		bpf_map_delete_elem(&groups, &key);
	bpf_map_update_elem(&groups, &key, &fresh, BPF_NOEXIST);
	group = find_group(task);
	if (!group)
		count_loss(PF_LOSS_GROUP_TABLE);
	return group;
}

/* A type that the kernel lacks would be searched for in its modules, which takes CAP_SYS_ADMIN; a field is not. */
#define counts_in_struct() bpf_core_field_exists(((struct mm_struct___6_1 *)0)->rss_stat.count)

/* A macro, for the compiler must see the index as a constant to let CO-RE move the access. */
#define counted_pages(mm, which)                                                      \
	(counts_in_struct() ? ((struct mm_struct___6_1 *)(mm))->rss_stat.count[which].counter \
			    : (mm)->rss_stat[which].count)

/* As the counters have it that all CPUs share: each CPU may keep some pages more, or fewer. */
static __always_inline __s64 roughly_resident(struct mm_struct *mm)
{
	return counted_pages(mm, PF_MM_FILEPAGES) + counted_pages(mm, PF_MM_ANONPAGES) +
	       counted_pages(mm, PF_MM_SHMEMPAGES);
}

/* A sum over all CPUs. */
struct pages {
	__s64 sum;
	const __s32 *counters[3];
};

/* What a CPU keeps of a counter. */
static __always_inline __s64 kept_by_cpu(const __s32 *counters, __u64 distance)
{
	const struct seqcount *view; /* any kernel struct of four bytes */

	view = bpf_rdonly_cast((const void *)((__u64)counters + distance), bpf_core_type_id_kernel(struct seqcount));
	return (__s32)view->sequence;
}

static long add_kept(__u32 cpu, struct pages *pages)
{
	__u64 distance;

	if (cpu >= PF_COUNTER_CPUS)
		return 1;
	distance = cpu_distance[cpu];
	for (int i = 0; i < 3; i++)
		pages->sum += kept_by_cpu(pages->counters[i], distance);
	return 0;
}

static __noinline __u64 resident_in(struct mm_struct *mm)
{
	struct pages pages = {};

	if (!mm)
		return PF_UNKNOWN;
	pages.sum = roughly_resident(mm);
	if (!counts_in_struct() && has_casts()) {
		pages.counters[0] = mm->rss_stat[PF_MM_FILEPAGES].counters;
		pages.counters[1] = mm->rss_stat[PF_MM_ANONPAGES].counters;
		pages.counters[2] = mm->rss_stat[PF_MM_SHMEMPAGES].counters;
		bpf_loop(counter_cpus, add_kept, &pages, 0);
	}
	return pages.sum > 0 ? pages.sum : 0;
}

/*
 * Finds out where each CPU keeps its part of what is allocated for all: as far from the base as its part of a map of
 * ours is from that map's base. Once, by the agent.
 */
static __always_inline void measure_distances(void)
{
	const struct list_head *view; /* any kernel struct that begins with a pointer */
	__u64 base;
	__u32 zero = 0, cpu;
	void *part;

	if (counter_cpus || !has_casts())
		return;
	statistics_address = (__u64)(void *)&statistics;
	view = bpf_rdonly_cast((const void *)(statistics_address + bpf_core_field_offset(struct bpf_array, pptrs)),
			       bpf_core_type_id_kernel(struct list_head));
	base = (__u64)view->next;
	for (cpu = 0; cpu < PF_COUNTER_CPUS; cpu++) {
		part = bpf_map_lookup_percpu_elem(&statistics, &zero, cpu);
		if (!part)
			break;
		cpu_distance[cpu] = (__u64)part - base;
	}
	if (!bpf_map_lookup_percpu_elem(&statistics, &zero, PF_COUNTER_CPUS))
		counter_cpus = cpu;
}

/* Pages that the process has in memory; PF_UNKNOWN of a kernel thread, or past the exit. */
static __always_inline __u64 resident_pages(struct task_struct *task)
{
	return resident_in(untrusted(task)->mm);
}

static __always_inline struct pf_peak *current_peak(struct pf_group *group)
{
	return &group->peaks[group->top % PF_PEAKS];
}

static __always_inline void raise_peak(struct pf_group *group, __u64 pages)
{
	struct pf_peak *peak = current_peak(group);

	if (peak->pages < pages)
		peak->pages = pages;
}

/* Begins a section with what is resident now. Only one at a time: who comes meanwhile is content with the current one. */
static __always_inline void cut_section(struct pf_group *group, __u64 pages)
{
	struct pf_peak *peak;
	__u32 top, bottom, sequence;

	if (__sync_val_compare_and_swap(&group->busy, 0, 1) != 0)
		return;
	sequence = group->sequence + 1;
	top = group->top;
	bottom = group->bottom;
	for (int i = 0; i < PF_PEAKS && top != bottom; i++) {
		struct pf_peak *under = &group->peaks[(top - 1) % PF_PEAKS];

		peak = &group->peaks[top % PF_PEAKS];
		if (under->pages > peak->pages)
			break;
		under->pages = peak->pages;
		top--;
	}
	if (top - bottom == PF_PEAKS - 1) {
		struct pf_peak *oldest = &group->peaks[bottom % PF_PEAKS];

		peak = &group->peaks[(bottom + 1) % PF_PEAKS];
		peak->sequence = oldest->sequence;
		peak->pages = oldest->pages;
		group->bottom = bottom + 1;
	}
	top++;
	peak = &group->peaks[top % PF_PEAKS];
	peak->sequence = sequence;
	peak->pages = pages;
	group->top = top;
	group->sequence = sequence;
	group->busy = 0;
}

static __always_inline bool peaks_wanted(void)
{
	struct pf_settings *set = get_settings();

	return set && set->peaks;
}

/* What is kept of a process; made when windows are. Null when there is nothing to keep, or no room. */
static __always_inline struct pf_group *windows_of(struct task_struct *task)
{
	struct pf_group *group;

	if (!peaks_wanted())
		return 0;
	group = find_group(task);
	return group ? group : make_group(task);
}

/* The same as begin_window and peak_since below, for who has at hand what they find out. */
static __always_inline __u32 open_window(struct pf_group *group, __u64 pages)
{
	if (!group || pages == PF_UNKNOWN)
		return 0;
	if (current_peak(group)->pages > pages + PF_PEAK_STEP || !group->sequence)
		cut_section(group, pages);
	else
		raise_peak(group, pages);
	return group->sequence;
}

/* PF_UNKNOWN when it is not known. */
static __always_inline __u64 highest_since(struct pf_group *group, __u32 token, __u64 pages)
{
	__u64 highest = pages == PF_UNKNOWN ? 0 : pages;
	__u32 at;

	if (!group || !token)
		return PF_UNKNOWN;
	at = group->top;
	for (int i = 0; i < PF_PEAKS; i++) {
		struct pf_peak *peak = &group->peaks[at % PF_PEAKS];

		if (peak->pages > highest)
			highest = peak->pages;
		if ((__s32)(peak->sequence - token) <= 0 || at == group->bottom)
			break;
		at--;
	}
	return highest;
}

/* A token for the highest memory of the process that runs from now on; 0 when it will not be known. */
__noinline __u32 begin_window(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return open_window(windows_of(task), resident_pages(task));
}

/* The highest memory of the process that runs since begin_window gave the token, in pages; or PF_UNKNOWN. */
__noinline __u64 peak_since(__u32 token)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return highest_since(find_group(task), token, resident_pages(task));
}

/*
 * Each change of a process's memory. The counters that all CPUs share move once for many pages: until they do, this CPU
 * finds what it has seen before, and nothing is to be done.
 */
SEC("tp_btf/rss_stat")
int BPF_PROG(procflow_memory, struct mm_struct *mm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pf_statistics *of_cpu;
	struct pf_group *group;
	__u64 pages = roughly_resident(mm);
	__u32 zero = 0;

	of_cpu = bpf_map_lookup_elem(&statistics, &zero);
	if (!of_cpu)
		return 0;
	of_cpu->runs[PF_RUN_MEMORY]++;
	if (of_cpu->seen_pages == pages && of_cpu->seen_mm == (__u64)mm)
		return 0;
	of_cpu->seen_pages = pages;
	of_cpu->seen_mm = (__u64)mm;
	if (task->mm != mm)
		return 0;
	group = find_group(task);
	if (group)
		raise_peak(group, resident_in(mm));
	return 0;
}

#endif
