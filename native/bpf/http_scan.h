/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Where an HTTP/1 message begins, where its head ends, and how long its body is (RFC 9112): as little as must be known
 * to follow a connection without reading what it carries. Plain C without calls, so that tests and the fuzzer run it
 * outside of the kernel, beside the addon's parser of requests.
 *
 * Nothing here judges: what is no HTTP after all is for the parser to find.
 */
#ifndef PROCFLOW_HTTP_SCAN_H
#define PROCFLOW_HTTP_SCAN_H

#include "wire.h"

/* Bytes of a head that are read of a process at one time. */
#define PF_HTTP_WINDOW 512
/*
 * A head is gathered in a buffer of this size, of which PF_HTTP_CARRY + PF_HTTP_HEAD_BYTES + PF_HTTP_WINDOW are used:
 * a power of two, so that a mask shows the verifier that an index is within, and room for a window behind any of them.
 */
#define PF_HTTP_BUFFER 8192u
struct pf_http_buffer {
	pf_u8 bytes[PF_HTTP_BUFFER + PF_HTTP_WINDOW];
};
#define pf_at(data, index) ((data)[(index) & (PF_HTTP_BUFFER - 1)])

/* Where a head is being looked at: bytes[scanned..filled) are to come, the line under way begins at `line`. */
struct pf_http_cursor {
	pf_u32 filled;
	pf_u32 scanned;
	pf_u32 line;
};
/* What is needed to tell that a message begins: the longest method, a space, and a byte of the target. */
#define PF_HTTP_LONGEST_METHOD 17u
#define PF_HTTP_FIRST_BYTES (PF_HTTP_LONGEST_METHOD + 2)

enum pf_http_match { PF_HTTP_NO, PF_HTTP_MAYBE, PF_HTTP_YES };

#define PF_HTTP_HAS_LENGTH 1u
#define PF_HTTP_HAS_CODING 2u
#define PF_HTTP_CHUNKED 4u
#define PF_HTTP_BAD 8u         /* the length is contradictory, or no number */
#define PF_HTTP_RECOGNISED 16u /* the first line is one of HTTP */
#define PF_HTTP_IS_HEAD 32u
#define PF_HTTP_IS_CONNECT 64u
#define PF_HTTP_LONG_LINE 128u /* the line under way began too far back to be read */

#define PF_INLINE static __inline__ __attribute__((always_inline))
/* The verifier looks at such a function once, by itself, instead of at each call: its pointers may be null to it. */
#ifdef __bpf__
#define PF_APART __attribute__((noinline))
#else
#define PF_APART static __inline__
#endif

/* A word at an address that need not be aligned. */
PF_INLINE pf_u64 pf_load64(const pf_u8 *from)
{
#ifdef __bpf__
	return *(const pf_u64 *)from;
#else
	pf_u64 word;

	__builtin_memcpy(&word, from, sizeof(word));
	return word;
#endif
}

/* Eight characters as they are loaded: little endian, as both architectures whose registers are read are. */
#define PF_WORD(a, b, c, d, e, f, g, h)                                                                               \
	((pf_u64)(a) | (pf_u64)(b) << 8 | (pf_u64)(c) << 16 | (pf_u64)(d) << 24 | (pf_u64)(e) << 32 |                 \
	 (pf_u64)(f) << 40 | (pf_u64)(g) << 48 | (pf_u64)(h) << 56)
#define PF_LOWER 0x2020202020202020ull
#define PF_SEVEN_BYTES 0x00ffffffffffffffull

/*
 * Whether a request begins with these bytes. Many protocols have a command in capitals and a space. Here a path follows,
 * an asterisk, a URI with its scheme, or after CONNECT a host.
 */
PF_INLINE enum pf_http_match pf_http_request(struct pf_http_framing *framing, const pf_u8 *line, pf_u32 length)
{
	pf_u32 i;
	pf_u8 c;

	for (i = 0; i <= PF_HTTP_LONGEST_METHOD; i++) {
		if (i >= length)
			return PF_HTTP_MAYBE;
		c = line[i];
		if (c == ' ')
			break;
		if ((c < 'A' || c > 'Z') && c != '-' && c != '_')
			return PF_HTTP_NO;
	}
	if (i == 0 || i > PF_HTTP_LONGEST_METHOD)
		return PF_HTTP_NO;
	if (i + 1 >= length)
		return PF_HTTP_MAYBE;
	if (i == 7 && (pf_load64(line) & PF_SEVEN_BYTES) == PF_WORD('C', 'O', 'N', 'N', 'E', 'C', 'T', 0)) {
		framing->flags |= PF_HTTP_IS_CONNECT;
		return PF_HTTP_YES;
	}
	c = line[i + 1];
	if (c != '/' && c != '*' && (c | 0x20) != 'h')
		return PF_HTTP_NO;
	if (i == 4 && line[0] == 'H' && line[1] == 'E' && line[2] == 'A' && line[3] == 'D')
		framing->flags |= PF_HTTP_IS_HEAD;
	return PF_HTTP_YES;
}

#define PF_HTTP_STATUS_BYTES 12u /* up to the status code */

/* Whether a response begins with these bytes, and its status. */
PF_INLINE enum pf_http_match pf_http_response(struct pf_http_framing *framing, const pf_u8 *line, pf_u32 length)
{
	pf_u64 mask = length < 7 ? (1ull << (8 * length)) - 1 : PF_SEVEN_BYTES;

	if (((pf_load64(line) ^ PF_WORD('H', 'T', 'T', 'P', '/', '1', '.', 0)) & mask) != 0)
		return PF_HTTP_NO;
	if (length < PF_HTTP_STATUS_BYTES)
		return PF_HTTP_MAYBE;
	if (line[7] < '0' || line[7] > '9' || line[8] != ' ' || line[9] < '1' || line[9] > '9' || line[10] < '0' ||
	    line[10] > '9' || line[11] < '0' || line[11] > '9')
		return PF_HTTP_NO;
	framing->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
	return PF_HTTP_YES;
}

/* Whether a message begins at the buffer's first byte; notes in `framing` what its first line says of it. */
PF_APART int pf_http_begins(struct pf_http_framing *framing, const struct pf_http_buffer *buffer, pf_u32 length,
			    int is_request)
{
	if (!framing || !buffer)
		return PF_HTTP_NO;
	return is_request ? pf_http_request(framing, buffer->bytes, length) :
			    pf_http_response(framing, buffer->bytes, length);
}

PF_INLINE int pf_is_blank(pf_u8 c)
{
	return c == ' ' || c == '\t';
}

#define PF_HTTP_MOST_BLANKS 16u

/* How many blanks bytes[at..end) begins with, or ends with when `back`. */
PF_APART int pf_http_blanks(const struct pf_http_buffer *buffer, pf_u32 at, pf_u32 end, int back)
{
	pf_u32 i;

	if (!buffer)
		return 0;
	for (i = 0; i < PF_HTTP_MOST_BLANKS && i < end - at; i++)
		if (!pf_is_blank(pf_at(buffer->bytes, back ? end - 1 - i : at + i)))
			break;
	return i;
}

#define PF_HTTP_LENGTH_DIGITS 15u /* as many as a double holds */

/* Takes in a header line, bytes[at..end) without its end of line, when it is one of the two that tell of the body. */
PF_APART int pf_http_field(struct pf_http_framing *framing, const struct pf_http_buffer *buffer, pf_u32 at, pf_u32 end)
{
	pf_u64 name, rest, number = 0;
	const pf_u8 *data;
	pf_u32 i;

	if (!framing || !buffer)
		return 0;
	data = buffer->bytes;
	name = pf_load64(&pf_at(data, at)) | PF_LOWER;
	rest = pf_load64(&pf_at(data, at + 8)) | PF_LOWER;
	if (end - at >= 15 && name == PF_WORD('c', 'o', 'n', 't', 'e', 'n', 't', '-') &&
	    (rest & PF_SEVEN_BYTES) == PF_WORD('l', 'e', 'n', 'g', 't', 'h', ':', 0))
		at += 15;
	else if (end - at >= 18 && name == PF_WORD('t', 'r', 'a', 'n', 's', 'f', 'e', 'r') &&
		 rest == PF_WORD('-', 'e', 'n', 'c', 'o', 'd', 'i', 'n') && (pf_at(data, at + 16) | 0x20) == 'g' &&
		 pf_at(data, at + 17) == ':')
		at += 18;
	else
		return 0;
	at += pf_http_blanks(buffer, at, end, 0);
	end -= pf_http_blanks(buffer, at, end, 1);
	if (name == PF_WORD('t', 'r', 'a', 'n', 's', 'f', 'e', 'r')) {
		/* The last coding counts, also over several lines. */
		framing->flags |= PF_HTTP_HAS_CODING;
		framing->flags &= ~PF_HTTP_CHUNKED;
		if (end - at < 7 || ((pf_load64(&pf_at(data, end - 7)) | PF_LOWER) & PF_SEVEN_BYTES) !=
					    PF_WORD('c', 'h', 'u', 'n', 'k', 'e', 'd', 0))
			return 0;
		if (end - at == 7 || pf_at(data, end - 8) == ',' || pf_is_blank(pf_at(data, end - 8)))
			framing->flags |= PF_HTTP_CHUNKED;
		return 0;
	}
	if (framing->flags & PF_HTTP_HAS_LENGTH || at == end || end - at > PF_HTTP_LENGTH_DIGITS)
		framing->flags |= PF_HTTP_BAD;
	framing->flags |= PF_HTTP_HAS_LENGTH;
	for (i = 0; i < PF_HTTP_LENGTH_DIGITS && at < end; i++, at++) {
		if (pf_at(data, at) < '0' || pf_at(data, at) > '9')
			framing->flags |= PF_HTTP_BAD;
		number = number * 10 + (pf_at(data, at) - '0');
	}
	framing->length = number;
	return 0;
}

/* Where in a word there are line feeds: the highest bit of each byte that is one. */
PF_INLINE pf_u64 pf_line_feeds(pf_u64 word)
{
	const pf_u64 low = 0x7f7f7f7f7f7f7f7full;

	word ^= 0x0a0a0a0a0a0a0a0aull;
	return ~(((word & low) + low) | word | low);
}

/* In which byte of a word its lowest bit is, where only the highest bit of each byte may be set. */
PF_INLINE pf_u32 pf_lowest_byte(pf_u64 bits)
{
	return ((bits & -bits) >> 7) * 0x0001020304050607ull >> 56;
}

/* Over how many words and lines one call of pf_http_scan goes: the verifier follows each. */
#define PF_HTTP_SCAN_STEPS 24

/*
 * Looks for the end of a head, and takes in the lines that end on the way. 1 when the head ends right before
 * cursor->scanned; 0 when it goes on. When `scanned` stays short of `filled`, there is more to look at.
 */
PF_APART int pf_http_scan(struct pf_http_framing *framing, const struct pf_http_buffer *buffer,
			  struct pf_http_cursor *cursor)
{
	pf_u32 word, to, start, at, end, i;
	const pf_u8 *data;
	pf_u64 feeds = 0;
	pf_u8 first;

	if (!framing || !buffer || !cursor)
		return 0;
	data = buffer->bytes;
	word = cursor->scanned;
	to = cursor->filled;
	start = cursor->line;
	if (word < to)
		feeds = pf_line_feeds(pf_load64(&pf_at(data, word)));
	for (i = 0; i < PF_HTTP_SCAN_STEPS && word < to; i++) {
		if (feeds == 0) {
			word += 8;
			feeds = pf_line_feeds(pf_load64(&pf_at(data, word)));
			continue;
		}
		at = word + pf_lowest_byte(feeds);
		if (at >= to) {
			word = to;
			break;
		}
		feeds &= feeds - 1;
		end = at > start && pf_at(data, at - 1) == '\r' ? at - 1 : at;
		first = pf_at(data, start) | 0x20;
		if (framing->flags & PF_HTTP_LONG_LINE) {
			framing->flags &= ~PF_HTTP_LONG_LINE;
		} else if (end == start) {
			cursor->scanned = cursor->line = at + 1;
			return 1;
		} else if ((first == 'c' || first == 't') && framing->lines > 0) {
			pf_http_field(framing, buffer, start, end);
		}
		if (framing->lines < 255)
			framing->lines++;
		start = at + 1;
	}
	/* What is left of a word is looked at again. */
	cursor->scanned = word >= to ? to : start > word ? start : word;
	cursor->line = start;
	return 0;
}

enum pf_http_body { PF_HTTP_BODY_LENGTH, PF_HTTP_BODY_CHUNKED, PF_HTTP_BODY_UNTIL_CLOSE, PF_HTTP_BODY_BAD };

/* How long the body of a request is; its length, when it has one, is in framing->length. */
PF_INLINE enum pf_http_body pf_http_request_body(const struct pf_http_framing *framing)
{
	if (framing->flags & PF_HTTP_HAS_CODING)
		return framing->flags & PF_HTTP_CHUNKED ? PF_HTTP_BODY_CHUNKED : PF_HTTP_BODY_BAD;
	return framing->flags & PF_HTTP_BAD ? PF_HTTP_BODY_BAD : PF_HTTP_BODY_LENGTH;
}

/* The same of a response; `framing` has the flags of a request that has no body in its response by itself. */
PF_INLINE enum pf_http_body pf_http_response_body(struct pf_http_framing *framing, pf_u8 request_flags)
{
	pf_u16 status = framing->status;

	if (status < 200 || status == 204 || status == 304 || request_flags & PF_HTTP_IS_HEAD ||
	    (request_flags & PF_HTTP_IS_CONNECT && status < 300)) {
		framing->length = 0;
		return PF_HTTP_BODY_LENGTH;
	}
	if (framing->flags & PF_HTTP_HAS_CODING)
		return framing->flags & PF_HTTP_CHUNKED ? PF_HTTP_BODY_CHUNKED : PF_HTTP_BODY_UNTIL_CLOSE;
	if (framing->flags & PF_HTTP_BAD)
		return PF_HTTP_BODY_BAD;
	return framing->flags & PF_HTTP_HAS_LENGTH ? PF_HTTP_BODY_LENGTH : PF_HTTP_BODY_UNTIL_CLOSE;
}

enum pf_http_line { PF_HTTP_LINE_MORE, PF_HTTP_LINE_END, PF_HTTP_LINE_BAD };

/* Bytes of a chunked body's framing that are read at one time: most size lines are shorter. */
#define PF_HTTP_CHUNK_WINDOW 8u
#define PF_HTTP_CHUNK_DIGITS 14u
#define PF_HTTP_CHUNK_EXTENSION 128u

/* The line with a chunk's size, as far as it was read. */
struct pf_http_chunk {
	pf_u64 size;
	pf_u32 digits; /* and PF_HTTP_CHUNK_EXTENSION behind them */
	pf_u32 taken;  /* bytes that the last call took */
};

/* Goes on in the line that has a chunk's size. */
PF_APART int pf_http_chunk_size(struct pf_http_chunk *chunk, const struct pf_http_buffer *buffer, pf_u32 length)
{
	pf_u32 i, value;

	if (!chunk || !buffer)
		return PF_HTTP_LINE_BAD;
	for (i = 0; i < PF_HTTP_CHUNK_WINDOW && i < length; i++) {
		pf_u8 c = buffer->bytes[i];

		chunk->taken = i + 1;
		if (c == '\n')
			return chunk->digits & ~PF_HTTP_CHUNK_EXTENSION ? PF_HTTP_LINE_END : PF_HTTP_LINE_BAD;
		if (chunk->digits & PF_HTTP_CHUNK_EXTENSION)
			continue;
		if (c == ';' || c == '\r' || pf_is_blank(c)) {
			chunk->digits |= PF_HTTP_CHUNK_EXTENSION;
			continue;
		}
		if (c >= '0' && c <= '9')
			value = c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = (c | 0x20) - 'a' + 10;
		else
			return PF_HTTP_LINE_BAD;
		if (chunk->digits >= PF_HTTP_CHUNK_DIGITS)
			return PF_HTTP_LINE_BAD;
		chunk->size = chunk->size << 4 | value;
		chunk->digits++;
	}
	return PF_HTTP_LINE_MORE;
}

/* Goes on in what follows the last chunk: lines up to an empty one. `digits` counts what the line under way has. */
PF_APART int pf_http_trailer(struct pf_http_chunk *chunk, const struct pf_http_buffer *buffer, pf_u32 length)
{
	pf_u32 i;

	if (!chunk || !buffer)
		return PF_HTTP_LINE_BAD;
	for (i = 0; i < PF_HTTP_CHUNK_WINDOW && i < length; i++) {
		pf_u8 c = buffer->bytes[i];

		chunk->taken = i + 1;
		if (c == '\n') {
			if (chunk->digits == 0)
				return PF_HTTP_LINE_END;
			chunk->digits = 0;
		} else if (c != '\r') {
			chunk->digits = 1;
		}
	}
	return PF_HTTP_LINE_MORE;
}

#endif
