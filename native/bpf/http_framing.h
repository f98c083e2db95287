/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Goes over the bytes of a message: heads, bodies of known length, chunks; and what ends where. */
#ifndef PROCFLOW_HTTP_FRAMING_H
#define PROCFLOW_HTTP_FRAMING_H

#include "http_reports.h"

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

#endif
