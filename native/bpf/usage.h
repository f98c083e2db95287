/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What threads and processes have spent, read at the moment when it is asked for. */
#ifndef PROCFLOW_USAGE_H
#define PROCFLOW_USAGE_H

#include "memory.h"

/* A process with more threads is not read at the edges of its flows: that would cost it too much. */
#define PF_EDGE_THREADS 1024
/* The same for the agent, who pays for it by itself. */
#define PF_SAMPLE_THREADS (1 << 20)

/*
 * What to take from the monotonic clock to get the scheduler's, which programs cannot read; 0 when it is not known.
 * procflow_calibrate keeps it right.
 */
volatile __u64 scheduler_offset = 0;

/* Of struct pf_calibration */
volatile __s32 steal_distance = 0;
volatile __s32 interrupt_distance = 0;

/* The verifier lets nothing that is farther away be added to a pointer. */
#define PF_MOST_DISTANCE (1 << 28)
/* Of `preempted` in struct kvm_steal_time, and its first bit */
#define PF_PREEMPTED_OFFSET 16
#define PF_PREEMPTED 1

/* A word of another variable of the same CPU. */
static __always_inline __u64 word_beside(struct rq *rq, __s64 distance)
{
	const struct timespec64 *view; /* any kernel struct that begins with a number of eight bytes */

	if (distance <= -PF_MOST_DISTANCE || distance >= PF_MOST_DISTANCE)
		return 0;
	view = bpf_rdonly_cast((const void *)((__u64)rq + distance), bpf_core_type_id_kernel(struct timespec64));
	return view->tv_sec;
}

static __always_inline bool steal_is_left_out(struct rq *rq)
{
	/* It stays 0 where the kernel was told to leave steal time in (no-steal-acc). */
	return bpf_core_field_exists(rq->prev_steal_time_rq) && has_casts() && steal_distance && rq->prev_steal_time_rq;
}

/* Whether the host has taken a CPU, and not yet told for how long. */
static __always_inline bool is_preempted(struct rq *rq)
{
	return steal_is_left_out(rq) && word_beside(rq, (__s64)steal_distance + PF_PREEMPTED_OFFSET) & PF_PREEMPTED;
}

/*
 * What interrupts and the host of a virtual machine have had of a CPU since the kernel last read its clock: the scheduler
 * gives it to no thread, and leaves it out when it reads the clock the next time.
 */
static __always_inline __u64 left_out(struct rq *rq)
{
	__u64 sum = 0;

	if (steal_is_left_out(rq))
		sum += word_beside(rq, steal_distance) - rq->prev_steal_time_rq;
	if (bpf_core_field_exists(rq->prev_irq_time) && has_casts() && interrupt_distance)
		sum += word_beside(rq, interrupt_distance) - rq->prev_irq_time;
	return sum;
}

/*
 * CPU time of a thread. The kernel adds up at ticks and switches, so that what a running thread has had since is to be
 * added: from the last reading of its CPU's clock until now, and from the last adding up until that reading. What adds
 * up meanwhile, or takes the CPU, makes it begin again. While the host has the CPU its clock stands.
 */
static __always_inline __u64 read_cpu_time(struct task_struct *task)
{
	__u64 offset = scheduler_offset, added_up, clock, without, since_clock, since_added_up;
	struct rq *rq;

	for (int i = 0; i < 3; i++) {
		added_up = task->se.sum_exec_runtime;
		if (!task->on_cpu || !offset)
			break;
		rq = untrusted(task)->se.cfs_rq->rq; /* of its CPU, whatever its scheduling class */
		clock = rq->clock;
		without = left_out(rq);
		since_clock = bpf_ktime_get_ns() - offset - clock - without;
		since_added_up = rq->clock_task - task->se.exec_start;
		barrier();
		if (task->se.sum_exec_runtime != added_up || rq->clock != clock || left_out(rq) != without)
			continue;
		if ((__s64)since_clock < 0 || is_preempted(rq))
			since_clock = 0;
		if ((__s64)since_added_up < 0)
			since_added_up = 0;
		return added_up + since_clock + since_added_up;
	}
	return added_up;
}

/* The delays of a thread; PF_UNKNOWN when the kernel does not account them. */
static __always_inline __u64 read_io_wait(struct task_struct *task)
{
	struct task_delay_info *delays = untrusted(task)->delays;

	return delays ? delays->blkio_delay : PF_UNKNOWN;
}

/* Usage of one thread. */
static __always_inline void read_thread_usage(struct task_struct *task, struct pf_usage *to)
{
	to->cpu_ns = read_cpu_time(task);
	to->user_ns = task->utime;
	to->system_ns = task->stime;
	to->minor_faults = task->min_flt;
	to->major_faults = task->maj_flt;
	to->io_wait_ns = read_io_wait(task);
	to->read_bytes = task->ioac.read_bytes;
	to->written_bytes = task->ioac.write_bytes;
	to->voluntary_switches = task->nvcsw;
	to->involuntary_switches = task->nivcsw;
}

static __always_inline void add_thread_usage(struct task_struct *thread, struct pf_usage *to)
{
	__u64 io_wait;

	to->cpu_ns += read_cpu_time(thread);
	to->user_ns += thread->utime;
	to->system_ns += thread->stime;
	to->minor_faults += thread->min_flt;
	to->major_faults += thread->maj_flt;
	to->read_bytes += thread->ioac.read_bytes;
	to->written_bytes += thread->ioac.write_bytes;
	to->voluntary_switches += thread->nvcsw;
	to->involuntary_switches += thread->nivcsw;
	/* One that exits was added to those that did, by the time that it has no memory any more. */
	io_wait = read_io_wait(thread);
	if (io_wait != PF_UNKNOWN && (untrusted(thread)->mm || thread->pid == thread->tgid))
		to->io_wait_ns += io_wait;
}

/* Threads that are gone. */
static __always_inline void read_dead_usage(struct task_struct *task, struct pf_usage *to)
{
	struct signal_struct *group = untrusted(task)->signal;
	struct pf_group *kept;

	to->cpu_ns = group->sum_sched_runtime;
	to->user_ns = group->utime;
	to->system_ns = group->stime;
	to->minor_faults = group->min_flt;
	to->major_faults = group->maj_flt;
	to->read_bytes = group->ioac.read_bytes;
	to->written_bytes = group->ioac.write_bytes;
	to->voluntary_switches = group->nvcsw;
	to->involuntary_switches = group->nivcsw;
	kept = group->sum_sched_runtime ? find_group(task) : 0;
	to->io_wait_ns = kept ? kept->dead_io_wait_ns : 0;
}

static __always_inline __u32 deaths(struct signal_struct *group)
{
	if (!bpf_core_field_exists(group->stats_lock.seqcount.seqcount.sequence))
		return 0;
	return group->stats_lock.seqcount.seqcount.sequence;
}

/* A walk over the threads of a group. */
struct walk {
	struct pf_usage sum;
	__u64 thread;
	__u64 head; /* of the list */
	__u64 at;
};

/* Adds the thread. A global function: the verifier goes through it once, and not each time that it is called. */
__noinline int add_thread(struct walk *walk)
{
	if (walk && has_casts())
		add_thread_usage(bpf_rdonly_cast((const void *)walk->thread, bpf_core_type_id_kernel(struct task_struct)),
				 &walk->sum);
	return 0;
}

static long walk_thread(__u32 index, struct walk *walk)
{
	const struct list_head *node;

	if (walk->at == walk->head)
		return 1;
	walk->thread = walk->at - bpf_core_field_offset(struct task_struct, thread_node);
	add_thread(walk);
	node = bpf_rdonly_cast((const void *)walk->at, bpf_core_type_id_kernel(struct list_head));
	walk->at = (__u64)node->next;
	return 0;
}

static __always_inline __u32 read_group(struct task_struct *task, struct pf_usage *to, __u32 most_threads)
{
	struct walk walk = {};
	struct signal_struct *group;
	__u32 before, threads = 0;

	if (!task || !to)
		return 0;
	group = untrusted(task)->signal;
	/* A thread that dies goes from the list to the sum, and counts itself on the way. */
	for (int i = 0; i < 3; i++) {
		before = deaths(group);
		threads = group->nr_threads;
		read_dead_usage(task, &walk.sum);
		if (threads <= 1) {
			walk.thread = (__u64)task;
			if (has_casts())
				add_thread(&walk);
			else
				add_thread_usage(task, &walk.sum);
		} else if (threads > most_threads || !has_casts()) {
			return 0;
		} else {
			walk.head = (__u64)&group->thread_head;
			walk.at = (__u64)group->thread_head.next;
			bpf_loop(most_threads + 1, walk_thread, &walk, 0);
			if (walk.at != walk.head)
				return 0;
		}
		barrier();
		if (deaths(group) == before && !(before & 1))
			break;
	}
	if (read_io_wait(untrusted(task)->group_leader) == PF_UNKNOWN)
		walk.sum.io_wait_ns = PF_UNKNOWN;
	*to = walk.sum;
	return threads;
}

/*
 * Usage of the process that runs: all threads, living and dead. Returns how many live, or 0 when it cannot be told: they
 * are too many, or the kernel (before 6.2) gives no way to visit them. A global function: the verifier goes through it
 * once, and not for each path on which it is called.
 */
__noinline __u32 read_group_usage(struct pf_usage *to)
{
	if (!to)
		return 0;
	return read_group(bpf_get_current_task_btf(), to, PF_EDGE_THREADS);
}

/* A thread ends: what the kernel does not sum is added to that of the others that did. */
static __always_inline void keep_dead_io_wait(struct task_struct *thread)
{
	__u64 io_wait = read_io_wait(thread);
	struct pf_group *group;

	if (thread->pid == thread->tgid || io_wait == PF_UNKNOWN || !io_wait)
		return;
	group = find_group(thread);
	if (!group)
		group = make_group(thread);
	if (group)
		__sync_fetch_and_add(&group->dead_io_wait_ns, io_wait);
}

SEC("tp_btf/sched_process_free")
int BPF_PROG(procflow_free, struct task_struct *task)
{
	__u64 key = (__u64)task;

	count_run(PF_RUN_FREE);
	if (task->pid == task->tgid)
		bpf_map_delete_elem(&groups, &key);
	return 0;
}

/*
 * Run by the agent right after the kernel brought the scheduler's clock of this CPU up to date for it (by
 * CLOCK_THREAD_CPUTIME_ID), a few times in a row: what lies between makes the difference greater, so the smallest counts.
 */
SEC("syscall")
int procflow_calibrate(struct pf_calibration *run)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 difference;

	measure_distances();
	if (!bpf_core_field_exists(task->se.cfs_rq))
		return 0;
	difference = bpf_ktime_get_ns() - untrusted(task)->se.cfs_rq->rq->clock;
	steal_distance = run->steal_distance;
	interrupt_distance = run->interrupt_distance;
	if (difference < run->smallest)
		run->smallest = difference;
	if (run->last)
		scheduler_offset = run->smallest;
	return 0;
}

#endif
