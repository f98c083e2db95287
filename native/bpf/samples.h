/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What processes have spent until now, read by the agent: all of them at each tick, and one when it asks for it. */
#ifndef PROCFLOW_SAMPLES_H
#define PROCFLOW_SAMPLES_H

#include "usage.h"

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

/* All but the peak, which is of a window. */
static __noinline void read_process(struct task_struct *task, struct pf_usage_record *r)
{
	r->record = PF_RECORD_USAGE;
	process_of(task, &r->process);
	r->threads = read_group(task, &r->usage, PF_SAMPLE_THREADS);
	r->memory_pages = resident_pages(task);
	r->time_ns = bpf_ktime_get_boot_ns();
}

/* Start of the tick that goes on, and of the one before. */
volatile __u64 tick_ns, previous_tick_ns;

/* The highest memory since the previous tick: of a process that was born after it, since its start. */
static __always_inline __u64 highest_in_tick(struct task_struct *task, struct pf_group *group, __u64 pages)
{
	struct mm_struct *mm = untrusted(task)->mm;
	__u64 highest;

	if (!group || pages == PF_UNKNOWN)
		return PF_UNKNOWN;
	if (group->sample_window)
		return highest_since(group, group->sample_window, pages);
	if (!mm || !previous_tick_ns || group->start_ns < previous_tick_ns)
		return PF_UNKNOWN;
	highest = mm->hiwater_rss;
	return highest > pages ? highest : pages;
}

SEC("iter/task")
int procflow_sample(struct bpf_iter__task *ctx)
{
	struct pf_usage_record r = { .kind = PF_USAGE_SAMPLE };
	struct task_struct *task = ctx->task;
	struct pf_group *group;

	if (ctx->meta->seq_num == 0) {
		previous_tick_ns = tick_ns;
		tick_ns = bpf_ktime_get_boot_ns();
	}
	if (!task || task->pid != task->tgid || untrusted(task)->signal->live.counter == 0)
		return 0;
	read_process(task, &r);
	group = windows_of(task);
	r.peak_pages = highest_in_tick(task, group, r.memory_pages);
	if (bpf_seq_write(ctx->meta->seq, &r, sizeof(r)))
		return 0; /* the reader's buffer is full: it is emptied, and this runs again for the same task */
	if (group)
		group->sample_window = open_window(group, r.memory_pages);
	return 0;
}

/* One process, for the agent: one that used a socket which another process closed. */
SEC("syscall")
int procflow_read_process(struct pf_usage_request *request)
{
	struct pf_usage_record r = { .kind = PF_USAGE_ENDED };
	struct task_struct *task;

	if (bpf_task_from_pid && bpf_task_release) {
		task = bpf_task_from_pid(request->process.pid);
		if (!task)
			return 0;
		if (task->start_boottime == request->process.start_ns && untrusted(task)->signal->live.counter != 0) {
			read_process(task, &r);
			r.peak_pages = highest_since(find_group(task), request->window, r.memory_pages);
		}
		bpf_task_release(task);
	}
	request->answer = r;
	return 0;
}

#endif
