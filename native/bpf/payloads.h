/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The first payloads of each conversation, for nDPI: of which sockets, of which end, and how they are handed over. */
#ifndef PROCFLOW_PAYLOADS_H
#define PROCFLOW_PAYLOADS_H

#include "messages.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock___owner {
	kuid_t sk_uid;
};

#pragma clang attribute pop

#define PF_LOOPBACK_INDEX 1 /* in every network namespace, include/linux/netdevice.h LOOPBACK_IFINDEX */
#define PF_ETH_P_IP 0x0800
#define PF_MAX_HEADERS 2048 /* of the IP layer, longer ones are none of ours */
#define PF_TH_SYN 0x02

/* Counters of datagram sockets, by peer. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pf_peer_key);
	__type(value, struct pf_peer);
} peers SEC(".maps");

/* The values of the lists that select what is looked at. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pf_filter_key);
	__type(value, __u32);
} packet_selection SEC(".maps");

/* A packet, and where its parts are, from the IP header on. */
struct packet {
	struct pf_socket *socket;
	__u8 *taken; /* of the conversation, by direction */
	int direction;
	__u32 transport; /* offset of the TCP or UDP header */
	__u32 payload;   /* offset of what follows */
	__u32 payload_bytes;
	__u8 from[16] __attribute__((aligned(8))); /* addresses as the packet has them */
	__u8 to[16];
	struct peer peer; /* datagrams: the other end */
	__u16 from_port;
	__u16 to_port;
	__u32 sequence;
	__u32 acknowledgement;
	__u8 tcp_flags;
};

static __always_inline bool selected(enum pf_filter_kind kind, const void *value, __u32 size)
{
	struct pf_filter_key key = { .kind = kind };

	__builtin_memcpy(key.value, value, size);
	return bpf_map_lookup_elem(&packet_selection, &key) != 0;
}

/* Whether the lists select a socket. `peer_port` is the other end's. */
static __noinline bool is_selected(struct __sk_buff *ctx, struct sock *sk, struct pf_packet_settings *set, __u16 peer_port)
{
	__u16 local_port;
	__u64 cgroup;
	__u32 uid;

	if (!ctx || !sk || !set)
		return false;
	if (set->look_kinds & (1u << PF_FILTER_PORT)) {
		local_port = sk->__sk_common.skc_num;
		if (!selected(PF_FILTER_PORT, &peer_port, sizeof(peer_port)) &&
		    !selected(PF_FILTER_PORT, &local_port, sizeof(local_port)))
			return false;
	}
	if (set->look_kinds & (1u << PF_FILTER_CGROUP)) {
		cgroup = bpf_skb_cgroup_id(ctx);
		if (!selected(PF_FILTER_CGROUP, &cgroup, sizeof(cgroup)))
			return false;
	}
	if (set->look_kinds & (1u << PF_FILTER_USER)) {
		uid = ((struct sock___owner *)sk)->sk_uid.val;
		if (!selected(PF_FILTER_USER, &uid, sizeof(uid)))
			return false;
	}
	return true;
}

/* Decides once per socket whether its packets are looked at. Of one with many peers, each is asked for its port. */
static __noinline bool is_looked_at(struct __sk_buff *ctx, struct sock *sk, struct pf_socket *s)
{
	struct pf_packet_settings *set = get_packet_settings();
	struct pf_packet_settings asked;

	if (!ctx || !sk || !s || !set || !set->epoch)
		return false;
	asked = *set;
	if (s->protocol != PF_IPPROTO_TCP && sk->__sk_common.skc_state != PF_TCP_ESTABLISHED)
		asked.look_kinds &= ~(1u << PF_FILTER_PORT);
	if (!is_selected(ctx, sk, &asked, bpf_ntohs(sk->__sk_common.skc_dport))) {
		s->flags |= PF_SOCK_NO_PACKETS;
		return false;
	}
	s->flags |= PF_SOCK_PACKETS;
	return true;
}

/* Whether the sender's own socket, on this host too, has given its packets already. Over loopback only. */
static __noinline bool sender_gives(struct __sk_buff *ctx, struct packet *p)
{
	struct bpf_sock_tuple tuple = {};
	struct pf_socket *sender;
	struct bpf_sock *found;
	struct pf_peer *peer;
	__u32 size;
	__u64 key;
	bool gives = false, v4;

	if (!ctx || !p)
		return false;
	v4 = is_v4_mapped(p->from);
	/* A look-up finds the receiver of a packet: here that of the answer. */
	if (v4) {
		__builtin_memcpy(&tuple.ipv4.saddr, p->to + 12, 4);
		__builtin_memcpy(&tuple.ipv4.daddr, p->from + 12, 4);
		tuple.ipv4.sport = bpf_htons(p->to_port);
		tuple.ipv4.dport = bpf_htons(p->from_port);
		size = sizeof(tuple.ipv4);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, p->to, 16);
		__builtin_memcpy(tuple.ipv6.daddr, p->from, 16);
		tuple.ipv6.sport = bpf_htons(p->to_port);
		tuple.ipv6.dport = bpf_htons(p->from_port);
		size = sizeof(tuple.ipv6);
	}
	if (p->socket->protocol == PF_IPPROTO_TCP)
		found = bpf_skc_lookup_tcp(ctx, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	else
		found = bpf_sk_lookup_udp(ctx, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (!found)
		return false;
	key = (__u64)found;
	sender = bpf_map_lookup_elem(&sockets, &key);
	if (sender && p->socket->protocol == PF_IPPROTO_TCP) {
		gives = sender->packets_taken[PF_SENT];
	} else if (sender) {
		struct pf_peer_key of = { .cookie = sender->cookie, .peer_port = p->to_port };

		__builtin_memcpy(of.peer, p->to, 16);
		peer = bpf_map_lookup_elem(&peers, &of);
		gives = peer && peer->packets_taken[PF_SENT];
	}
	bpf_sk_release(found);
	return gives;
}

/* The process lists of the filter have not spoken yet, since nobody has used the socket. */
static __always_inline bool waits_for_verdict(const struct pf_socket *s)
{
	const __u32 by_process = 1u << PF_FILTER_USER | 1u << PF_FILTER_CGROUP | 1u << PF_FILTER_PROCESS;
	struct pf_settings *set;

	if (s->flags & PF_SOCK_VERDICT)
		return false;
	set = get_settings();
	return !set || (set->keep_kinds | set->drop_kinds) & by_process;
}

static __always_inline void fill_packet(struct pf_packet_record *r, struct packet *p, __u8 number, __u32 captured)
{
	struct pf_socket *s = p->socket;
	bool sent = p->direction == PF_SENT;

	r->record = PF_RECORD_PACKET;
	r->direction = p->direction;
	r->number = number;
	r->tcp_flags = p->tcp_flags;
	r->flags = (s->flags & PF_SOCK_PASSIVE ? PF_PACKET_PASSIVE : 0) | (waits_for_verdict(s) ? PF_PACKET_UNJUDGED : 0);
	r->time_ns = bpf_ktime_get_boot_ns();
	r->cookie = flow_cookie(s);
	r->netns = s->netns;
	r->payload_bytes = p->payload_bytes;
	if (s->protocol == PF_IPPROTO_TCP) {
		/* As the socket has them: on the way out the packet may be translated already. */
		__builtin_memcpy(r->local, s->local, 16);
		__builtin_memcpy(r->remote, s->remote, 16);
		r->local_port = s->local_port;
		r->remote_port = s->remote_port;
	} else {
		__builtin_memcpy(r->local, sent ? p->from : p->to, 16);
		__builtin_memcpy(r->remote, p->peer.address, 16);
		r->local_port = sent ? p->from_port : p->to_port;
		r->remote_port = p->peer.port;
	}
	r->protocol = s->protocol;
	r->captured_bytes = captured;
	r->sequence = p->sequence;
	r->acknowledgement = p->acknowledgement;
}

/* The ring takes records of fixed size: most packets are small, and must not take the room of large ones. */
#define PF_GIVE_PACKET(ctx, p, number, length, room)                                                      \
	do {                                                                                              \
		struct pf_packet_record *r = bpf_ringbuf_reserve(&ring, PF_PACKET_RECORD_HEAD + (room), 0); \
                                                                                                          \
		if (!r) {                                                                                 \
			count_loss(PF_LOSS_RING_PACKET);                                                  \
			return;                                                                           \
		}                                                                                         \
		fill_packet(r, p, number, length);                                                        \
		if (bpf_skb_load_bytes(ctx, (p)->payload, r->payload, length))                            \
			bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);                                         \
		else                                                                                      \
			bpf_ringbuf_submit(r, wake_flag());                                               \
	} while (0)

static __noinline void give(struct __sk_buff *ctx, struct packet *p, __u32 number, __u32 length)
{
	if (!ctx || !p || length == 0)
		return;
	if (length <= 128)
		PF_GIVE_PACKET(ctx, p, number, length, 128);
	else if (length <= 512)
		PF_GIVE_PACKET(ctx, p, number, length, 512);
	else if (length <= 1536)
		PF_GIVE_PACKET(ctx, p, number, length, 1536);
	else if (length <= PF_PACKET_BYTES)
		PF_GIVE_PACKET(ctx, p, number, length, PF_PACKET_BYTES);
}

/* Hands the payload over when it is one of the conversation's first. */
static __noinline void take_payload(struct __sk_buff *ctx, struct packet *p)
{
	struct pf_packet_settings *set = get_packet_settings();
	__u32 number, length;
	__u8 *taken;

	if (!ctx || !p || !set)
		return;
	taken = p->taken + (p->direction & 1);
	number = *taken;
	if (number >= set->first_packets ||
	    (number == 0 && p->direction == PF_RECEIVED && ctx->ifindex == PF_LOOPBACK_INDEX && sender_gives(ctx, p))) {
		*taken = PF_TAKEN_ENOUGH;
		return;
	}
	*taken = number + 1;
	/* The events of sockets and processes, which nobody else has, come first. */
	if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) / 2) {
		count_loss(PF_LOSS_RING_PACKET);
		return;
	}
	length = p->payload_bytes < set->packet_bytes ? p->payload_bytes : set->packet_bytes;
	give(ctx, p, number, length);
}

/* The IP header is where the data begins. */
static __always_inline bool is_v4_packet(const struct __sk_buff *ctx)
{
	return ctx->protocol == bpf_htons(PF_ETH_P_IP);
}

static __always_inline bool read_addresses(const struct __sk_buff *ctx, bool v4, struct packet *p)
{
	const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;

	if (v4) {
		if (data + 20 > end)
			return false;
		map_v4(p->from, *(const __be32 *)(data + 12));
		map_v4(p->to, *(const __be32 *)(data + 16));
	} else {
		if (data + 40 > end)
			return false;
		__builtin_memcpy(p->from, data + 8, 16);
		__builtin_memcpy(p->to, data + 24, 16);
	}
	return true;
}

/* False when there is no payload. */
static __always_inline bool read_tcp_header(struct __sk_buff *ctx, const __u8 *header, struct packet *p)
{
	p->payload = p->transport + (header[12] >> 4) * 4;
	if (ctx->len <= p->payload)
		return false;
	p->payload_bytes = ctx->len - p->payload;
	p->tcp_flags = header[13];
	p->sequence = bpf_ntohl(*(const __be32 *)(header + 4));
	p->acknowledgement = bpf_ntohl(*(const __be32 *)(header + 8));
	p->from_port = bpf_ntohs(*(const __be16 *)header);
	p->to_port = bpf_ntohs(*(const __be16 *)(header + 2));
	return true;
}

/*
 * The packet that ends the handshake of an accepted connection comes to the listener, and it may bring data: of clients
 * whose own acknowledgement was lost, and to all servers that defer accepting until there is data. It is kept until the
 * same CPU, in the same interrupt, makes the connection's socket of it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pf_packet_record);
} first_data SEC(".maps");

#define PF_FIRST_DATA_NS 1000000

static __noinline void keep_first_data(struct __sk_buff *ctx, struct packet *p)
{
	const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;
	struct pf_packet_settings *set = get_packet_settings();
	struct pf_packet_record *r;
	__u32 zero = 0, length;
	const __u8 *header;

	if (!p || !set || !set->first_packets || p->transport > PF_MAX_HEADERS)
		return;
	header = data + p->transport;
	if (header + 20 > end || header[13] & PF_TH_SYN || !read_tcp_header(ctx, header, p))
		return;
	if (!read_addresses(ctx, is_v4_packet(ctx), p) || (ctx->ifindex == PF_LOOPBACK_INDEX && sender_gives(ctx, p)))
		return;
	r = bpf_map_lookup_elem(&first_data, &zero);
	if (!r)
		return;
	length = p->payload_bytes < set->packet_bytes ? p->payload_bytes : set->packet_bytes;
	r->captured_bytes = 0;
	if (length == 0 || length > PF_PACKET_BYTES || bpf_skb_load_bytes(ctx, p->payload, r->payload, length))
		return;
	fill_packet(r, p, 0, length);
	__builtin_memcpy(r->remote, p->from, 16);
	r->remote_port = p->from_port;
	r->local_port = p->to_port;
}

/* Hands that over, when it was this connection's. `s` has just been made. */
static __noinline void give_first_data(struct pf_socket *s)
{
	struct pf_packet_record *r;
	__u32 zero = 0, length;

	if (!s || !s->packets_epoch || s->flags & PF_SOCK_DROPPED)
		return;
	r = bpf_map_lookup_elem(&first_data, &zero);
	if (!r || !r->captured_bytes)
		return;
	length = r->captured_bytes;
	r->captured_bytes = 0;
	if (r->remote_port != s->remote_port || r->local_port != s->local_port || r->netns != s->netns ||
	    !same_address(r->remote, s->remote) || bpf_ktime_get_boot_ns() - r->time_ns > PF_FIRST_DATA_NS)
		return;
	s->tcp_flags |= (__u32)r->tcp_flags << 8;
	s->packets_taken[PF_RECEIVED] = 1;
	r->cookie = s->cookie;
	r->flags = PF_PACKET_PASSIVE | (waits_for_verdict(s) ? PF_PACKET_UNJUDGED : 0);
	__builtin_memcpy(r->local, s->local, 16);
	r->captured_bytes = length;
	if (length <= PF_PACKET_BYTES && bpf_ringbuf_output(&ring, r, PF_PACKET_RECORD_HEAD + length, wake_flag()))
		count_loss(PF_LOSS_RING_PACKET);
	r->captured_bytes = 0;
}

#endif
