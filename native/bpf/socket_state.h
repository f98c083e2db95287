/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The state that is kept of each socket, and the records made of it. */
#ifndef PROCFLOW_SOCKET_STATE_H
#define PROCFLOW_SOCKET_STATE_H

#include "common.h"
#include "filter.h"

/* A protocol's own socket struct; the caller knows the protocol. */
#define socket_as(type, sk) \
	((struct type *)bpf_rdonly_cast((const void *)(sk), bpf_core_type_id_kernel(struct type)))

/* Set once the hash was full: only then is socket storage worth a look. */
volatile __u32 overflowed = 0;

static __always_inline void map_v4(__u8 *to, __be32 address)
{
	__u32 *words = (__u32 *)to;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = address;
}

static __always_inline void copy_v6(__u8 *to, const struct in6_addr *from)
{
	__u32 *words = (__u32 *)to;

	words[0] = from->in6_u.u6_addr32[0];
	words[1] = from->in6_u.u6_addr32[1];
	words[2] = from->in6_u.u6_addr32[2];
	words[3] = from->in6_u.u6_addr32[3];
}

static __always_inline void remote_of(struct sock *sk, __u8 *address, __u16 *port)
{
	if (sk->__sk_common.skc_family == PF_AF_INET)
		map_v4(address, sk->__sk_common.skc_daddr);
	else
		copy_v6(address, &sk->__sk_common.skc_v6_daddr);
	*port = bpf_ntohs(sk->__sk_common.skc_dport);
}

/* Addresses and ports as the socket has them now. */
static __always_inline void read_tuple(struct sock *sk, struct pf_socket *s)
{
	struct tcp_sock *tp;

	s->interface_index = sk->__sk_common.skc_bound_dev_if;
	if (s->family == PF_AF_PACKET) {
		if (has_casts())
			s->interface_index = socket_as(packet_sock, sk)->ifindex;
		return;
	}
	if (s->family == PF_AF_INET)
		map_v4(s->local, sk->__sk_common.skc_rcv_saddr);
	else
		copy_v6(s->local, &sk->__sk_common.skc_v6_rcv_saddr);
	remote_of(sk, s->remote, &s->remote_port);
	s->local_port = sk->__sk_common.skc_num;
	if (s->protocol == PF_IPPROTO_TCP) {
		/* skc_num is taken away at CLOSE, inet_sport stays. */
		tp = bpf_skc_to_tcp_sock(sk);
		if (tp)
			s->local_port = bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport);
	}
}

static __always_inline void read_identity(struct sock *sk, struct pf_socket *s)
{
	s->cookie = bpf_get_socket_cookie(sk);
	s->netns = untrusted(sk)->__sk_common.skc_net.net->ns.inum;
	s->family = sk->__sk_common.skc_family;
	s->type = sk->sk_type;
	s->protocol = s->family == PF_AF_PACKET ? 0 : sk->sk_protocol;
	read_tuple(sk, s);
}

/* A socket that connects again is another flow. */
static __always_inline __u64 flow_cookie(const struct pf_socket *s)
{
	return s->cookie + ((__u64)s->life << PF_LIFE_SHIFT);
}

static __always_inline struct pf_socket *find_socket(struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct pf_socket *s = bpf_map_lookup_elem(&sockets, &key);

	if (!s && overflowed)
		s = bpf_sk_storage_get(&overflow, sk, 0, 0);
	/* The memory of a socket that went away unseen may be another socket now. */
	if (s && s->cookie != (__u64)sk->__sk_common.skc_cookie.counter)
		return 0;
	return s;
}

/*
 * Whether a TCP socket that was there before was accepted. The kernel keeps no flag of it, but it hands the interface of
 * the last handshake packet to an accepted socket as its multicast interface (tcp_v4_syn_recv_sock,
 * tcp_v6_syn_recv_sock), which a socket that connected has only when it asked for one.
 */
static __always_inline bool was_accepted(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (!tp)
		return false;
	if (sk->__sk_common.skc_family == PF_AF_INET6 && tp->inet_conn.icsk_inet.pinet6->mcast_oif)
		return true;
	return tp->inet_conn.icsk_inet.mc_index != 0;
}

/* Of a socket without a state: born before the programs; after the first scan, it is new, and its birth was missed. */
static __always_inline __u32 unmet_flags(void)
{
	struct pf_settings *set = get_settings();

	return set && set->seeded ? PF_SOCK_MESSAGES : PF_SOCK_SEEDED;
}

/* Of a socket whose birth was missed: it may have moved bytes while messages were left out, if they ever were. */
static __always_inline __u16 unmet_epoch(void)
{
	__u16 epoch = messages_epoch();

	return epoch == 1 ? epoch : 0;
}

/* A state that starts from scratch, whatever the key had before. */
static __noinline struct pf_socket *new_socket(struct sock *sk, __u32 flags)
{
	__u64 key = (__u64)sk;
	struct pf_socket fresh = {};
	struct pf_socket *s;

	if (!sk)
		return 0;
	fresh.flags = flags;
	fresh.messages_epoch = unmet_epoch();
	read_identity(sk, &fresh);
	if (fresh.protocol == PF_IPPROTO_TCP && fresh.remote_port) {
		if (was_accepted(sk))
			fresh.flags |= PF_SOCK_PASSIVE;
		if (!(flags & PF_SOCK_SEEDED))
			fresh.first_ns = bpf_ktime_get_boot_ns();
	}
	if (bpf_map_update_elem(&sockets, &key, &fresh, BPF_ANY) == 0)
		return bpf_map_lookup_elem(&sockets, &key);
	overflowed = 1;
	s = bpf_sk_storage_get(&overflow, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (s)
		__builtin_memcpy(s, &fresh, sizeof(fresh));
	else
		count_loss(PF_LOSS_SOCKET_TABLE);
	return s;
}

static __always_inline void forget_socket(struct sock *sk)
{
	__u64 key = (__u64)sk;

	if (bpf_map_delete_elem(&sockets, &key) && overflowed)
		bpf_sk_storage_delete(&overflow, sk);
}

/* What tcp_sock counts. bytes_received holds the FIN, when one came, as one byte. */
static __always_inline void read_tcp(struct sock *sk, struct pf_tcp *to)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	__u32 fin, unread, unsent;

	if (!tp)
		return;
	fin = (sk->__sk_common.skc_flags >> PF_SOCK_DONE_BIT) & 1;
	to->has_tcp = PF_TCP_KNOWN | (tp->ecn_flags & 1 ? PF_TCP_ECN : 0); /* TCP_ECN_OK, or TCP_ECN_MODE_RFC3168 */
	to->state = sk->__sk_common.skc_state;
	to->bytes_sent = tp->bytes_sent;
	to->bytes_retransmitted = tp->bytes_retrans;
	to->bytes_received = tp->bytes_received;
	if (fin && to->bytes_received)
		to->bytes_received--;
	unread = tp->rcv_nxt - tp->copied_seq;
	to->unread_bytes = fin && unread ? unread - 1 : unread;
	unsent = tp->write_seq - tp->snd_nxt;
	if (unsent && (to->state == PF_TCP_FIN_WAIT1 || to->state == PF_TCP_LAST_ACK || to->state == PF_TCP_CLOSING))
		unsent--;
	to->unsent_bytes = (__s32)unsent > 0 ? unsent : 0;
	to->last_mono_us = tp->tcp_mstamp;
	to->segments_out = tp->segs_out;
	to->segments_in = tp->segs_in;
	to->data_segments_out = tp->data_segs_out;
	to->data_segments_in = tp->data_segs_in;
	to->retransmits = tp->total_retrans;
	to->rtt_us = tp->srtt_us >> 3;
	to->min_rtt_us = tp->rtt_min.s[0].v;
	to->header_bytes = tp->tcp_header_len;
}

static __always_inline void fill_record(struct pf_socket_record *r, __u32 kind, __u64 key, struct pf_socket *s)
{
	r->record = PF_RECORD_SOCKET;
	r->kind = kind;
	r->time_ns = bpf_ktime_get_boot_ns();
	r->sock = key;
	__builtin_memset(&r->holder, 0, sizeof(r->holder));
	__builtin_memcpy(&r->socket, s, sizeof(*s));
	__builtin_memset(&r->tcp, 0, sizeof(r->tcp));
}

/* Tells user space that a socket opened, or that a datagram socket moved its first message. */
static __noinline void report_opened(struct sock *sk, struct pf_socket *s)
{
	struct pf_socket_record *r;
	__u32 kind;

	if (!s || !sk)
		return;
	kind = s->flags & PF_SOCK_REPORTED ? PF_SOCKET_UPDATE :
	       s->flags & PF_SOCK_SEEDED   ? PF_SOCKET_SEEN :
					     PF_SOCKET_OPENED;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_loss(PF_LOSS_RING_SOCKET);
		return;
	}
	s->flags |= PF_SOCK_REPORTED;
	fill_record(r, kind, (__u64)sk, s);
	if (s->protocol == PF_IPPROTO_TCP)
		read_tcp(sk, &r->tcp);
	bpf_ringbuf_submit(r, wake_flag());
}

/* Room to build an end record that the ring buffer has no room for. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pf_socket_record);
} end_scratch SEC(".maps");

static __always_inline void fill_end(struct pf_socket_record *r, __u64 key, struct pf_socket *s, struct sock *tcp,
				     __u8 from)
{
	fill_record(r, PF_SOCKET_ENDED, key, s);
	if (!tcp)
		return;
	read_tcp(tcp, &r->tcp);
	r->tcp.from_state = from;
	r->tcp.error = tcp->sk_err < 0 ? -tcp->sk_err : tcp->sk_err;
}

/*
 * The end of a socket, with its last counters; `tcp` is null for other protocols. When the ring buffer is full the
 * record waits in a map, because nobody can ask the kernel for these counters again.
 */
static __always_inline void report_end(__u64 key, struct pf_socket *s, struct sock *tcp, __u8 from)
{
	struct pf_socket_record *r;
	__u32 zero = 0;
	__u64 cookie;

	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (r) {
		fill_end(r, key, s, tcp, from);
		bpf_ringbuf_submit(r, wake_flag());
		return;
	}
	count_loss(PF_LOSS_RING_SOCKET);
	r = bpf_map_lookup_elem(&end_scratch, &zero);
	if (!r)
		return;
	fill_end(r, key, s, tcp, from);
	cookie = flow_cookie(s);
	if (bpf_map_update_elem(&ended, &cookie, r, BPF_ANY))
		count_loss(PF_LOSS_ENDED_TABLE);
}

#endif
