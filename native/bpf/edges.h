/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What a process has spent as it begins to use a socket, and as it ends to: the edges of the flow's window. */
#ifndef PROCFLOW_EDGES_H
#define PROCFLOW_EDGES_H

#include "socket_state.h"
#include "usage.h"

static __always_inline bool edges_wanted(void)
{
	struct pf_settings *set = get_settings();

	return set && set->edges && !(((struct task_struct *)bpf_get_current_task_btf())->flags & PF_KTHREAD);
}

/* Reads `current`, and begins a window when it begins to use the socket. */
static __noinline __u32 report_usage(struct pf_socket *s, __u32 kind, __u64 time_ns, __u32 window)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pf_group *group = windows_of(task);
	__u64 pages = resident_pages(task), peak = PF_UNKNOWN;
	struct pf_usage_record *r;

	if (!s)
		return 0;
	if (kind == PF_USAGE_BEGAN)
		window = open_window(group, pages);
	else
		peak = highest_since(group, window, pages);
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_loss(PF_LOSS_RING_USAGE);
		return window;
	}
	r->record = PF_RECORD_USAGE;
	r->kind = kind;
	r->time_ns = time_ns;
	r->cookie = flow_cookie(s);
	process_of(task, &r->process);
	r->connecting = kind == PF_USAGE_BEGAN && !(s->flags & PF_SOCK_REPORTED);
	r->threads = read_group_usage(&r->usage);
	r->memory_pages = pages;
	r->peak_pages = peak;
	bpf_ringbuf_submit(r, wake_flag());
	return window;
}

/* `current` begins to use the socket. Returns its window, for the end. */
__noinline __u32 edge_began(struct pf_socket *s, __u64 time_ns)
{
	if (!s || !edges_wanted())
		return 0;
	return report_usage(s, PF_USAGE_BEGAN, time_ns, 0);
}

/* The last descriptor of the socket is closed by `current`; others that used it have ended to before. */
__noinline int edge_ended(struct pf_socket *s)
{
	__u32 window = 0;
	struct pf_share_key key = {};
	struct pf_traffic *share;

	if (!s || !s->closer.pid || !edges_wanted())
		return 0;
	if (s->closer.start_ns == s->opener.start_ns) {
		window = s->opener_window;
	} else if (s->closer.start_ns == s->slot.mover.start_ns) {
		window = s->slot.window;
	} else if (s->flags & PF_SOCK_SHARES) {
		if (s->protocol == PF_IPPROTO_TCP) {
			key.cookie = flow_cookie(s);
			key.start_ns = s->closer.start_ns;
			key.pid = s->closer.pid;
			share = bpf_map_lookup_elem(&shares, &key);
			if (!share)
				return 0;
			window = share->window;
		}
	} else {
		return 0; /* it never used it */
	}
	report_usage(s, PF_USAGE_ENDED, bpf_ktime_get_boot_ns(), window);
	return 0;
}

#endif
