/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What each process of the host has spent until now: read at each tick. */
#ifndef PROCFLOW_SAMPLES_H
#define PROCFLOW_SAMPLES_H

#include "usage.h"

SEC("iter/task")
int procflow_sample(struct bpf_iter__task *ctx)
{
	struct pf_usage_record r = { .record = PF_RECORD_USAGE, .kind = PF_USAGE_SAMPLE };
	struct task_struct *task = ctx->task;
	struct pf_group *group;

	if (!task || task->pid != task->tgid || task->signal->live.counter == 0)
		return 0;
	group = windows_of(task);
	process_of(task, &r.process);
	r.threads = read_group_usage(task, &r.usage);
	r.memory_pages = resident_pages(task);
	r.peak_pages = highest_since(group, group ? group->sample_window : 0, r.memory_pages);
	r.time_ns = bpf_ktime_get_boot_ns();
	if (bpf_seq_write(ctx->meta->seq, &r, sizeof(r)))
		return 0; /* the reader's buffer is full: it is emptied, and this runs again for the same task */
	if (group)
		group->sample_window = open_window(group, r.memory_pages);
	return 0;
}

#endif
