#define _GNU_SOURCE
#include "exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MAX_FD = 65536 };

bool exchange_sums;

static struct tally *tally_for(enum side side, int fd)
{
	static struct tally *sum;

	if (!exchange_sums)
		return tally_of(side, "TCP", fd);
	if (sum)
		sum->sockets++;
	else
		sum = tally_of(side, "TCP", fd);
	return sum;
}

void request(struct tally *tally, int fd, uint32_t up, uint32_t down)
{
	struct request head = {up, down};
	ssize_t n;

	request_made();
	n = write(fd, &head, sizeof(head));
	if (n != sizeof(head))
		fail("write of a request");
	tally_sent(tally, n);
	write_all(tally, fd, up - sizeof(head));
	read_all(tally, fd, down);
}

bool read_request(struct tally *tally, int fd, struct request *request)
{
	ssize_t n = recv(fd, request, sizeof(*request), MSG_WAITALL);

	if (n == 0)
		return false;
	if (n != sizeof(*request))
		fail("read of a request");
	tally_received(tally, n);
	request->up -= sizeof(*request);
	return true;
}

void answer(struct tally *tally, int fd, const struct request *rest)
{
	read_all(tally, fd, rest->up);
	write_all(tally, fd, rest->down);
	request_served();
}

bool serve(struct tally *tally, int fd)
{
	struct request head;

	if (!read_request(tally, fd, &head))
		return false;
	answer(tally, fd, &head);
	return true;
}

void serve_connection(int fd)
{
	struct tally *tally = tally_for(SERVER, fd);

	while (serve(tally, fd))
		;
	close(fd);
}

static void watch(int poller, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	checked(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static struct tally **tallies;

/* False when another process that listens there was faster. */
static bool accept_one(int poller, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EAGAIN)
			return false;
		fail("accept");
	}
	if (fd >= MAX_FD) {
		fprintf(stderr, "too many connections\n");
		exit(1);
	}
	tallies[fd] = tally_for(SERVER, fd);
	watch(poller, fd, EPOLLIN);
	return true;
}

void serve_connections(int listener, int limit)
{
	int poller = checked(epoll_create1(0), "epoll_create1"), accepted = 0;

	tallies = calloc(MAX_FD, sizeof(struct tally *));
	checked(fcntl(listener, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	/* A worker that has all it wants leaves the rest to the others. */
	watch(poller, listener, EPOLLIN | EPOLLEXCLUSIVE);
	watch(poller, round_fd(), EPOLLIN);
	while (true) {
		struct epoll_event event;
		int fd;

		if (epoll_wait(poller, &event, 1, -1) < 1)
			continue;
		fd = event.data.fd;
		if (fd == round_fd()) {
			if (!round_begin())
				return;
			round_end();
		} else if (fd == listener) {
			if (accept_one(poller, listener) && ++accepted == limit)
				checked(epoll_ctl(poller, EPOLL_CTL_DEL, listener, NULL), "epoll_ctl");
		} else if (!serve(tallies[fd], fd)) {
			close(fd);
		}
	}
}

static struct {
	int connections;
	void (*child)(int fd);
} forks;

static void forked(void *fd)
{
	forks.child((int)(intptr_t)fd);
}

static void forking_server(void *unused)
{
	int listener = listen_tcp(SOCK_CLOEXEC);
	pid_t *children = calloc((size_t)forks.connections, sizeof(pid_t));

	(void)unused;
	post_port(0, listener);
	for (int i = 0; i < forks.connections; i++) {
		int fd = accept_tcp(listener);

		children[i] = start_process(forked, (void *)(intptr_t)fd);
		close(fd);
	}
	while (round_begin())
		round_end();
	for (int i = 0; i < forks.connections; i++)
		wait_for(children[i]);
}

int fork_for_connections(int connections, void (*child)(int fd))
{
	struct clients clients = {0, connections};

	forks.connections = connections;
	forks.child = child;
	worker(SERVER, forking_server, NULL);
	worker(CLIENT, make_requests, &clients);
	return conduct();
}

void make_requests(void *argument)
{
	const struct clients *clients = argument;
	struct tally **of = calloc((size_t)clients->connections, sizeof(struct tally *));
	int *fds = calloc((size_t)clients->connections, sizeof(int));
	uint16_t port = clients->port != 0 ? clients->port : (uint16_t)shared_get(0);

	for (int i = 0; i < clients->connections; i++) {
		fds[i] = connect_tcp(port);
		of[i] = tally_for(CLIENT, fds[i]);
	}
	while (round_begin()) {
		for (int i = 0; i < clients->connections; i++)
			request(of[i], fds[i], (uint32_t)random_size(200, 50000), (uint32_t)random_size(1, 100000));
		round_end();
	}
}
