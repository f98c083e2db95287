/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Whom a datagram goes to or comes from. The sendmsg and recvmsg hooks of cgroups know a UDP peer but no length, so what
 * they see is kept until the same thread's message is counted.
 */
#ifndef PROCFLOW_PEERS_H
#define PROCFLOW_PEERS_H

#include "socket_state.h"
#include "system_call.h"

struct peer {
	__u8 address[16];
	__u16 port;
	__u16 unknown;
};

/* Keeps the peer for the length that the same thread is about to report. */
static __always_inline void keep_peer(struct bpf_sock_addr *ctx, int direction, bool v6)
{
	struct bpf_sock *sk = ctx->sk;
	struct pf_pending *p, fresh = {};
	struct pf_socket *s;
	__u64 key, thread;

	count_run(PF_RUN_PEER);
	if (!sk)
		return;
	key = (__u64)sk;
	s = bpf_map_lookup_elem(&sockets, &key);
	if (!s && overflowed)
		s = bpf_sk_storage_get(&overflow, sk, 0, 0);
	if (!s || s->flags & PF_SOCK_DROPPED)
		return;
	thread = bpf_get_current_pid_tgid();
	if (v6) {
		__u32 *words = (__u32 *)fresh.peer;

		words[0] = ctx->user_ip6[0];
		words[1] = ctx->user_ip6[1];
		words[2] = ctx->user_ip6[2];
		words[3] = ctx->user_ip6[3];
	} else {
		map_v4(fresh.peer, ctx->user_ip4);
	}
	fresh.peer_port = bpf_ntohs(ctx->user_port);
	p = &s->pending[direction & 1];
	if (p->thread == thread || __sync_val_compare_and_swap(&p->thread, 0, thread) == 0) {
		__builtin_memcpy(p->peer, fresh.peer, 16);
		p->peer_port = fresh.peer_port;
		return;
	}
	s->flags |= PF_SOCK_CROWDED;
	fresh.thread = s->cookie + direction;
	if (bpf_map_update_elem(&pending_peers, &thread, &fresh, BPF_ANY))
		count_loss(PF_LOSS_PENDING);
}

SEC("cgroup/sendmsg4")
int procflow_sendmsg4(struct bpf_sock_addr *ctx)
{
	keep_peer(ctx, PF_SENT, false);
	return 1;
}

SEC("cgroup/sendmsg6")
int procflow_sendmsg6(struct bpf_sock_addr *ctx)
{
	keep_peer(ctx, PF_SENT, true);
	return 1;
}

SEC("cgroup/recvmsg4")
int procflow_recvmsg4(struct bpf_sock_addr *ctx)
{
	keep_peer(ctx, PF_RECEIVED, false);
	return 1;
}

SEC("cgroup/recvmsg6")
int procflow_recvmsg6(struct bpf_sock_addr *ctx)
{
	keep_peer(ctx, PF_RECEIVED, true);
	return 1;
}

/* The peer that a hook saw for this thread's message; a hook's peer is taken once. */
static __always_inline bool take_pending(struct pf_socket *s, int direction, struct peer *peer)
{
	struct pf_pending *p = &s->pending[direction & 1];
	__u64 thread = bpf_get_current_pid_tgid();

	if (p->thread == thread) {
		__builtin_memcpy(peer->address, p->peer, 16);
		peer->port = p->peer_port;
		p->thread = 0;
		return true;
	}
	if (!(s->flags & PF_SOCK_CROWDED))
		return false;
	p = bpf_map_lookup_elem(&pending_peers, &thread);
	if (!p || p->thread != s->cookie + direction)
		return false;
	__builtin_memcpy(peer->address, p->peer, 16);
	peer->port = p->peer_port;
	bpf_map_delete_elem(&pending_peers, &thread);
	return true;
}

static __always_inline void find_peer(struct sock *sk, struct pf_socket *s, int direction, struct peer *peer)
{
	if (s->protocol == PF_IPPROTO_UDP && take_pending(s, direction, peer))
		return;
	if (s->family != PF_AF_PACKET && sk->__sk_common.skc_state == PF_TCP_ESTABLISHED) {
		remote_of(sk, peer->address, &peer->port);
		if (s->protocol != PF_IPPROTO_UDP)
			peer->port = 0;
		return;
	}
	if (direction == PF_SENT && s->family != PF_AF_PACKET && address_of_call(peer->address, &peer->port)) {
		if (s->protocol != PF_IPPROTO_UDP)
			peer->port = 0;
		return;
	}
	peer->port = 0;
	peer->unknown = 1;
}

#endif
