/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What a datagram is at the IP layer: computed, since no program sees packets. */
#ifndef PROCFLOW_PACKET_SIZES_H
#define PROCFLOW_PACKET_SIZES_H

#include "peers.h"

#define PF_LOOPBACK_MTU 65536
#define PF_ASSUMED_MTU 1500

/* One datagram call: who moved how much, which way, to or from whom. */
struct movement {
	struct pf_process_ref mover;
	struct peer peer;
	__u64 bytes;
	int direction;
};

static __always_inline __u32 mtu_of(struct sock *sk, const struct pf_socket *s, const struct peer *peer, bool *known)
{
	struct dst_entry *dst;

	*known = true;
	if (is_loopback(peer->address) || is_loopback(s->local))
		return PF_LOOPBACK_MTU;
	dst = untrusted(sk)->sk_dst_cache;
	if (dst)
		return dst->dev->mtu;
	*known = false;
	return PF_ASSUMED_MTU;
}

/* Adds headers, fragments and segmentation offload. Returns PF_TRAFFIC_DERIVED or 0. */
static __noinline __u32 count_packets(struct sock *sk, struct pf_socket *s, struct pf_counters *counters,
				      struct movement *m)
{
	bool v4, known, fragmented;
	__u32 ip, fragment_header, mtu, room;
	__u64 length, bytes, packets = 1, octets;
	struct peer *peer;
	int direction;

	if (!sk || !s || !counters || !m)
		return 0;
	if (s->family == PF_AF_PACKET) {
		__sync_fetch_and_add(&counters->packets, 1);
		return 0;
	}
	peer = &m->peer;
	direction = m->direction;
	length = bytes = m->bytes;
	v4 = s->family == PF_AF_INET || is_v4_mapped(peer->address);
	ip = v4 ? 20 : 40;
	fragment_header = v4 ? 0 : 8;
	if (s->protocol == PF_IPPROTO_UDP) {
		__u64 segment = direction == PF_SENT && has_casts() ? socket_as(udp_sock, sk)->gso_size : 0;

		if (segment && bytes > segment) {
			packets = (bytes + segment - 1) / segment;
			__sync_fetch_and_add(&counters->packets, packets);
			__sync_fetch_and_add(&counters->octets, bytes + packets * (8 + ip));
			return 0;
		}
		length += 8;
	} else if (s->type == PF_SOCK_TYPE_RAW && v4) {
		bool header_included = direction == PF_RECEIVED;

		if (direction == PF_SENT && has_casts() && bpf_core_field_exists(struct inet_sock, inet_flags))
			header_included = (socket_as(inet_sock, sk)->inet_flags >> PF_INET_FLAGS_HDRINCL_BIT) & 1;
		if (header_included)
			length -= length >= 20 ? 20 : length;
	}
	mtu = mtu_of(sk, s, peer, &known);
	fragmented = length + ip > mtu && mtu > 128;
	if (fragmented) {
		room = (mtu - ip - fragment_header) & ~7u;
		packets = (length + room - 1) / room;
		octets = length + packets * (ip + fragment_header);
	} else {
		octets = length + ip;
	}
	__sync_fetch_and_add(&counters->packets, packets);
	__sync_fetch_and_add(&counters->octets, octets);
	return fragmented && !(known && direction == PF_SENT && !is_loopback(peer->address)) ? PF_TRAFFIC_DERIVED : 0;
}

#endif
