/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Reads live sockets through the descriptor tables of all processes: that reaches every network namespace, tells who
 * holds a socket, and finds those that were there before. Only what changed since the last poll is written.
 */
#ifndef PROCFLOW_POLL_H
#define PROCFLOW_POLL_H

#include "messages.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pf_socket_record);
} poll_scratch SEC(".maps");

static __always_inline __u64 signature(const struct pf_socket *s, const struct pf_tcp *tcp)
{
	return tcp->bytes_sent * 3 + tcp->bytes_received * 5 + tcp->segments_in * 7 + tcp->segments_out * 11 +
	       ((__u64)tcp->state << 56) + s->slot.sent.messages * 13 + s->slot.received.messages * 17 +
	       s->slot.sent.bytes * 19 + s->slot.received.bytes * 23 + s->last.start_ns + s->local_port + s->remote_port +
	       tcp->unread_bytes * 29ull + tcp->unsent_bytes * 31ull;
}

static __always_inline struct pf_socket *met_by_poll(struct sock *sk, struct task_struct *task)
{
	struct pf_process_ref holder = {};
	struct pf_socket *s;

	if (sk->__sk_common.skc_state == PF_TCP_CLOSE && sk->sk_type == PF_SOCK_TYPE_STREAM)
		return 0;
	s = new_socket(sk, unmet_flags());
	if (!s)
		return 0;
	process_of(task, &holder);
	s->flags |= filter_verdict_for(s, &holder, task);
	return s;
}

SEC("iter/task_file")
int procflow_poll_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct pf_settings *set = get_settings();
	struct pf_socket_record *r;
	struct pf_socket *s;
	struct socket *sock;
	struct sock *sk;
	__u32 zero = 0, told_flags;
	__u64 now, told, told_holder;
	bool known, unchanged;

	if (!task || !file || !set)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk)
		return 0;
	if (sk->__sk_common.skc_family != PF_AF_INET && sk->__sk_common.skc_family != PF_AF_INET6 &&
	    sk->__sk_common.skc_family != PF_AF_PACKET)
		return 0;
	s = find_socket(sk);
	if (!s)
		s = met_by_poll(sk, task);
	if (!s || s->flags & (PF_SOCK_DROPPED | PF_SOCK_CLOSED))
		return 0;
	r = bpf_map_lookup_elem(&poll_scratch, &zero);
	if (!r)
		return 0;
	r->time_ns = bpf_ktime_get_boot_ns();
	__builtin_memset(&r->tcp, 0, sizeof(r->tcp));
	r->tcp.state = sk->__sk_common.skc_state;
	if (s->protocol == PF_IPPROTO_TCP)
		read_tcp(sk, &r->tcp);
	if (!s->slot.ready || s->protocol == PF_IPPROTO_TCP || s->protocol == PF_IPPROTO_UDP)
		read_tuple(sk, s);
	if (s->protocol == PF_IPPROTO_TCP && r->tcp.state == PF_TCP_CLOSE)
		return 0; /* not connected yet */
	now = signature(s, &r->tcp);
	known = s->flags & PF_SOCK_REPORTED;
	/* A packet socket is told of by each poll: nothing but its absence tells its end. */
	unchanged = known && !set->full_poll && s->poll_signature == now && s->family != PF_AF_PACKET;
	if (unchanged && s->poll_holder_ns == untrusted(task)->group_leader->start_boottime)
		return 0;
	if (unchanged && s->slot.ready)
		return 0; /* held by several, but it is known who uses it */
	told = s->poll_signature;
	told_holder = s->poll_holder_ns;
	told_flags = s->flags;
	s->poll_signature = now;
	s->poll_holder_ns = untrusted(task)->group_leader->start_boottime;
	/* The programs of the socket's own events may be at it, too: no bit of theirs may be lost. */
	__sync_fetch_and_or(&s->flags, PF_SOCK_REPORTED);
	r->record = PF_RECORD_SOCKET;
	r->kind = known ? PF_SOCKET_UPDATE : s->flags & PF_SOCK_SEEDED ? PF_SOCKET_SEEN : PF_SOCKET_OPENED;
	r->sock = (__u64)sk;
	process_of(task, &r->holder);
	__builtin_memcpy(&r->socket, s, sizeof(*s));
	if (bpf_seq_write(ctx->meta->seq, r, sizeof(*r)) == 0)
		return 0;
	/* The reader's buffer is full: it is emptied, and this runs again for the same descriptor. */
	s->poll_signature = told;
	s->poll_holder_ns = told_holder;
	if (!(told_flags & PF_SOCK_REPORTED))
		__sync_fetch_and_and(&s->flags, ~PF_SOCK_REPORTED);
	return 0;
}

#endif
