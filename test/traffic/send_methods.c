#define _GNU_SOURCE
#include "methods.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CHUNK = 200000, PIPE_BYTES = 65536 };

static char buffer[CHUNK];

static size_t next_size(size_t bytes, size_t limit)
{
	return random_size(1, bytes < limit ? bytes : limit);
}

/* A small send buffer makes most of these writes partial. */
static void nonblocking(struct tally *tally, int fd, size_t bytes)
{
	int small = 4096;
	int flags = checked(fcntl(fd, F_GETFL), "F_GETFL");

	checked(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), "SO_SNDBUF");
	checked(fcntl(fd, F_SETFL, flags | O_NONBLOCK), "F_SETFL");
	while (bytes > 0) {
		ssize_t n = write(fd, buffer, bytes < CHUNK ? bytes : CHUNK);
		struct pollfd writable = {.fd = fd, .events = POLLOUT};

		if (n >= 0) {
			tally_sent(tally, n);
			bytes -= (size_t)n;
		} else if (errno == EAGAIN) {
			checked(poll(&writable, 1, -1), "poll");
		} else {
			fail("write");
		}
	}
	checked(fcntl(fd, F_SETFL, flags), "F_SETFL");
}

/* Waits until the kernel has said of all sends that it is done with their memory. */
static void reap_completions(int fd, uint32_t sends)
{
	uint32_t completed = 0;

	while (completed < sends) {
		char control[128];
		struct msghdr message = {.msg_control = control, .msg_controllen = sizeof(control)};
		struct pollfd ready = {.fd = fd};
		struct cmsghdr *c;

		checked(poll(&ready, 1, -1), "poll");
		if (recvmsg(fd, &message, MSG_ERRQUEUE) < 0) {
			if (errno == EAGAIN)
				continue;
			fail("recvmsg MSG_ERRQUEUE");
		}
		for (c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
			struct sock_extended_err error;

			memcpy(&error, CMSG_DATA(c), sizeof(error));
			if (error.ee_origin == SO_EE_ORIGIN_ZEROCOPY)
				completed += error.ee_data - error.ee_info + 1;
		}
	}
}

static void zerocopy(struct tally *tally, int fd, size_t bytes)
{
	int one = 1;
	uint32_t sends = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) < 0)
		unsupported("SO_ZEROCOPY");
	while (bytes > 0) {
		ssize_t n = send(fd, buffer, next_size(bytes, 65536), MSG_ZEROCOPY);

		if (n < 0) {
			/* Memory for notifications is used up until some are read. */
			if (errno != ENOBUFS)
				fail("send MSG_ZEROCOPY");
			reap_completions(fd, sends);
			sends = 0;
			continue;
		}
		tally_sent(tally, n);
		bytes -= (size_t)n;
		sends++;
	}
	reap_completions(fd, sends);
}

static void by_sendfile(struct tally *tally, int fd, size_t bytes)
{
	int file = checked(memfd_create("content", 0), "memfd_create");

	checked(ftruncate(file, (off_t)bytes), "ftruncate");
	while (bytes > 0) {
		ssize_t n = sendfile(fd, file, NULL, next_size(bytes, CHUNK));

		if (n <= 0)
			fail("sendfile");
		tally_sent(tally, n);
		bytes -= (size_t)n;
	}
	close(file);
}

static void by_splice(struct tally *tally, int fd, size_t bytes)
{
	int ends[2];

	checked(pipe(ends), "pipe");
	while (bytes > 0) {
		ssize_t filled = write(ends[1], buffer, next_size(bytes, PIPE_BYTES));

		if (filled < 0)
			fail("write to the pipe");
		bytes -= (size_t)filled;
		while (filled > 0) {
			ssize_t n = splice(ends[0], NULL, fd, NULL, (size_t)filled, SPLICE_F_MOVE | SPLICE_F_MORE);

			if (n <= 0)
				fail("splice to the socket");
			tally_sent(tally, n);
			filled -= n;
		}
	}
	close(ends[0]);
	close(ends[1]);
}

static void by_sendmsg(struct tally *tally, int fd, size_t bytes)
{
	while (bytes > 0) {
		size_t size = next_size(bytes, 60000), third = size / 3;
		struct iovec parts[] = {{buffer, third}, {buffer + third, third}, {buffer + 2 * third, size - 2 * third}};
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
		ssize_t n = sendmsg(fd, &message, 0);

		if (n < 0)
			fail("sendmsg");
		tally_sent(tally, n);
		bytes -= (size_t)n;
	}
}

move_bytes *find_method(const struct method *methods, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].move;
	}
	fprintf(stderr, "there is no method %s\n", name);
	exit(2);
}

move_bytes *send_method(const char *name)
{
	static const struct method methods[] = {
		{"write", write_all},	   {"nonblocking", nonblocking}, {"zerocopy", zerocopy},
		{"uring", uring_send},	   {"uring-zerocopy", uring_send_zerocopy},
		{"sendfile", by_sendfile}, {"splice", by_splice},	 {"sendmsg", by_sendmsg},
	};

	return find_method(methods, sizeof(methods) / sizeof(methods[0]), name);
}
