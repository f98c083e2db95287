/* Sends and receives by io_uring, several requests under way at once where order allows. */
#include "methods.h"

#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK = 65536 };

static char buffer[CHUNK];

static struct io_uring *ring(void)
{
	static struct io_uring made;
	static bool ready;
	int error;

	if (ready)
		return &made;
	error = io_uring_queue_init(8, &made, 0);
	if (error < 0) {
		errno = -error;
		unsupported("io_uring_setup");
	}
	ready = true;
	return &made;
}

static struct io_uring_sqe *next_entry(void)
{
	return io_uring_get_sqe(ring());
}

/* Submits what was prepared and waits for one completion. */
static int completion(unsigned *flags)
{
	struct io_uring_cqe *entry;
	int error = io_uring_submit_and_wait(ring(), 1), result;

	if (error >= 0)
		error = io_uring_wait_cqe(ring(), &entry);
	if (error < 0) {
		errno = -error;
		fail("io_uring");
	}
	result = entry->res;
	*flags = entry->flags;
	io_uring_cqe_seen(ring(), entry);
	return result;
}

static int checked_completion(unsigned *flags, const char *what)
{
	int result = completion(flags);

	if (result < 0) {
		errno = -result;
		fail(what);
	}
	return result;
}

static size_t next_size(size_t bytes)
{
	return random_size(1, bytes < CHUNK ? bytes : CHUNK);
}

void uring_send(struct tally *tally, int fd, size_t bytes)
{
	unsigned flags;

	while (bytes > 0) {
		int n;

		io_uring_prep_send(next_entry(), fd, buffer, next_size(bytes), 0);
		n = checked_completion(&flags, "IORING_OP_SEND");
		tally_sent(tally, n);
		bytes -= (size_t)n;
	}
}

void uring_send_zerocopy(struct tally *tally, int fd, size_t bytes)
{
	unsigned flags;

	while (bytes > 0) {
		int n;

		io_uring_prep_send_zc(next_entry(), fd, buffer, next_size(bytes), 0, 0);
		n = completion(&flags);
		if (n < 0) {
			errno = -n;
			if (n == -EINVAL || n == -EOPNOTSUPP)
				unsupported("IORING_OP_SEND_ZC");
			fail("IORING_OP_SEND_ZC");
		}
		tally_sent(tally, n);
		bytes -= (size_t)n;
		/* A second completion tells that the memory is free again. */
		if (flags & IORING_CQE_F_MORE)
			completion(&flags);
	}
}

void uring_receive(struct tally *tally, int fd, size_t bytes)
{
	unsigned flags;

	while (bytes > 0) {
		int n;

		io_uring_prep_recv(next_entry(), fd, buffer, next_size(bytes), 0);
		n = checked_completion(&flags, "IORING_OP_RECV");
		if (n == 0) {
			fprintf(stderr, "the stream ended %zu bytes early\n", bytes);
			exit(1);
		}
		tally_received(tally, n);
		bytes -= (size_t)n;
	}
}
