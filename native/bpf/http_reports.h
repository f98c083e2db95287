/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What is kept of an HTTP connection, the message that is followed just now, and what user space is told of both. */
#ifndef PROCFLOW_HTTP_REPORTS_H
#define PROCFLOW_HTTP_REPORTS_H

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

#endif
