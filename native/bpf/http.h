/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * HTTP/1 connections, followed in the calls that move their bytes: there the beginning of a message lies in the memory
 * of the process that sends or takes it, in the order of the stream, and `current` is who does it. Heads of requests go
 * over to user space. Of bodies, and of the heads of responses, only the framing is read.
 */
#ifndef PROCFLOW_HTTP_H
#define PROCFLOW_HTTP_H

#include "http_framing.h"

/* Where in the stream a message has just ended. */
static __always_inline __u32 stream_position(struct sock *sk, int direction)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	__u32 fin;

	if (!tp)
		return 0;
	if (direction == PF_SENT)
		return tp->write_seq;
	/* The FIN counts as a byte, and the call that takes the last bytes before it takes it, too. */
	fin = (sk->__sk_common.skc_flags >> PF_SOCK_DONE_BIT) & 1;
	return tp->copied_seq - (fin && tp->copied_seq == tp->rcv_nxt);
}

/* How many messages that turn the direction are looked at before a connection is taken for something else. */
#define PF_HTTP_MOST_LOOKS 4u
#define looked_bit(direction) (PF_SOCK_LOOKED << ((direction) & 1))

/* Where the ordinals of a connection begin that is met now. */
static __always_inline __u32 first_ordinal(__u32 epoch)
{
	__u32 before = epoch - 1;

	if (before >= PF_HTTP_MOST_EPOCHS)
		before = PF_HTTP_MOST_EPOCHS - 1;
	return before << PF_HTTP_EPOCH_SHIFT;
}

/* Looks at where a message begins, and makes a state when that is HTTP. */
static __noinline struct pf_http *meet_http(struct pf_socket *s, struct http_walk *w, int direction)
{
	struct pf_http_framing framing = {};
	struct pf_http *http;
	int request, response;
	__u32 got;

	if (!s || !w)
		return 0;
	s->flags = (s->flags & ~looked_bit(!direction)) | looked_bit(direction);
	s->flags += PF_SOCK_LOOKS;
	got = read_message(w, 0, PF_HTTP_FIRST_BYTES);
	request = got ? pf_http_begins(&framing, &w->buffer, got, true) : PF_HTTP_NO;
	response = got ? pf_http_begins(&framing, &w->buffer, got, false) : PF_HTTP_NO;
	if (request == PF_HTTP_NO && response != PF_HTTP_YES) {
		if (s->flags / PF_SOCK_LOOKS >= PF_HTTP_MOST_LOOKS)
			s->flags |= PF_SOCK_NOT_HTTP;
		return 0;
	}
	__builtin_memset(&w->fresh, 0, sizeof(w->fresh));
	w->fresh.cookie = flow_cookie(s);
	w->fresh.epoch = messages_epoch();
	if (!w->fresh.epoch)
		return 0; /* left out from now on */
	w->fresh.requests = w->fresh.responses = first_ordinal(w->fresh.epoch);
	w->fresh.side = (request != PF_HTTP_NO) == (direction == PF_RECEIVED) ? PF_HTTP_SERVER : PF_HTTP_CLIENT;
	if (request != PF_HTTP_NO) {
		w->fresh.ways[PF_HTTP_REQUESTS].state = PF_HTTP_START;
		w->fresh.ways[PF_HTTP_RESPONSES].state = PF_HTTP_START;
	}
	if (bpf_map_update_elem(&http_sockets, &w->sock, &w->fresh, BPF_ANY)) {
		count_loss(PF_LOSS_HTTP_TABLE);
		s->flags |= PF_SOCK_NOT_HTTP;
		return 0;
	}
	http = bpf_map_lookup_elem(&http_sockets, &w->sock);
	if (http)
		s->flags |= PF_SOCK_HTTP;
	return http;
}

/* Whether the message begins like a head, where that cannot be told from the place in the stream. */
static __always_inline bool find_head(struct pf_http *http, struct http_walk *w)
{
	struct pf_http_framing framing = {};
	__u32 got = read_message(w, 0, PF_HTTP_FIRST_BYTES);

	if (got == 0 ||
	    pf_http_begins(&framing, &w->buffer, got, w->role == PF_HTTP_REQUESTS) != PF_HTTP_YES)
		return false;
	if (w->role == PF_HTTP_RESPONSES) {
		if (http->responses != http->requests)
			http->responses = http->requests - 1;
	} else if (http->ways[PF_HTTP_RESPONSES].state <= PF_HTTP_START) {
		/* What was asked before is answered, or lost. */
		http->responses = http->requests;
		http->ways[PF_HTTP_RESPONSES].state = PF_HTTP_START;
		http->ways[PF_HTTP_RESPONSES].bytes = 0;
	}
	way_of(http, w)->state = PF_HTTP_START;
	return true;
}

/* A client that asked before sending a body (Expect) and was answered instead may go on with its next request. */
static __always_inline bool body_may_be_left_out(struct pf_http *http, struct http_walk *w)
{
	struct pf_http_way *way = way_of(http, w);

	return way->state == PF_HTTP_IN_BODY && w->role == PF_HTTP_REQUESTS &&
	       way->left == way->framing.length && http->responses == http->requests;
}

static __always_inline void forget_http(__u64 sock, struct pf_socket *s)
{
	bpf_map_delete_elem(&http_sockets, &sock);
	s->flags = (s->flags & ~PF_SOCK_HTTP) | PF_SOCK_NOT_HTTP;
}

/*
 * A connection that was followed before messages were left out for a while: it is met anew, like one from before the
 * programs, unless it had more requests than ordinals, so that some would come twice.
 */
static __always_inline bool meet_again(__u64 sock, struct pf_socket *s, struct pf_http *http)
{
	if ((__s32)(first_ordinal(messages_epoch()) - http->requests) < 0) {
		forget_http(sock, s);
		return false;
	}
	bpf_map_delete_elem(&http_sockets, &sock);
	s->flags = (s->flags & ~(PF_SOCK_HTTP | PF_SOCK_LOOKED | PF_SOCK_LOOKED << 1)) & (PF_SOCK_LOOKS - 1);
	return true;
}

/* A message of nothing but empty chunks takes more steps than that; whoever sends such is not followed to its end. */
#define PF_HTTP_MOST_STEPS 16384

static __always_inline void follow_http(struct sock *sk, struct pf_socket *s, __u32 bytes, int direction, int flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 which = direction & 1, position;
	struct http_context c = {};
	struct pf_http_way *way;
	struct http_walk *w;

	if (task->flags & PF_KTHREAD)
		return;
	count_run(PF_RUN_HTTP);
	w = bpf_map_lookup_elem(&http_walks, &which);
	if (!w)
		return;
	w->sock = (__u64)sk;
	w->size = bytes;
	w->at = w->part = w->part_at = 0;
	w->over = w->read = 0;
	w->now = bpf_ktime_get_boot_ns();
	w->part_count = flags & PF_MSG_TRUNC ? 0 : parts_of_call(w->parts);
	w->cursor.filled = w->cursor.scanned = w->cursor.line = w->repeated = 0;
	if (s->flags & PF_SOCK_HTTP) {
		c.http = bpf_map_lookup_elem(&http_sockets, &w->sock);
		/* User space found that this is no HTTP. */
		if (!c.http || c.http->cookie != flow_cookie(s)) {
			forget_http(w->sock, s);
			return;
		}
		if (c.http->epoch != messages_epoch()) {
			if (!meet_again(w->sock, s, c.http))
				return;
			c.http = 0;
		}
	}
	if (!c.http) {
		c.http = meet_http(s, w, direction);
		if (!c.http)
			return;
	}
	c.walk = w;
	w->role = (c.http->side == PF_HTTP_SERVER) == (direction == PF_RECEIVED) ? PF_HTTP_REQUESTS : PF_HTTP_RESPONSES;
	way = way_of(c.http, w);
	position = stream_position(sk, direction);
	if (way->position && position - bytes != way->position)
		take_gap(c.http, w, position - bytes - way->position);
	way->position = position;
	if (way->state == PF_HTTP_LOST || body_may_be_left_out(c.http, w)) {
		if (!find_head(c.http, w) && way->state == PF_HTTP_LOST)
			return;
	}
	if (way->state == PF_HTTP_IN_HEAD) {
		__builtin_memcpy(w->buffer.bytes, way->line, PF_HTTP_CARRY);
		w->cursor.filled = w->cursor.scanned = w->repeated = way->carried;
	}
	bpf_loop(PF_HTTP_MOST_STEPS, http_step, &c, 0);
	if (w->over)
		forget_http(w->sock, s);
	else if (w->at < bytes && way->state != PF_HTTP_REST && way->state != PF_HTTP_LOST)
		lose_way(c.http, w);
}

/* A message of a TCP socket, after it was counted. What is no HTTP costs the look at the flags. */
static __always_inline void http_message(struct sock *sk, struct pf_socket *s, __u32 bytes, int direction, int flags)
{
	if (s->flags & (PF_SOCK_NOT_HTTP | PF_SOCK_DROPPED))
		return;
	if (!(s->flags & PF_SOCK_HTTP) && s->flags & looked_bit(direction))
		return;
	follow_http(sk, s, bytes, direction, flags);
}

/* The peer has sent all: the end of a response that has no length. */
static __noinline int http_eof(struct sock *sk, struct pf_socket *s)
{
	__u32 which = PF_RECEIVED;
	__u64 key = (__u64)sk;
	struct pf_http *http;
	struct http_walk *w;

	if (!sk || !s || !((sk->__sk_common.skc_flags >> PF_SOCK_DONE_BIT) & 1))
		return 0;
	http = bpf_map_lookup_elem(&http_sockets, &key);
	w = bpf_map_lookup_elem(&http_walks, &which);
	if (!http || !w || http->cookie != flow_cookie(s) || http->side != PF_HTTP_CLIENT ||
	    http->epoch != messages_epoch())
		return 0;
	w->sock = key;
	w->role = PF_HTTP_RESPONSES;
	w->now = bpf_ktime_get_boot_ns();
	w->read = 0;
	if (http->ways[PF_HTTP_RESPONSES].state == PF_HTTP_REST)
		message_done(http, w);
	return 0;
}

/*
 * The connection ends, or its process lets go of it. Tells what is under way. `in_process`: the process does it, and not
 * an interrupt.
 */
static __noinline int http_closed(__u64 sock, struct pf_socket *s, bool in_process)
{
	struct pf_http *http = bpf_map_lookup_elem(&http_sockets, &sock);
	struct pf_http_way *request, *response;
	struct pf_http_record *r;

	if (!s)
		return 0;
	/* Of what was not followed to here nobody knows how it ended. */
	if (!http || http->cookie != flow_cookie(s) || http->epoch != messages_epoch())
		goto forget;
	request = &http->ways[PF_HTTP_REQUESTS];
	response = &http->ways[PF_HTTP_RESPONSES];
	if (http->requests == http->responses && request->state <= PF_HTTP_START)
		goto forget;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_loss(PF_LOSS_RING_HTTP);
		goto forget;
	}
	fill_http(r, http, sock, PF_HTTP_CLOSED, bpf_ktime_get_boot_ns());
	if (!in_process) {
		__builtin_memset(&r->process, 0, sizeof(r->process));
		r->tid = 0;
	}
	r->ordinal = http->responses;
	if (in_process && readings_wanted(http)) {
		r->flags |= PF_HTTP_READING;
		read_spending(&r->reading);
		read_peak(http, &r->reading);
	}
	if (response->state > PF_HTTP_START) {
		fill_way(r, response);
		r->status = response->framing.status;
		if (response->state == PF_HTTP_REST)
			r->flags |= PF_HTTP_UNTIL_CLOSE;
	}
	if (request->state > PF_HTTP_START)
		r->body_bytes = request->bytes;
	bpf_ringbuf_submit(r, wake_flag());
forget:
	forget_http(sock, s);
	return 0;
}

#endif
