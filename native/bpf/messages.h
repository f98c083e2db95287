/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Who moves bytes: every send and receive call of an inet or packet socket, by whatever system call (sendfile, splice,
 * io_uring …), in the context of the process that made it. This is the hot path.
 */
#ifndef PROCFLOW_MESSAGES_H
#define PROCFLOW_MESSAGES_H

#include "edges.h"
#include "http.h"
#include "packet_sizes.h"

static __always_inline void add(struct pf_counters *counters, __u64 bytes)
{
	__sync_fetch_and_add(&counters->bytes, bytes);
	__sync_fetch_and_add(&counters->messages, 1);
}

static __always_inline struct pf_counters *counters_of(struct pf_traffic *traffic, int direction)
{
	return direction == PF_SENT ? &traffic->sent : &traffic->received;
}

/* Tells user space of a further process or peer of a socket. */
static __noinline void report_share(struct pf_socket *s, struct pf_share_key *key, struct pf_traffic *traffic, __u32 kind)
{
	struct pf_traffic_record *r;

	if (!s || !key || !traffic)
		return;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_loss(PF_LOSS_RING_TRAFFIC);
		return;
	}
	r->record = PF_RECORD_TRAFFIC;
	r->kind = kind;
	r->time_ns = bpf_ktime_get_boot_ns();
	r->netns = s->netns;
	r->protocol = s->protocol;
	r->pad0 = 0;
	__builtin_memcpy(r->local, s->local, 16);
	__builtin_memcpy(&r->key, key, sizeof(*key));
	__builtin_memcpy(&r->traffic, traffic, sizeof(*traffic));
	bpf_ringbuf_submit(r, wake_flag());
}

static __always_inline void fill_traffic(struct pf_traffic *t, const struct pf_process_ref *mover,
					 const struct peer *peer, int direction)
{
	t->mover.pid = mover->pid;
	t->mover.uid = mover->uid;
	__builtin_memcpy(t->peer, peer->address, 16);
	t->peer_port = peer->port;
	t->flags = peer->unknown ? PF_TRAFFIC_PEER_UNKNOWN : 0;
	if (direction == PF_RECEIVED)
		t->flags |= PF_TRAFFIC_FIRST_RECEIVED;
	t->first_ns = bpf_ktime_get_boot_ns();
}

static __always_inline void count(struct sock *sk, struct pf_socket *s, struct pf_traffic *t, struct movement *m)
{
	struct pf_counters *counters = counters_of(t, m->direction);

	add(counters, m->bytes);
	if (s->type != PF_SOCK_TYPE_STREAM) {
		t->flags |= count_packets(sk, s, counters, m);
		t->last_ns = bpf_ktime_get_boot_ns();
	}
	if (s->last.start_ns != m->mover.start_ns)
		s->last = m->mover;
}

static __always_inline void share_key(struct pf_socket *s, const struct pf_process_ref *mover, const struct peer *peer,
				      struct pf_share_key *key)
{
	key->cookie = flow_cookie(s);
	key->start_ns = mover->start_ns;
	key->pid = mover->pid;
	__builtin_memcpy(key->peer, peer->address, 16);
	key->peer_port = peer->port;
	key->peer_unknown = peer->unknown;
}

/* Counts for a process, or a peer, that is not the first one of the socket. A TCP socket's peer is all zero here. */
static __noinline void count_in_share(struct sock *sk, struct pf_socket *s, struct movement *m)
{
	struct pf_share_key key = {};
	struct pf_traffic fresh = {};
	struct pf_traffic *t;
	bool created = false;

	if (!sk || !s || !m)
		return;
	share_key(s, &m->mover, &m->peer, &key);
	t = bpf_map_lookup_elem(&shares, &key);
	if (!t) {
		fresh.mover.start_ns = m->mover.start_ns;
		fill_traffic(&fresh, &m->mover, &m->peer, m->direction);
		fresh.ready = 1;
		created = bpf_map_update_elem(&shares, &key, &fresh, BPF_NOEXIST) == 0;
		t = bpf_map_lookup_elem(&shares, &key);
		if (!t) {
			count_loss(PF_LOSS_PEER_TABLE);
			return;
		}
		s->flags |= PF_SOCK_SHARES;
	}
	count(sk, s, t, m);
	if (!created)
		return;
	if (!(s->flags & (PF_SOCK_REPORTED | PF_SOCK_CLOSED)))
		report_opened(sk, s);
	report_share(s, &key, t, 0);
	if (s->opener.start_ns != m->mover.start_ns)
		t->window = edge_began(s, t->first_ns);
}

/* Asks the filter, now that a process is known. */
static __always_inline bool is_dropped(struct pf_socket *s, struct pf_process_ref *mover)
{
	if (!(s->flags & PF_SOCK_VERDICT))
		s->flags |= filter_verdict(s, mover);
	return s->flags & PF_SOCK_DROPPED;
}

/* Another process than before moved bytes on a TCP socket, or the first one did. */
static __noinline void tcp_first_or_other(struct sock *sk, struct pf_socket *s, __u64 bytes, int direction)
{
	struct movement m = { .bytes = bytes, .direction = direction };

	if (!sk || !s)
		return;
	process_of(bpf_get_current_task_btf(), &m.mover);
	/* Its connect was missed, or that it succeeded, or the data went with the SYN. */
	if (!s->local_port || !s->remote_port)
		read_tuple(sk, s);
	if (is_dropped(s, &m.mover))
		return;
	if (__sync_val_compare_and_swap(&s->slot.mover.start_ns, 0, m.mover.start_ns) != 0) {
		count_in_share(sk, s, &m);
		return;
	}
	fill_traffic(&s->slot, &m.mover, &m.peer, direction);
	count(sk, s, &s->slot, &m);
	s->slot.ready = 1;
	if (!(s->flags & (PF_SOCK_REPORTED | PF_SOCK_CLOSED)))
		report_opened(sk, s);
	if (s->opener.start_ns != m.mover.start_ns)
		s->slot.window = edge_began(s, s->slot.first_ns);
}

static __always_inline void tcp_message(struct sock *sk, struct pf_socket *s, __u64 bytes, int direction)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 start_ns = task->group_leader->start_boottime;

	if (s->slot.mover.start_ns != start_ns) {
		tcp_first_or_other(sk, s, bytes, direction);
		return;
	}
	add(counters_of(&s->slot, direction), bytes);
	if (s->last.start_ns != start_ns)
		s->last = s->slot.mover;
}

/* The socket's own slot, when this process and peer are its first ones; claims it when it is free. */
static __always_inline struct pf_traffic *own_slot(struct pf_socket *s, struct movement *m)
{
	struct pf_traffic *slot = &s->slot;

	if (slot->ready) {
		if (slot->mover.start_ns == m->mover.start_ns && slot->peer_port == m->peer.port &&
		    same_address(slot->peer, m->peer.address) &&
		    !!(slot->flags & PF_TRAFFIC_PEER_UNKNOWN) == m->peer.unknown)
			return slot;
		return 0;
	}
	if (__sync_val_compare_and_swap(&slot->mover.start_ns, 0, m->mover.start_ns) != 0)
		return 0;
	fill_traffic(slot, &m->mover, &m->peer, m->direction);
	slot->ready = 1;
	if (!s->first_ns)
		s->first_ns = slot->first_ns;
	return slot;
}

static __noinline void datagram(struct sock *sk, struct pf_socket *s, __u64 bytes, int direction)
{
	struct movement m = { .bytes = bytes, .direction = direction };
	struct pf_traffic *t;
	bool fresh;

	if (!sk || !s)
		return;
	find_peer(sk, s, direction, &m.peer);
	process_of(bpf_get_current_task_btf(), &m.mover);
	fresh = !s->slot.ready;
	if (fresh) {
		read_tuple(sk, s);
		/* An unconnected socket has no remote of its own: the filter looks at the first peer. */
		if (!s->remote_port) {
			__builtin_memcpy(s->remote, m.peer.address, 16);
			s->remote_port = m.peer.port;
		}
		if (is_dropped(s, &m.mover))
			return;
		read_tuple(sk, s);
	}
	t = own_slot(s, &m);
	if (!t) {
		count_in_share(sk, s, &m);
		return;
	}
	count(sk, s, t, &m);
	if (!fresh)
		return;
	report_opened(sk, s);
	t->window = edge_began(s, t->first_ns);
}

static __noinline struct pf_socket *met_by_message(struct sock *sk)
{
	if (!sk)
		return 0;
	/* Dead already, and not to be revived. */
	if (sk->sk_type == PF_SOCK_TYPE_STREAM && sk->__sk_common.skc_state == PF_TCP_CLOSE)
		return 0;
	return new_socket(sk, unmet_flags());
}

#define PF_FILTERS_OF_PROCESSES ((1u << PF_FILTER_CGROUP) | (1u << PF_FILTER_USER) | (1u << PF_FILTER_PROCESS))

/* Messages are left out, and the filter asks who moves the bytes of an accepted socket, all the same. */
static __noinline int judge_mover(struct sock *sk)
{
	struct pf_process_ref mover = {};
	struct pf_socket *s;

	if (!sk)
		return 0;
	s = find_socket(sk);
	if (!s || s->flags & PF_SOCK_VERDICT)
		return 0;
	process_of(bpf_get_current_task_btf(), &mover);
	is_dropped(s, &mover);
	return 0;
}

static __always_inline bool is_tcp(struct sock *sk, unsigned short family)
{
	return (family == PF_AF_INET || family == PF_AF_INET6) && sk->sk_type == PF_SOCK_TYPE_STREAM &&
	       sk->sk_protocol == PF_IPPROTO_TCP;
}

/* Whether messages of TCP are left out, to save what they cost. */
static __always_inline bool is_left_out(struct sock *sk)
{
	struct pf_settings *set = get_settings();

	if (!set || set->messages_epoch)
		return false;
	if ((set->keep_kinds | set->drop_kinds) & PF_FILTERS_OF_PROCESSES)
		judge_mover(sk);
	return true;
}

static __always_inline void message(struct sock *sk, int result, int flags, int direction)
{
	unsigned short family = sk->__sk_common.skc_family;
	struct pf_socket *s;

	count_run(direction == PF_SENT ? PF_RUN_SEND : PF_RUN_RECV);
	if (!is_tcp(sk, family)) {
		count_run(PF_RUN_OTHERS);
		if (family != PF_AF_INET && family != PF_AF_INET6 && family != PF_AF_PACKET)
			return;
	} else if (is_left_out(sk)) {
		return;
	}
	s = find_socket(sk);
	if (result < 0 || (direction == PF_RECEIVED && flags & (PF_MSG_PEEK | PF_MSG_ERRQUEUE))) {
		struct peer unused;

		if (s && s->protocol == PF_IPPROTO_UDP)
			take_pending(s, direction, &unused);
		return;
	}
	if (!s) {
		s = met_by_message(sk);
		if (!s)
			return;
	}
	if (s->flags & PF_SOCK_DROPPED)
		return;
	if (s->type == PF_SOCK_TYPE_STREAM) {
		if (result > 0) {
			tcp_message(sk, s, result, direction);
			http_message(sk, s, result, direction, flags);
		} else if (direction == PF_RECEIVED && s->flags & PF_SOCK_HTTP) {
			http_eof(sk, s);
		}
	} else {
		datagram(sk, s, result, direction);
	}
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(procflow_send, struct sock *sk, int result, int flags)
{
	message(sk, result, 0, PF_SENT);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(procflow_recv, struct sock *sk, int result, int flags)
{
	message(sk, result, flags, PF_RECEIVED);
	return 0;
}

#endif
