/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Packets of sockets, where nobody else has what they tell: TCP flags, what a datagram socket exchanged with each peer
 * as it was on the wire, and the first payload of each conversation. This runs for each packet, so that what is cheap
 * comes first.
 *
 * Which socket the kernel names: on the way out the packet's own, or the listener for what a handshake in progress
 * sends; on the way in the receiver, or the listener until the connection is accepted. Packets of a connection in
 * TIME_WAIT, and resets and acknowledgements that answer without a socket, come by no socket of ours.
 */
#ifndef PROCFLOW_PACKETS_H
#define PROCFLOW_PACKETS_H

#include "payloads.h"

/* Kernel 6.2. */
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sk_buff {
	struct sk_buff *next;
	struct sock *sk;
	unsigned int len;
	unsigned int data_len;
	__u16 transport_header;
	__u16 network_header;
	char cb[48];
	unsigned int end;
	unsigned char *head;
};

struct skb_shared_info {
	struct sk_buff *frag_list;
};

/* What the IP layers keep in sk_buff.cb. */
struct inet_skb_parm {
	__u16 frag_max_size;
};

struct inet6_skb_parm {
	__u16 frag_max_size;
};

#pragma clang attribute pop

#define PF_ALLOW 1

static __always_inline void tcp_packet(struct __sk_buff *ctx, struct packet *p)
{
	const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;
	struct pf_socket *s = p->socket;
	const __u8 *header;
	__u32 flags;

	header = data + p->transport;
	if (header + 20 > end)
		return;
	flags = p->direction == PF_SENT ? header[13] : (__u32)header[13] << 8;
	if (flags & ~s->tcp_flags)
		__sync_fetch_and_or(&s->tcp_flags, flags);
	if (s->packets_taken[p->direction & 1] == PF_TAKEN_ENOUGH || !read_tcp_header(ctx, header, p))
		return;
	if (p->direction == PF_RECEIVED && !read_addresses(ctx, is_v4_packet(ctx), p))
		return;
	p->taken = s->packets_taken;
	take_payload(ctx, p);
}

/*
 * How many packets an IP payload of that length is on the wire, and the bytes that each of them has in front of its part.
 * On the way out the fragments hang on the packet already; on the way in it is told how long they were.
 */
static __always_inline __u32 fragments(struct sk_buff *skb, const struct packet *p, bool v4, __u32 length)
{
	struct skb_shared_info *shared;
	struct sk_buff *second;
	__u32 room;

	if (p->direction == PF_SENT) {
		if (!skb->data_len)
			return 1;
		shared = bpf_rdonly_cast(skb->head + skb->end, bpf_core_type_id_kernel(struct skb_shared_info));
		second = shared->frag_list;
		if (!second)
			return 1;
		/* The first is the packet itself; all but the last are of one length. */
		if (!second->next)
			return 2;
		room = second->len;
	} else {
		const char *cb = skb->cb;

		room = v4 ? *(const __u16 *)(cb + bpf_core_field_offset(struct inet_skb_parm, frag_max_size)) :
			    *(const __u16 *)(cb + bpf_core_field_offset(struct inet6_skb_parm, frag_max_size));
		if (!room)
			return 1;
		room -= v4 ? 20 : 48;
		room &= ~7u;
	}
	return room && room <= 65535 ? (length + room - 1) / room : 1;
}

static __always_inline void count_on_wire(struct pf_wire_counters *counters, __u64 octets, __u64 packets, __u64 bytes)
{
	__sync_fetch_and_add(&counters->octets, octets);
	__sync_fetch_and_add(&counters->packets, packets);
	__sync_fetch_and_add(&counters->bytes, bytes);
}

/* The verdict on a socket whose first datagram goes out, in the context of the process that sends it. */
static __noinline void judge_sender(struct sock *sk, struct pf_socket *s, struct packet *p)
{
	struct pf_process_ref sender = {};
	bool connected;

	if (!sk || !s || !p)
		return;
	current_process(&sender);
	connected = sk->__sk_common.skc_state == PF_TCP_ESTABLISHED;
	__builtin_memcpy(s->local, p->from, 16);
	s->local_port = p->from_port;
	__builtin_memcpy(s->remote, p->peer.address, 16);
	s->remote_port = p->peer.port;
	s->flags |= filter_verdict(s, &sender);
	/* As the messages tier wants to find it. */
	__builtin_memset(s->local, 0, 16);
	if (!connected) {
		__builtin_memset(s->remote, 0, 16);
		s->remote_port = 0;
	}
}

static __noinline struct pf_peer *new_peer(struct __sk_buff *ctx, struct sock *sk, struct packet *p, struct pf_peer_key *key)
{
	struct pf_packet_settings *set = get_packet_settings();
	struct pf_peer fresh = {};
	struct pf_peer *peer;

	if (!ctx || !sk || !p || !key || !set)
		return 0;
	if (set->look_kinds & (1u << PF_FILTER_PORT) && !is_selected(ctx, sk, set, p->peer.port))
		return 0;
	fresh.epoch = p->socket->packets_epoch;
	bpf_map_update_elem(&peers, key, &fresh, BPF_NOEXIST);
	peer = bpf_map_lookup_elem(&peers, key);
	if (!peer)
		count_loss(PF_LOSS_PEER_COUNTERS);
	return peer;
}

static __always_inline void datagram_packet(struct __sk_buff *ctx, struct sk_buff *skb, struct sock *sk, struct packet *p)
{
	const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;
	struct pf_socket *s = p->socket;
	bool sent = p->direction == PF_SENT, v4;
	struct pf_peer_key key = {};
	__u32 packets, in_front, length;
	struct pf_peer *peer;
	const __u8 *header;

	header = data + p->transport;
	if (header + 8 > end)
		return;
	p->from_port = bpf_ntohs(*(const __be16 *)header);
	p->to_port = bpf_ntohs(*(const __be16 *)(header + 2));
	v4 = is_v4_packet(ctx);
	if (!read_addresses(ctx, v4, p))
		return;
	p->payload = p->transport + 8;
	if (ctx->len < p->payload)
		return;
	p->payload_bytes = ctx->len - p->payload;
	if (sk->__sk_common.skc_state == PF_TCP_ESTABLISHED) {
		remote_of(sk, p->peer.address, &p->peer.port);
	} else {
		__builtin_memcpy(p->peer.address, sent ? p->to : p->from, 16);
		p->peer.port = sent ? p->to_port : p->from_port;
	}
	if (sent && !(s->flags & PF_SOCK_VERDICT)) {
		judge_sender(sk, s, p);
		if (s->flags & PF_SOCK_DROPPED)
			return;
	}
	key.cookie = s->cookie;
	__builtin_memcpy(key.peer, p->peer.address, 16);
	key.peer_port = p->peer.port;
	peer = bpf_map_lookup_elem(&peers, &key);
	if (!peer) {
		peer = new_peer(ctx, sk, p, &key);
		if (!peer)
			return;
	}
	in_front = p->transport;
	length = p->payload_bytes + 8; /* what the IP layer carries */
	if (ctx->gso_size) {
		packets = ctx->gso_segs ? ctx->gso_segs : (p->payload_bytes + ctx->gso_size - 1) / ctx->gso_size;
		length = p->payload_bytes + packets * 8;
	} else {
		packets = fragments(skb, p, v4, length);
		if (packets > 1 && !v4)
			in_front += 8;
	}
	count_on_wire(sent ? &peer->sent : &peer->received, length + (__u64)packets * in_front, packets, p->payload_bytes);
	if (p->payload_bytes && peer->packets_taken[p->direction & 1] != PF_TAKEN_ENOUGH) {
		p->taken = peer->packets_taken;
		take_payload(ctx, p);
	}
}

static __always_inline void packet(struct __sk_buff *ctx, int direction)
{
	struct packet p = { .direction = direction };
	struct bpf_sock *named = ctx->sk;
	struct pf_socket *s;
	struct sk_buff *skb;
	struct sock *sk;
	bool tcp, listens;
	__u64 key;

	count_run(direction == PF_SENT ? PF_RUN_PACKET_SENT : PF_RUN_PACKET_RECEIVED);
	if (!named || !(void *)bpf_cast_to_kern_ctx)
		return;
	key = (__u64)named;
	s = bpf_map_lookup_elem(&sockets, &key);
	if (!s && overflowed)
		s = bpf_sk_storage_get(&overflow, named, 0, 0);
	if (!s || s->flags & (PF_SOCK_DROPPED | PF_SOCK_NO_PACKETS))
		return;
	skb = bpf_cast_to_kern_ctx(ctx);
	sk = skb->sk;
	/* The memory of a socket that went away unseen may be another socket now. */
	if (!sk || s->cookie != (__u64)sk->__sk_common.skc_cookie.counter)
		return;
	tcp = s->protocol == PF_IPPROTO_TCP && s->type == PF_SOCK_TYPE_STREAM;
	listens = tcp && sk->__sk_common.skc_state == PF_TCP_LISTEN;
	if (!tcp && !(s->protocol == PF_IPPROTO_UDP && s->type == PF_SOCK_TYPE_DGRAM))
		return;
	if (listens && direction == PF_SENT)
		return;
	if (!(s->flags & PF_SOCK_PACKETS) && !is_looked_at(ctx, sk, s))
		return;
	p.socket = s;
	p.transport = (__u16)(skb->transport_header - skb->network_header);
	if (p.transport < 20 || p.transport > PF_MAX_HEADERS)
		return;
	if (listens)
		keep_first_data(ctx, &p);
	else if (tcp)
		tcp_packet(ctx, &p);
	else
		datagram_packet(ctx, skb, sk, &p);
}

SEC("cgroup_skb/egress")
int procflow_packet_sent(struct __sk_buff *ctx)
{
	packet(ctx, PF_SENT);
	return PF_ALLOW;
}

SEC("cgroup_skb/ingress")
int procflow_packet_received(struct __sk_buff *ctx)
{
	packet(ctx, PF_RECEIVED);
	return PF_ALLOW;
}

#endif
