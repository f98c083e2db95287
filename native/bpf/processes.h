/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Processes: fork, exec, exit, and those that are there. */
#ifndef PROCFLOW_PROCESSES_H
#define PROCFLOW_PROCESSES_H

#include "common.h"
#include "usage.h"

/* Room to build a record of variable length, and one for the scan, which such a hook may interrupt. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct pf_process_record);
} process_scratch SEC(".maps");

static __always_inline struct pf_process_record *process_record(__u32 which)
{
	return bpf_map_lookup_elem(&process_scratch, &which);
}

static __always_inline void fill_process(struct pf_process_record *r, __u32 kind, struct task_struct *task)
{
	struct task_struct *leader = untrusted(task)->group_leader;
	struct task_struct *parent = leader->real_parent;

	__builtin_memset(r, 0, PF_PROCESS_RECORD_HEAD);
	r->record = PF_RECORD_PROCESS;
	r->kind = kind;
	r->time_ns = bpf_ktime_get_boot_ns();
	r->start_ns = leader->start_boottime;
	r->pid = task->tgid;
	r->parent_pid = parent->tgid;
	r->parent_start_ns = parent->group_leader->start_boottime;
	r->uid = untrusted(task)->cred->euid.val;
	r->gid = untrusted(task)->cred->egid.val;
	r->cgroup_id = untrusted(task)->cgroups->dfl_cgrp->kn->id;
	r->kernel_thread = !!(task->flags & PF_KTHREAD);
	__builtin_memcpy(r->comm, leader->comm, sizeof(r->comm));
}

static __always_inline void submit_process(struct pf_process_record *r, __u32 size)
{
	if (bpf_ringbuf_output(&ring, r, size, wake_flag()))
		count_loss(PF_LOSS_RING_PROCESS);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(procflow_fork, struct task_struct *parent, struct task_struct *child)
{
	struct pf_process_record *r;

	count_run(PF_RUN_FORK);
	if (child->pid != child->tgid)
		return 0; /* a thread */
	r = process_record(0);
	if (!r)
		return 0;
	fill_process(r, PF_PROCESS_FORK, child);
	submit_process(r, PF_PROCESS_RECORD_HEAD);
	return 0;
}

/*
 * Runs in the new image: its arguments lie on its stack, whose pages the kernel has just written. The file name given
 * to execve is there too (AT_EXECFN), so that no kernel string has to be read.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(procflow_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct pf_process_record *r = process_record(0);
	struct mm_struct *mm = untrusted(task)->mm;
	__u64 start, total;
	__u32 size, used;
	long length;

	count_run(PF_RUN_EXEC);
	if (!r || !mm)
		return 0;
	fill_process(r, PF_PROCESS_EXEC, task);
	/* exec by another thread than the leader: the thread has become the leader, comm is the task's. */
	__builtin_memcpy(r->comm, task->comm, sizeof(r->comm));
	r->executable_inode = mm->exe_file->f_inode->i_ino;

	length = bpf_probe_read_user_str(r->text, 256, (const void *)bprm->exec);
	used = length > 0 && length <= 256 ? length : 0;
	r->filename_bytes = used;

	start = mm->arg_start;
	total = mm->arg_end - start;
	r->arguments_total = total > 0xffffffffu ? 0xffffffffu : total;
	size = total > PF_ARGUMENT_BYTES ? PF_ARGUMENT_BYTES : total;
	if (used <= 256 && size <= PF_ARGUMENT_BYTES &&
	    bpf_probe_read_user(r->text + used, size, (const void *)start) == 0)
		r->argument_bytes = size;
	used += r->argument_bytes;
	if (used <= sizeof(r->text))
		submit_process(r, PF_PROCESS_RECORD_HEAD + used);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(procflow_exit, struct task_struct *task)
{
	struct signal_struct *group = untrusted(task)->signal;
	struct pf_process_record *r;
	struct pf_group *kept;

	count_run(PF_RUN_EXIT);
	keep_dead_io_wait(task);
	if (group->live.counter != 0)
		return 0; /* other threads go on */
	r = process_record(0);
	if (!r)
		return 0;
	fill_process(r, PF_PROCESS_EXIT, task);
	r->exit_code = group->flags & PF_SIGNAL_GROUP_EXIT ? group->group_exit_code : untrusted(task)->group_leader->exit_code;
	r->threads = read_group(task, &r->usage, PF_SAMPLE_THREADS);
	r->memory_pages = resident_pages(task);
	r->peak_memory_pages = group->maxrss;
	/* Its last section of time may be its whole life. */
	kept = find_group(task);
	if (kept && kept->sample_window)
		r->window_peak_pages = highest_since(kept, kept->sample_window, r->memory_pages);
	else
		r->window_peak_pages = peaks_wanted() ? group->maxrss : PF_UNKNOWN;
	submit_process(r, PF_PROCESS_RECORD_HEAD);
	return 0;
}

/* One record head for each process. */
SEC("iter/task")
int procflow_scan_processes(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct pf_process_record *r;

	if (!task || task->pid != task->tgid)
		return 0;
	r = process_record(1);
	if (!r)
		return 0;
	fill_process(r, PF_PROCESS_SEEN, task);
	bpf_seq_write(ctx->meta->seq, r, PF_PROCESS_RECORD_HEAD);
	return 0;
}

#endif
