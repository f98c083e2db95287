/*
 * Ends of TCP connections, by --how:
 *   half-close          the client ends its direction, the server goes on sending
 *   close-by-client     the client closes all of it; the server acknowledges, and closes later
 *   reset-after-read    the client resets (SO_LINGER 0) after both have read everything
 *   reset-before-read   the client resets; the server reads what had arrived, and then the reset
 *   reset-unread        the client resets; the server reads nothing
 *   reset-by-server     the server closes with data unread, which resets
 *   refused             nobody listens; one socket tries --connects times, each a connection of its own
 *   no-answer           --server-address does not answer; --tries SYNs are sent, with --fast-open=1 data with the first
 * All is over when the report is printed.
 */
#include "traffic.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t up, down;

enum { PORT, ACCEPTED, SENT, RESET };

static int accept_first(void)
{
	int listener = listen_tcp(0), fd;

	post_port(PORT, listener);
	fd = accept_tcp(listener);
	close(listener);
	return fd;
}

static int connect_first(struct tally **tally)
{
	int fd = connect_tcp((uint16_t)shared_get(PORT));

	*tally = tally_of(CLIENT, "TCP", fd);
	return fd;
}

static void close_by_reset(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	checked(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), "SO_LINGER");
	close(fd);
}

static void expect_reset(struct tally *tally, int fd)
{
	char byte;

	if (read(fd, &byte, 1) >= 0 || errno != ECONNRESET)
		fail("a read after the reset");
	tally->error = ECONNRESET;
}

static void half_close_server(int fd, struct tally *tally)
{
	if (read_to_end(tally, fd) != up)
		fail("read to the end");
	write_all(tally, fd, down);
}

static void half_close_client(int fd, struct tally *tally)
{
	write_all(tally, fd, up);
	checked(shutdown(fd, SHUT_WR), "shutdown");
	if (read_to_end(tally, fd) != down)
		fail("read to the end");
}

/* The acknowledgement goes out at once, and by itself: the client's socket ends with it. */
static void close_by_client_server(int fd, struct tally *tally)
{
	int on = 1;

	if (read_to_end(tally, fd) != up)
		fail("read to the end");
	checked(setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)), "TCP_QUICKACK");
}

static void close_by_client_client(int fd, struct tally *tally)
{
	write_all(tally, fd, up);
}

static void reset_after_read_server(int fd, struct tally *tally)
{
	read_all(tally, fd, up);
	write_all(tally, fd, down);
	shared_get(RESET);
	expect_reset(tally, fd);
}

static void reset_after_read_client(int fd, struct tally *tally)
{
	write_all(tally, fd, up);
	read_all(tally, fd, down);
	close_by_reset(fd);
	shared_post(RESET, 1);
}

static void reset_before_read_server(int fd, struct tally *tally)
{
	char bytes[4096];
	ssize_t n;

	shared_get(RESET);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		tally_received(tally, n);
	if (n == 0 || errno != ECONNRESET)
		fail("a read after the reset");
	tally->error = ECONNRESET;
}

static void reset_unread_server(int fd, struct tally *tally)
{
	(void)fd;
	(void)tally;
	shared_get(RESET);
}

static void reset_unread_client(int fd, struct tally *tally)
{
	write_all(tally, fd, up);
	close_by_reset(fd);
	shared_post(RESET, 1);
}

static void reset_by_server_server(int fd, struct tally *tally)
{
	shared_get(SENT);
	read_all(tally, fd, up / 2);
	close(fd);
	shared_post(RESET, 1);
}

static void reset_by_server_client(int fd, struct tally *tally)
{
	write_all(tally, fd, up);
	shared_post(SENT, 1);
	shared_get(RESET);
	expect_reset(tally, fd);
}

struct ending {
	const char *name;
	void (*server)(int fd, struct tally *tally);
	void (*client)(int fd, struct tally *tally);
};

static const struct ending endings[] = {
	{"half-close", half_close_server, half_close_client},
	{"close-by-client", close_by_client_server, close_by_client_client},
	{"reset-after-read", reset_after_read_server, reset_after_read_client},
	{"reset-before-read", reset_before_read_server, reset_unread_client},
	{"reset-unread", reset_unread_server, reset_unread_client},
	{"reset-by-server", reset_by_server_server, reset_by_server_client},
};

static void server(void *argument)
{
	const struct ending *ending = argument;
	int fd = accept_first();
	struct tally *tally = tally_of(SERVER, "TCP", fd);

	shared_post(ACCEPTED, 1);
	if (!round_begin())
		return;
	ending->server(fd, tally);
	close(fd);
	round_end();
}

static void client(void *argument)
{
	const struct ending *ending = argument;
	struct tally *tally;
	int fd = connect_first(&tally);

	shared_get(ACCEPTED);
	if (!round_begin())
		return;
	ending->client(fd, tally);
	close(fd);
	round_end();
}

/* The port of a socket that is bound and does not listen: nobody else gets it meanwhile, and it refuses. */
static struct sockaddr_storage refusing_address(void)
{
	struct sockaddr_storage address = server_address(0);
	int fd = checked(socket(address.ss_family, SOCK_STREAM, 0), "socket");

	checked(bind(fd, (struct sockaddr *)&address, length_of(&address)), "bind");
	return local_of(fd);
}

/* Connects by sending: the data waits for no answer (RFC 7413). Returns when the connection has failed. */
static void send_with_syn(struct tally *tally, int fd, const struct sockaddr_storage *address)
{
	struct pollfd end = {.fd = fd};
	socklen_t length = sizeof(errno);
	char bytes[100] = {0};
	int on = 1;

	checked(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &on, sizeof(on)), "TCP_FASTOPEN_NO_COOKIE");
	tally_sent(tally, checked((int)sendto(fd, bytes, sizeof(bytes), MSG_FASTOPEN | MSG_DONTWAIT,
					      (const struct sockaddr *)address, length_of(address)),
				  "sendto MSG_FASTOPEN"));
	tally->local = local_of(fd);
	checked(poll(&end, 1, -1), "poll");
	checked(getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno, &length), "SO_ERROR");
}

static void try_to_connect(void *argument)
{
	struct sockaddr_storage address = *(struct sockaddr_storage *)argument;
	int tries = (int)number_option("tries", 1) - 1;
	struct tally *tally;
	int fd;

	if (!round_begin())
		return;
	fd = checked(socket(address.ss_family, SOCK_STREAM, 0), "socket");
	tally = tally_new(CLIENT, "TCP");
	tally->local = any_address(address.ss_family);
	tally->remote = address;
	if (tries > 0)
		checked(setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof(tries)), "TCP_SYNCNT");
	for (long connects = number_option("connects", 1); connects > 1; connects--)
		if (connect(fd, (struct sockaddr *)&address, length_of(&address)) == 0 || errno != ECONNREFUSED)
			fail("a connect that should be refused");
	if (number_option("fast-open", 0)) {
		send_with_syn(tally, fd, &address);
	} else if (connect(fd, (struct sockaddr *)&address, length_of(&address)) == 0) {
		fprintf(stderr, "connected to what should not answer\n");
		exit(1);
	}
	tally->error = errno;
	close(fd);
	round_end();
}

int main(int argc, char **argv)
{
	struct sockaddr_storage address;
	const char *how;

	options_from(argc, argv);
	how = option("how", "half-close");
	up = (size_t)number_option("up", 100003);
	down = (size_t)number_option("down", 50021);
	number_option("tries", 0);
	number_option("fast-open", 0);
	number_option("connects", 1);
	if (strcmp(how, "refused") == 0 || strcmp(how, "no-answer") == 0) {
		address = strcmp(how, "refused") == 0 ? refusing_address() : server_address((uint16_t)number_option("port", 9));
		worker(CLIENT, try_to_connect, &address);
		return conduct();
	}
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (strcmp(endings[i].name, how) == 0) {
			worker(SERVER, server, (void *)(uintptr_t)&endings[i]);
			worker(CLIENT, client, (void *)(uintptr_t)&endings[i]);
			return conduct();
		}
	}
	fprintf(stderr, "there is no ending %s\n", how);
	return 2;
}
