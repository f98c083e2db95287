/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* socket(2) and the last close: the two moments of a socket's life that always run in a process's own context. */
#ifndef PROCFLOW_LIFETIME_H
#define PROCFLOW_LIFETIME_H

#include "edges.h"
#include "messages.h"

/* The context of a cgroup/sock program is the socket itself, so its address is the key that the other programs use. */
static __always_inline __u64 key_of(struct bpf_sock *ctx)
{
	return (__u64)ctx;
}

SEC("cgroup/sock_create")
int procflow_sock_create(struct bpf_sock *ctx)
{
	struct pf_socket fresh = {}, *s;
	__u64 key = key_of(ctx);

	count_run(PF_RUN_SOCK_CREATE);
	fresh.cookie = bpf_get_socket_cookie(ctx);
	fresh.family = ctx->family;
	fresh.type = ctx->type;
	fresh.protocol = ctx->protocol;
	fresh.flags = PF_SOCK_MESSAGES;
	fresh.netns = untrusted((struct task_struct *)bpf_get_current_task_btf())->nsproxy->net_ns->ns.inum;
	current_process(&fresh.creator);
	fresh.packets_epoch = packets_epoch();
	fresh.messages_epoch = unmet_epoch();
	if (bpf_map_update_elem(&sockets, &key, &fresh, BPF_ANY) == 0)
		return 1;
	overflowed = 1;
	s = bpf_sk_storage_get(&overflow, ctx, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (s)
		__builtin_memcpy(s, &fresh, sizeof(fresh));
	else
		count_loss(PF_LOSS_SOCKET_TABLE);
	return 1;
}

/* A poll holds a descriptor for a moment: when it is the last to let go, that is no close of the agent's. */
static __always_inline void read_closer(struct pf_process_ref *closer)
{
	struct pf_settings *set = get_settings();
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (set && pid == set->agent_pid)
		return;
	current_process(closer);
}

SEC("cgroup/sock_release")
int procflow_sock_release(struct bpf_sock *ctx)
{
	__u64 key = key_of(ctx);
	struct pf_socket *s;

	count_run(PF_RUN_SOCK_RELEASE);
	s = bpf_map_lookup_elem(&sockets, &key);
	if (!s && overflowed)
		s = bpf_sk_storage_get(&overflow, ctx, 0, 0);
	if (!s)
		return 1;
	read_closer(&s->closer);
	s->flags |= PF_SOCK_RELEASED;
	if (!(s->flags & PF_SOCK_DROPPED))
		edge_ended(s);
	if (s->flags & PF_SOCK_HTTP)
		http_closed(key, s, true);
	if (s->protocol == PF_IPPROTO_TCP && s->remote_port) {
		/* Its end comes with the change to CLOSE, or has come; its state goes when the kernel destroys it. */
		s->poll_signature = bpf_ktime_get_boot_ns();
		if (s->flags & PF_SOCK_HELD && !(s->flags & PF_SOCK_DROPPED)) {
			struct pf_share_key share = {
				.cookie = flow_cookie(s),
				.start_ns = s->slot.mover.start_ns,
				.pid = s->slot.mover.pid,
			};

			report_share(s, &share, &s->slot, 1);
		}
		return 1;
	}
	if (s->flags & PF_SOCK_REPORTED && !(s->flags & PF_SOCK_DROPPED))
		report_end(key, s, 0, 0);
	bpf_map_delete_elem(&sockets, &key); /* socket storage goes with the socket */
	return 1;
}

#endif
