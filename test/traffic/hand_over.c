/*
 * One process accepts and reads the first 100 bytes; then it gives the descriptor to another one, which reads the rest,
 * answers, and keeps the connection.
 */
#define _GNU_SOURCE
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_BYTES = 100, CONNECTIONS = 3 };

static int listener, gives, takes;

static void give(int fd, const struct request *rest)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec body = {(void *)(uintptr_t)rest, sizeof(*rest)};
	struct msghdr message = {
		.msg_iov = &body, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	checked((int)sendmsg(gives, &message, 0), "sendmsg SCM_RIGHTS");
}

static int take(struct request *rest)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec body = {rest, sizeof(*rest)};
	struct msghdr message = {
		.msg_iov = &body, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	int fd;

	if (checked((int)recvmsg(takes, &message, 0), "recvmsg SCM_RIGHTS") != sizeof(*rest))
		fail("SCM_RIGHTS");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}

static void acceptor(void *unused)
{
	(void)unused;
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = accept_tcp(listener);
		struct tally *tally = tally_of(SERVER, "TCP", fd);
		struct request rest;

		read_request(tally, fd, &rest);
		read_all(tally, fd, FIRST_BYTES - sizeof(rest));
		rest.up -= FIRST_BYTES - sizeof(rest);
		give(fd, &rest);
		close(fd);
	}
	while (round_begin())
		round_end();
}

static void taker(void *unused)
{
	int fds[CONNECTIONS];
	struct tally *tallies[CONNECTIONS];
	bool first = true;

	(void)unused;
	for (int i = 0; i < CONNECTIONS; i++) {
		struct request rest;

		fds[i] = take(&rest);
		tallies[i] = tally_of(SERVER, "TCP", fds[i]);
		answer(tallies[i], fds[i], &rest);
	}
	for (; round_begin(); first = false) {
		for (int i = 0; i < CONNECTIONS && !first; i++)
			serve(tallies[i], fds[i]);
		round_end();
	}
}

/* One connection after the other, since the acceptor waits for the first bytes of each. */
static void client(void *argument)
{
	uint16_t port = *(uint16_t *)argument;
	int fds[CONNECTIONS];
	struct tally *tallies[CONNECTIONS];

	for (int i = 0; i < CONNECTIONS; i++) {
		fds[i] = connect_tcp(port);
		tallies[i] = tally_of(CLIENT, "TCP", fds[i]);
		request(tallies[i], fds[i], (uint32_t)random_size(200, 50000), (uint32_t)random_size(1, 50000));
	}
	for (bool first = true; round_begin(); first = false) {
		for (int i = 0; i < CONNECTIONS && !first; i++)
			request(tallies[i], fds[i], 1000, 2000);
		round_end();
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_storage address;
	uint16_t port;
	int ends[2];

	options_from(argc, argv);
	listener = listen_tcp(0);
	address = local_of(listener);
	port = port_of(&address);
	checked(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), "socketpair");
	gives = ends[0];
	takes = ends[1];
	worker(SERVER, acceptor, NULL);
	worker(SERVER, taker, NULL);
	worker(CLIENT, client, &port);
	return conduct();
}
