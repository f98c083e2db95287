/* Ways to move a number of bytes through a stream socket; each counts what its system calls return. */
#ifndef METHODS_H
#define METHODS_H

#include "traffic.h"

typedef void move_bytes(struct tally *tally, int fd, size_t bytes);

/* By the name given on the command line; unknown names end the program. */
move_bytes *send_method(const char *name);
move_bytes *receive_method(const char *name);

struct method {
	const char *name;
	move_bytes *move;
};
move_bytes *find_method(const struct method *methods, size_t count, const char *name);

/* io_uring; in uring.c. */
move_bytes uring_send;
move_bytes uring_send_zerocopy;
move_bytes uring_receive;

#endif
