#define _GNU_SOURCE
#include "methods.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CHUNK = 65536 };

static char buffer[CHUNK];

static size_t next_size(size_t bytes)
{
	return random_size(1, bytes < CHUNK ? bytes : CHUNK);
}

/* Takes what a call returned; gives what is still to come. */
static size_t took(struct tally *tally, ssize_t n, size_t bytes, const char *call)
{
	if (n < 0)
		fail(call);
	if (n == 0) {
		fprintf(stderr, "the stream ended %zu bytes early\n", bytes);
		exit(1);
	}
	tally_received(tally, n);
	return bytes - (size_t)n;
}

/* What is only looked at is not taken. */
static void peek(struct tally *tally, int fd, size_t bytes)
{
	while (bytes > 0) {
		checked((int)recv(fd, buffer, next_size(bytes), MSG_PEEK), "recv MSG_PEEK");
		bytes = took(tally, read(fd, buffer, next_size(bytes)), bytes, "read");
	}
}

/* TCP throws away what this takes. */
static void truncated(struct tally *tally, int fd, size_t bytes)
{
	while (bytes > 0)
		bytes = took(tally, recv(fd, NULL, next_size(bytes), MSG_TRUNC), bytes, "recv MSG_TRUNC");
}

static void wait_for_all(struct tally *tally, int fd, size_t bytes)
{
	while (bytes > 0)
		bytes = took(tally, recv(fd, buffer, next_size(bytes), MSG_WAITALL), bytes, "recv MSG_WAITALL");
}

static void by_recvmsg(struct tally *tally, int fd, size_t bytes)
{
	while (bytes > 0) {
		size_t size = next_size(bytes), half = size / 2;
		struct iovec parts[] = {{buffer, half}, {buffer + half, size - half}};
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

		bytes = took(tally, recvmsg(fd, &message, 0), bytes, "recvmsg");
	}
}

static void by_splice(struct tally *tally, int fd, size_t bytes)
{
	int ends[2];

	checked(pipe(ends), "pipe");
	while (bytes > 0) {
		ssize_t n = splice(fd, NULL, ends[1], NULL, next_size(bytes), SPLICE_F_MOVE);

		bytes = took(tally, n, bytes, "splice from the socket");
		while (n > 0)
			n -= checked((int)read(ends[0], buffer, (size_t)n), "read from the pipe");
	}
	close(ends[0]);
	close(ends[1]);
}

move_bytes *receive_method(const char *name)
{
	static const struct method methods[] = {
		{"read", read_all},	    {"peek", peek},	    {"trunc", truncated},  {"waitall", wait_for_all},
		{"recvmsg", by_recvmsg}, {"splice", by_splice}, {"uring", uring_receive},
	};

	return find_method(methods, sizeof(methods) / sizeof(methods[0]), name);
}
