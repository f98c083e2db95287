/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * HTTP/1 connections, followed in the calls that move their bytes: there the beginning of a message lies in the memory
 * of the process that sends or takes it, in the order of the stream, and `current` is who does it. Heads of requests go
 * over to user space. Of bodies, and of the heads of responses, only the framing is read.
 */
#ifndef PROCFLOW_HTTP_H
#define PROCFLOW_HTTP_H

#include "edges.h"
#include "socket_state.h"
#include "system_call.h"
#include "http_scan.h"

enum pf_http_state {
	PF_HTTP_LOST,  /* not known where the stream is: the next message that begins like a head is taken as one */
	PF_HTTP_START, /* a head is to come */
	PF_HTTP_IN_HEAD,
	PF_HTTP_IN_BODY, /* of known length */
	PF_HTTP_IN_CHUNK,
	PF_HTTP_CHUNK_SIZE,
	PF_HTTP_TRAILER,
	PF_HTTP_REST, /* a body until the connection closes */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct pf_http);
} http_sockets SEC(".maps");

/*
 * A message, as far as it was followed. It lies in a map and not on the stack: there the verifier would tell one number
 * from another, and never see an end of the cases.
 */
struct http_walk {
	struct pf_http_record record; /* the buffer's bytes go over behind it */
	struct pf_http_buffer buffer;
	struct pf_http_cursor cursor; /* in the buffer */
	__u32 repeated; /* bytes of the buffer that come from the line which the last message ended in */
	__u32 role;
	__u32 size;
	__u32 at;   /* bytes of the message that were taken */
	__u32 part; /* where `at` is or which lies before it, and how many bytes the parts before that one have */
	__u32 part_at;
	__u32 part_count;
	__u32 over; /* nothing is to be followed any more */
	__u32 read; /* the record has a reading of now */
	__u64 sock;
	__u64 now;
	struct pf_part parts[PF_MESSAGE_PARTS]; /* where the process has the message */
	struct pf_http fresh;
};

/* One for each of the two programs, which may interrupt each other. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct http_walk);
} http_walks SEC(".maps");

struct http_context {
	struct pf_http *http;
	struct http_walk *walk;
};

static __always_inline struct pf_http_way *way_of(struct pf_http *http, struct http_walk *w)
{
	return &http->ways[w->role & 1];
}

static __always_inline void fill_http(struct pf_http_record *r, struct pf_http *http, __u64 sock,
				      enum pf_http_event event, __u64 now)
{
	struct task_struct *task = bpf_get_current_task_btf();

	__builtin_memset(r, 0, __builtin_offsetof(struct pf_http_record, reading));
	r->record = PF_RECORD_HTTP;
	r->event = event;
	r->side = http->side;
	r->time_ns = now;
	r->cookie = http->cookie;
	r->sock = sock;
	r->tid = task->pid;
	process_of(task, &r->process);
	__builtin_memcpy(r->thread_name, task->comm, sizeof(r->thread_name));
}

/* What `current` has spent. */
static __always_inline void read_spending(struct pf_reading *to)
{
	struct task_struct *task = bpf_get_current_task_btf();

	to->threads = read_group_usage(&to->process);
	read_thread_usage(task, &to->thread);
	to->memory_pages = resident_pages(task);
	to->peak_pages = PF_UNKNOWN;
}

/* What an exchange costs is what it costs its server. */
static __always_inline bool readings_wanted(struct pf_http *http)
{
	return http->side == PF_HTTP_SERVER && edges_wanted();
}

/* One reading serves all that begins and ends in one message. */
static __always_inline bool read_for_message(struct pf_http *http, struct http_walk *w)
{
	if (!readings_wanted(http))
		return false;
	if (!w->read)
		read_spending(&w->record.reading);
	w->read = 1;
	return true;
}

/* The highest memory since the first byte of the request that the next response answers. */
static __always_inline void read_peak(struct pf_http *http, struct pf_reading *to)
{
	if (http->requests - http->responses <= PF_HTTP_WINDOWS)
		to->peak_pages = highest_since(find_group(bpf_get_current_task_btf()),
					       http->windows[http->responses % PF_HTTP_WINDOWS], to->memory_pages);
}

static __always_inline void fill_way(struct pf_http_record *r, const struct pf_http_way *way)
{
	r->start_ns = way->start_ns;
	r->end_ns = way->last_ns;
	r->bytes = way->bytes;
}

__noinline int report_request_end(struct pf_http *http, struct http_walk *w)
{
	struct pf_http_record *r;

	if (!http || !w)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_loss(PF_LOSS_RING_HTTP);
		return 0;
	}
	fill_http(r, http, w->sock, PF_HTTP_REQUEST_ENDED, w->now);
	fill_way(r, way_of(http, w));
	r->ordinal = http->requests - 1;
	bpf_ringbuf_submit(r, wake_flag());
	return 0;
}

/* `flags` may have PF_HTTP_UPGRADED. */
__noinline int report_response_end(struct pf_http *http, struct http_walk *w, __u32 flags)
{
	struct pf_http_record *r;
	struct pf_http_way *way;

	if (!http || !w)
		return 0;
	way = way_of(http, w);
	if (read_for_message(http, w))
		flags |= PF_HTTP_READING;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_loss(PF_LOSS_RING_HTTP);
		return 0;
	}
	fill_http(r, http, w->sock, PF_HTTP_RESPONSE_ENDED, w->now);
	fill_way(r, way);
	r->ordinal = http->responses;
	r->status = way->framing.status;
	r->flags = flags;
	__builtin_memcpy(&r->reading, &w->record.reading, sizeof(r->reading));
	if (flags & PF_HTTP_READING)
		read_peak(http, &r->reading);
	bpf_ringbuf_submit(r, wake_flag());
	return 0;
}

static __always_inline void message_done(struct pf_http *http, struct http_walk *w)
{
	struct pf_http_way *way = way_of(http, w);

	way->last_ns = w->now;
	way->state = PF_HTTP_START;
	if (w->role == PF_HTTP_REQUESTS) {
		report_request_end(http, w);
	} else if (http->responses != http->requests) {
		report_response_end(http, w, 0);
		http->responses++;
	}
	way->bytes = 0;
}

/* The stream cannot be followed any further. */
static __always_inline void lose_way(struct pf_http *http, struct http_walk *w)
{
	struct pf_http_way *way = way_of(http, w);

	count_loss(PF_LOSS_HTTP_UNREAD);
	if (w->role == PF_HTTP_REQUESTS)
		http->shifted = 1;
	way->state = PF_HTTP_LOST;
	way->bytes = 0;
}

/* Copies bytes of the message, from `at` on, to the buffer; as many as lie in one piece, at most `want`. 0: none. */
__noinline int read_message(struct http_walk *w, __u32 to, __u32 want)
{
	__u64 from = 0, length = 0;
	__u32 part, part_at, at;

	if (!w)
		return 0;
	part = w->part;
	part_at = w->part_at;
	at = w->at;
	if (at < part_at)
		part = part_at = 0;
	for (int i = 0; i < PF_MESSAGE_PARTS; i++) {
		if (part >= w->part_count)
			return 0;
		from = w->parts[part & (PF_MESSAGE_PARTS - 1)].base;
		length = w->parts[part & (PF_MESSAGE_PARTS - 1)].length;
		if (at - part_at < length)
			break;
		part_at += length;
		part++;
	}
	w->part = part;
	w->part_at = part_at;
	at -= part_at;
	if (at >= length)
		return 0;
	if (want > length - at)
		want = length - at;
	if (want > w->size - w->at)
		want = w->size - w->at;
	if (want == 0 || want > PF_HTTP_WINDOW)
		return 0;
	if (bpf_probe_read_user(&pf_at(w->buffer.bytes, to), want, (const void *)(from + at)))
		return 0;
	return want;
}

/* Gives user space what the buffer has of a request's head. */
__noinline int report_head(struct pf_http *http, struct http_walk *w, __u32 flags)
{
	struct pf_http_record *r;
	struct pf_http_way *way;
	__u32 bytes, room, window;

	if (!http || !w)
		return 0;
	r = &w->record;
	way = way_of(http, w);
	bytes = w->cursor.scanned;
	room = PF_HTTP_HEAD_BYTES - way->head_bytes + w->repeated;
	if (way->head_bytes == 0) {
		flags |= PF_HTTP_FIRST;
		window = 0;
		if (read_for_message(http, w)) {
			flags |= PF_HTTP_READING;
			window = open_window(windows_of(bpf_get_current_task_btf()), w->record.reading.memory_pages);
		}
		http->windows[http->requests % PF_HTTP_WINDOWS] = window;
	}
	if (bytes > room) {
		bytes = room;
		flags |= PF_HTTP_CUT;
	}
	if (bytes <= w->repeated && !(flags & PF_HTTP_LAST))
		return 0;
	if (http->shifted)
		flags |= PF_HTTP_SHIFTED;
	fill_http(r, http, w->sock, PF_HTTP_HEAD, w->now);
	fill_way(r, way);
	r->ordinal = http->requests;
	r->flags = flags;
	r->repeated_bytes = w->repeated;
	r->data_bytes = bytes;
	r->body = pf_http_request_body(&way->framing);
	r->body_bytes = way->framing.length;
	way->head_bytes += bytes - w->repeated;
	if (bytes > PF_HTTP_CARRY + PF_HTTP_HEAD_BYTES)
		return 0;
	if (bpf_ringbuf_output(&ring, r, sizeof(*r) + bytes, wake_flag()))
		count_loss(PF_LOSS_RING_HTTP);
	return 0;
}

/* The buffer is used up, or the message: keeps the line that is under way, for later and at the buffer's beginning. */
__noinline int carry_line(struct pf_http *http, struct http_walk *w)
{
	struct pf_http_way *way;
	__u32 length;

	if (!http || !w)
		return 0;
	way = way_of(http, w);
	if (w->role == PF_HTTP_REQUESTS)
		report_head(http, w, 0);
	length = w->cursor.filled - w->cursor.line;
	if (length > PF_HTTP_CARRY || way->framing.flags & PF_HTTP_LONG_LINE) {
		way->framing.flags |= PF_HTTP_LONG_LINE;
		length = 0;
	}
	/* All of it, however long the line is; what is not its own does no harm. */
	for (__u32 i = 0; i < PF_HTTP_CARRY; i += 8) {
		__u64 word = pf_load64(&pf_at(w->buffer.bytes, w->cursor.line + i));

		*(__u64 *)(way->line + i) = word;
		*(__u64 *)(w->buffer.bytes + i) = word;
	}
	way->carried = w->cursor.filled = w->cursor.scanned = w->repeated = length;
	w->cursor.line = 0;
	return 0;
}

/* What there is to know of the request that the next response answers. */
static __always_inline __u8 request_flags(struct pf_http *http)
{
	__u64 bit = 1ull << (http->responses & 63);

	if (http->responses == http->requests)
		return 0;
	return (http->heads & bit ? PF_HTTP_IS_HEAD : 0) | (http->connects & bit ? PF_HTTP_IS_CONNECT : 0);
}

/* Takes a body of known length, when all of it has come with the same message. */
static __always_inline bool take_body(struct pf_http *http, struct http_walk *w, struct pf_http_way *way)
{
	__u64 left = way->framing.length;

	if (left > w->size - w->at) {
		way->left = left;
		way->state = PF_HTTP_IN_BODY;
		return false;
	}
	way->bytes += left;
	w->at += left;
	way->state = PF_HTTP_START;
	return true;
}

static __always_inline void begin_body(struct pf_http *http, struct http_walk *w, struct pf_http_way *way, enum pf_http_body body)
{
	way->left = 0;
	way->mark = 0;
	if (body == PF_HTTP_BODY_CHUNKED)
		way->state = PF_HTTP_CHUNK_SIZE;
	else if (body == PF_HTTP_BODY_UNTIL_CLOSE)
		way->state = PF_HTTP_REST;
	else
		lose_way(http, w);
}

__noinline int request_head_done(struct pf_http *http, struct http_walk *w)
{
	__u32 flags = PF_HTTP_LAST;
	struct pf_http_way *way;
	enum pf_http_body body;
	__u64 bit;

	if (!http || !w)
		return 0;
	way = way_of(http, w);
	bit = 1ull << (http->requests & 63);
	http->heads &= ~bit;
	http->connects &= ~bit;
	if (way->framing.flags & PF_HTTP_IS_HEAD)
		http->heads |= bit;
	if (way->framing.flags & PF_HTTP_IS_CONNECT)
		http->connects |= bit;
	body = pf_http_request_body(&way->framing);
	if (body == PF_HTTP_BODY_LENGTH && take_body(http, w, way))
		flags |= PF_HTTP_WHOLE;
	report_head(http, w, flags);
	http->requests++;
	if (body != PF_HTTP_BODY_LENGTH)
		begin_body(http, w, way, body);
	return 0;
}

__noinline int response_head_done(struct pf_http *http, struct http_walk *w)
{
	struct pf_http_way *way;
	enum pf_http_body body;
	__u8 asked;

	if (!http || !w)
		return 0;
	way = way_of(http, w);
	asked = request_flags(http);
	if (way->framing.status == 101 ||
	    (asked & PF_HTTP_IS_CONNECT && way->framing.status >= 200 && way->framing.status < 300)) {
		w->over = true;
		if (http->responses != http->requests)
			report_response_end(http, w, PF_HTTP_UPGRADED);
		return 0;
	}
	if (way->framing.status < 200) {
		way->state = PF_HTTP_START; /* its bytes count for the final response */
		return 0;
	}
	body = pf_http_response_body(&way->framing, asked);
	if (body != PF_HTTP_BODY_LENGTH)
		begin_body(http, w, way, body);
	else if (take_body(http, w, way))
		message_done(http, w);
	return 0;
}

/* Reads on in a head; false when there is nothing to look at in the buffer. */
static __always_inline bool read_head(struct pf_http *http, struct http_walk *w, struct pf_http_way *way)
{
	__u32 got = read_message(w, w->cursor.filled, PF_HTTP_WINDOW);

	if (got == 0) {
		lose_way(http, w);
		w->at = w->size;
		return false;
	}
	if (way->state == PF_HTTP_START) {
		if (w->buffer.bytes[0] == '\r' || w->buffer.bytes[0] == '\n') {
			w->at++; /* an empty line before a head is nothing */
			return false;
		}
		__builtin_memset(&way->framing, 0, sizeof(way->framing));
		way->start_ns = w->now;
		way->head_bytes = 0;
		way->state = PF_HTTP_IN_HEAD;
		if (w->role == PF_HTTP_REQUESTS)
			way->bytes = 0;
	}
	way->last_ns = w->now;
	way->bytes += got;
	w->at += got;
	w->cursor.filled += got;
	return true;
}

/* A head, a window at a time. */
__noinline int head_step(struct pf_http *http, struct http_walk *w)
{
	struct pf_http_way *way;
	__u32 behind;
	int match;

	if (!http || !w)
		return 0;
	way = way_of(http, w);
	if (w->cursor.scanned >= w->cursor.filled) {
		if (w->at >= w->size || w->cursor.filled >= PF_HTTP_CARRY + PF_HTTP_HEAD_BYTES)
			return carry_line(http, w);
		if (!read_head(http, w, way))
			return 0;
	}
	if (!(way->framing.flags & PF_HTTP_RECOGNISED)) {
		match = pf_http_begins(&way->framing, &w->buffer, w->cursor.filled, w->role == PF_HTTP_REQUESTS);
		if (match == PF_HTTP_NO) {
			w->at = w->size;
			if (http->requests == 0)
				w->over = true; /* it only began like HTTP */
			else if (w->role == PF_HTTP_RESPONSES && http->responses == 0)
				way->state = PF_HTTP_LOST; /* no HTTP is answered */
			else
				lose_way(http, w);
			return 0;
		}
		if (match == PF_HTTP_YES)
			way->framing.flags |= PF_HTTP_RECOGNISED;
	}
	if (!pf_http_scan(&way->framing, &w->buffer, &w->cursor))
		return 0;
	/* What was read behind the head is body, or the next head. */
	behind = w->cursor.filled - w->cursor.scanned;
	w->at -= behind;
	way->bytes -= behind;
	if (w->role == PF_HTTP_REQUESTS)
		request_head_done(http, w);
	else
		response_head_done(http, w);
	w->cursor.filled = w->cursor.scanned = w->cursor.line = w->repeated = 0;
	return 0;
}

/* The framing of a chunked body, a window at a time. */
__noinline int chunk_step(struct pf_http *http, struct http_walk *w)
{
	struct pf_http_chunk chunk = {};
	struct pf_http_way *way;
	__u32 got;
	int line;

	if (!http || !w)
		return 0;
	way = way_of(http, w);
	got = read_message(w, 0, PF_HTTP_CHUNK_WINDOW);
	if (got == 0) {
		w->at = w->size;
		lose_way(http, w);
		return 0;
	}
	chunk.size = way->left;
	chunk.digits = way->mark;
	line = way->state == PF_HTTP_TRAILER ? pf_http_trailer(&chunk, &w->buffer, got) :
					       pf_http_chunk_size(&chunk, &w->buffer, got);
	way->left = chunk.size;
	way->mark = chunk.digits;
	way->bytes += chunk.taken;
	w->at += chunk.taken;
	if (line == PF_HTTP_LINE_MORE)
		return 0;
	if (line == PF_HTTP_LINE_BAD) {
		w->at = w->size;
		lose_way(http, w);
		return 0;
	}
	way->mark = 0;
	if (way->state == PF_HTTP_TRAILER) {
		message_done(http, w);
	} else if (way->left == 0) {
		way->state = PF_HTTP_TRAILER;
	} else {
		way->left += 2; /* and the end of line behind the chunk */
		way->state = PF_HTTP_IN_CHUNK;
	}
	return 0;
}

/* Goes over `bytes` of a body or a chunk without reading them, and returns how many of them lie behind it. */
static __always_inline __u32 skip_body(struct pf_http *http, struct http_walk *w, struct pf_http_way *way, __u32 bytes)
{
	__u32 taken = way->left < bytes ? way->left : bytes;

	way->left -= taken;
	way->bytes += taken;
	if (way->left == 0) {
		if (way->state == PF_HTTP_IN_BODY)
			message_done(http, w);
		else
			way->state = PF_HTTP_CHUNK_SIZE;
	}
	return bytes - taken;
}

static long http_step(__u32 index, struct http_context *c)
{
	struct pf_http *http = c->http;
	struct http_walk *w = c->walk;
	struct pf_http_way *way = way_of(http, w);
	__u32 bytes = w->size - w->at;

	if (w->over)
		return 1;
	/* The line that the message ends in has still to be kept. */
	if (bytes == 0 && (way->state != PF_HTTP_IN_HEAD || w->cursor.filled == w->repeated))
		return 1;
	switch (way->state) {
	case PF_HTTP_START:
	case PF_HTTP_IN_HEAD:
		head_step(http, w);
		return 0;
	case PF_HTTP_IN_BODY:
	case PF_HTTP_IN_CHUNK:
		way->last_ns = w->now;
		w->at = w->size - skip_body(http, w, way, bytes);
		return 0;
	case PF_HTTP_CHUNK_SIZE:
	case PF_HTTP_TRAILER:
		way->last_ns = w->now;
		chunk_step(http, w);
		return 0;
	case PF_HTTP_REST:
		way->last_ns = w->now;
		way->bytes += bytes;
		return 1;
	default:
		return 1;
	}
}

/*
 * Bytes that no hook showed lie between the last message and this one: what was spliced out of the socket, or a message
 * that met a program at work. They are no loss where they are body.
 */
static __always_inline void take_gap(struct pf_http *http, struct http_walk *w, __u32 gap)
{
	struct pf_http_way *way = way_of(http, w);

	if (way->state == PF_HTTP_REST) {
		way->bytes += gap;
		return;
	}
	if (way->state == PF_HTTP_IN_BODY || way->state == PF_HTTP_IN_CHUNK)
		gap = skip_body(http, w, way, gap);
	if (gap && way->state != PF_HTTP_LOST)
		lose_way(http, w);
}

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
