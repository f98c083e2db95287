/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The life of TCP sockets: connects, accepted connections, ends. Nothing here runs per packet or per message. */
#ifndef PROCFLOW_TCP_H
#define PROCFLOW_TCP_H

#include "edges.h"
#include "http.h"
#include "packets.h"
#include "socket_state.h"

static __always_inline void on_connect(struct sock *sk)
{
	struct pf_socket *s = find_socket(sk);

	if (!s)
		s = new_socket(sk, PF_SOCK_MESSAGES);
	if (!s)
		return;
	if (s->flags & PF_SOCK_CLOSED) {
		/* The same socket connects again: another flow. */
		if (s->flags & PF_SOCK_HTTP)
			http_closed((__u64)sk, s, true);
		s->life++;
		s->flags &= PF_SOCK_MESSAGES;
		__builtin_memset(&s->slot, 0, sizeof(s->slot));
		__builtin_memset(&s->last, 0, sizeof(s->last));
		s->tcp_flags = 0;
		s->packets_taken[0] = s->packets_taken[1] = 0;
	}
	s->packets_epoch = packets_epoch();
	s->messages_epoch = messages_epoch();
	s->first_ns = bpf_ktime_get_boot_ns();
	read_tuple(sk, s);
	current_process(&s->opener);
	s->flags |= filter_verdict(s, &s->opener);
	if (!(s->flags & PF_SOCK_DROPPED))
		s->opener_window = edge_began(s, s->first_ns);
}

static __always_inline void on_established(struct sock *sk, int from)
{
	struct pf_process_ref nobody = {};
	struct pf_socket *s;

	if (from == PF_TCP_SYN_SENT) {
		s = find_socket(sk);
		if (!s || s->flags & PF_SOCK_DROPPED)
			return;
		/* The local port of a connect is known only now. */
		read_tuple(sk, s);
		if (!s->first_ns)
			s->first_ns = bpf_ktime_get_boot_ns();
		report_opened(sk, s);
		return;
	}
	if (from != PF_TCP_SYN_RECV)
		return;
	/* Accepted: `current` is whoever the interrupt met, so nobody owns it before it moves its first byte. */
	s = find_socket(sk);
	if (s && !(s->flags & PF_SOCK_CLOSED))
		return; /* simultaneous open */
	s = new_socket(sk, PF_SOCK_PASSIVE | PF_SOCK_MESSAGES);
	if (!s)
		return;
	s->packets_epoch = packets_epoch();
	s->messages_epoch = messages_epoch();
	s->first_ns = bpf_ktime_get_boot_ns();
	s->flags |= filter_verdict(s, &nobody);
	give_first_data(s);
}

static __always_inline void end_connection(struct sock *sk, struct pf_socket *s, int from)
{
	if (s->flags & PF_SOCK_CLOSED)
		return;
	/* Still in the hands of a process, that may read what has come: its last bytes follow at the release. */
	if (sk->sk_socket && !(s->flags & PF_SOCK_RELEASED))
		s->flags |= PF_SOCK_HELD;
	/* First, for a poll at the same time on another CPU: what it tells after the end would be a socket that opens. */
	s->flags |= PF_SOCK_CLOSED;
	if (!(s->flags & PF_SOCK_DROPPED))
		report_end((__u64)sk, s, sk, from);
}

/* Whoever connects has had its SYN acknowledged, or has not been connected. */
static __always_inline int last_state(struct sock *sk, struct pf_socket *s)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (s->flags & (PF_SOCK_PASSIVE | PF_SOCK_SEEDED) || !tp || tp->bytes_acked || tp->bytes_received)
		return PF_TCP_ESTABLISHED;
	return PF_TCP_SYN_SENT;
}

static __always_inline void on_close(struct sock *sk, int from)
{
	struct pf_socket *s;

	if (from == PF_TCP_LISTEN || from == PF_TCP_CLOSE)
		return;
	s = find_socket(sk);
	if (!s)
		s = new_socket(sk, unmet_flags());
	if (!s)
		return;
	if (!s->local_port || !s->remote_port)
		read_tuple(sk, s);
	if (!sk->sk_err && from != PF_TCP_SYN_SENT && from != PF_TCP_LAST_ACK && from != PF_TCP_FIN_WAIT2 &&
	    from != PF_TCP_CLOSING && from != PF_TCP_TIME_WAIT)
		s->flags |= PF_SOCK_RESET_SENT;
	end_connection(sk, s, from);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(procflow_set_state, struct sock *sk, int from, int to)
{
	count_run(PF_RUN_SET_STATE);
	if (sk->sk_protocol != PF_IPPROTO_TCP)
		return 0;
	if (to == PF_TCP_SYN_SENT)
		on_connect(sk);
	else if (to == PF_TCP_ESTABLISHED)
		on_established(sk, from);
	else if (to == PF_TCP_CLOSE)
		on_close(sk, from);
	return 0;
}

/*
 * The last that is heard of a TCP socket. A program does not run while it is running already: when a state changes in an
 * interrupt that meets the program above at work, nobody is told. One change in a hundred goes that way under load, so
 * an end that was missed is reported here.
 */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(procflow_destroy, struct sock *sk)
{
	struct pf_socket *s;

	count_run(PF_RUN_DESTROY);
	s = find_socket(sk);
	if (!s)
		return 0;
	if (s->remote_port)
		end_connection(sk, s, last_state(sk, s));
	if (s->flags & PF_SOCK_HTTP)
		http_closed((__u64)sk, s, false);
	forget_socket(sk);
	return 0;
}

#endif
