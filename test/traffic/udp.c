/*
 * UDP. One client sends --datagrams of --low to --high bytes to the sockets of one server process in turn, one at a time,
 * so that none gets lost; each is answered unless --receive takes it without its sender.
 *   --peers=N        sockets of the server
 *   --connect=1      the client connects (one peer)
 *   --wildcard=1     no socket is bound to an address
 *   --receive        how the server receives: recvfrom, recv, recvmsg, read, trunc (into one byte, MSG_TRUNC), small (into
 *                    half of it), peek
 *   --batch=N        N datagrams per sendmmsg and recvmmsg; with --receive=recv the server asks for no names
 */
#define _GNU_SOURCE
#include "traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PEERS = 100, MAX_BATCH = 32, BYTES = 65536 };

static int peers, batch;
static long datagrams;
static size_t low, high;
static bool connected, wildcard;
static const char *receive;

static char buffers[MAX_BATCH][BYTES];

static bool answers(void)
{
	return strcmp(receive, "recvfrom") == 0 || strcmp(receive, "recvmsg") == 0 || strcmp(receive, "peek") == 0 ||
	       strcmp(receive, "trunc") == 0;
}

/* Binds to the address, and sets its port. */
static int bound_socket(struct sockaddr_storage *wanted)
{
	struct sockaddr_storage address = wildcard ? any_address(wanted->ss_family) : *wanted;
	int bytes = 4 << 20;
	int fd = checked(socket(address.ss_family, SOCK_DGRAM, 0), "socket");

	checked(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), "SO_RCVBUF");
	checked(bind(fd, (struct sockaddr *)&address, length_of(&address)), "bind");
	address = local_of(fd);
	set_port(wanted, port_of(&address));
	return fd;
}

/* Receives by the chosen call; `from` stays as it is when the call does not tell. */
static ssize_t receive_one(int fd, struct sockaddr_storage *from)
{
	socklen_t length = sizeof(*from);
	struct iovec body = {buffers[0], BYTES};
	struct msghdr message = {.msg_iov = &body, .msg_iovlen = 1, .msg_name = from, .msg_namelen = sizeof(*from)};

	if (strcmp(receive, "recv") == 0)
		return recv(fd, buffers[0], BYTES, 0);
	if (strcmp(receive, "read") == 0)
		return read(fd, buffers[0], BYTES);
	if (strcmp(receive, "small") == 0)
		return recv(fd, buffers[0], low / 2, 0);
	if (strcmp(receive, "trunc") == 0)
		return recvfrom(fd, buffers[0], 1, MSG_TRUNC, (struct sockaddr *)from, &length);
	if (strcmp(receive, "recvmsg") == 0)
		return recvmsg(fd, &message, 0);
	if (strcmp(receive, "peek") == 0)
		checked((int)recv(fd, buffers[0], BYTES, MSG_PEEK), "recv MSG_PEEK");
	return recvfrom(fd, buffers[0], BYTES, 0, (struct sockaddr *)from, &length);
}

static void receive_batch(int fd, struct tally *tally, int count)
{
	struct mmsghdr messages[MAX_BATCH] = {0};
	struct iovec bodies[MAX_BATCH];
	struct sockaddr_storage names[MAX_BATCH];
	int got = 0;

	for (int i = 0; i < count; i++) {
		bodies[i] = (struct iovec){buffers[i], BYTES};
		messages[i].msg_hdr.msg_iov = &bodies[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		if (answers()) {
			messages[i].msg_hdr.msg_name = &names[i];
			messages[i].msg_hdr.msg_namelen = sizeof(names[i]);
		}
	}
	while (got < count) {
		int n = checked(recvmmsg(fd, messages + got, (unsigned)(count - got), MSG_WAITFORONE, NULL), "recvmmsg");

		for (int i = got; i < got + n; i++)
			tally_received(tally, messages[i].msg_len);
		got += n;
	}
}

static void send_batch(int fd, struct tally *tally, const struct sockaddr_storage *to, int count)
{
	struct mmsghdr messages[MAX_BATCH] = {0};
	struct iovec bodies[MAX_BATCH];
	int done = 0;

	for (int i = 0; i < count; i++) {
		bodies[i] = (struct iovec){buffers[i], random_size(low, high)};
		messages[i].msg_hdr.msg_iov = &bodies[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		if (!connected) {
			messages[i].msg_hdr.msg_name = (void *)(uintptr_t)to;
			messages[i].msg_hdr.msg_namelen = length_of(to);
		}
	}
	while (done < count) {
		int n = checked(sendmmsg(fd, messages + done, (unsigned)(count - done), 0), "sendmmsg");

		for (int i = done; i < done + n; i++)
			tally_sent(tally, messages[i].msg_len);
		done += n;
	}
}

static void send_one(int fd, struct tally *tally, const struct sockaddr_storage *to)
{
	size_t bytes = random_size(low, high);
	ssize_t n = to ? sendto(fd, buffers[0], bytes, 0, (const struct sockaddr *)to, length_of(to))
		       : send(fd, buffers[0], bytes, 0);

	if (n < 0)
		fail("send");
	tally_sent(tally, n);
}

/* How many datagrams the client sends to one peer before it goes on to the next. */
static int turn(void)
{
	return batch > 0 ? batch : 1;
}

static void server(void *unused)
{
	struct tally *tallies[MAX_PEERS];
	int sockets[MAX_PEERS];

	(void)unused;
	for (int i = 0; i < peers; i++) {
		tallies[i] = tally_new(SERVER, "UDP");
		tallies[i]->local = server_address(i == 0 ? (uint16_t)number_option("port", 0) : 0);
		sockets[i] = bound_socket(&tallies[i]->local);
		shared_post(i, port_of(&tallies[i]->local));
	}
	while (round_begin()) {
		for (long i = 0; i < datagrams; i++) {
			int peer = (int)(i % peers), fd = sockets[peer];
			struct sockaddr_storage from = {0};

			if (batch > 0) {
				receive_batch(fd, tallies[peer], batch);
			} else {
				ssize_t n = receive_one(fd, &from);

				if (n < 0)
					fail("receive");
				tally_received(tallies[peer], n);
			}
			if (from.ss_family != 0)
				send_one(fd, tallies[peer], &from);
			shared_post(SLOTS - 1, 1);
		}
		round_end();
	}
}

/* The server's tallies lack their peer, which a client of an unbound socket is told only by its first send. */
static void tell_peers(const struct sockaddr_storage *local)
{
	for (int i = 0; i < peers; i++)
		tally_at((uint32_t)i)->remote = *local;
}

static void client(void *unused)
{
	struct sockaddr_storage to[MAX_PEERS], from = client_address();
	struct tally *tallies[MAX_PEERS];
	int fd = bound_socket(&from);

	(void)unused;
	for (int i = 0; i < peers; i++)
		to[i] = server_address((uint16_t)shared_get(i));
	/* Not before the server has all of its own, which are then the first ones. */
	for (int i = 0; i < peers; i++) {
		tallies[i] = tally_new(CLIENT, "UDP");
		tallies[i]->local = from;
		tallies[i]->remote = to[i];
	}
	tell_peers(&from);
	if (connected)
		checked(connect(fd, (struct sockaddr *)&to[0], length_of(&to[0])), "connect");
	while (round_begin()) {
		for (long i = 0; i < datagrams; i++) {
			int peer = (int)(i % peers);

			if (batch > 0)
				send_batch(fd, tallies[peer], &to[peer], turn());
			else
				send_one(fd, tallies[peer], connected ? NULL : &to[peer]);
			shared_take(SLOTS - 1);
			if (batch == 0 && answers()) {
				struct sockaddr_storage who;
				socklen_t length = sizeof(who);
				ssize_t n = recvfrom(fd, buffers[0], BYTES, 0, (struct sockaddr *)&who, &length);

				if (n < 0)
					fail("recvfrom");
				tally_received(tallies[peer], n);
			}
		}
		round_end();
	}
}

int main(int argc, char **argv)
{
	options_from(argc, argv);
	peers = (int)number_option("peers", 1);
	batch = (int)number_option("batch", 0);
	datagrams = number_option("datagrams", 200);
	low = (size_t)number_option("low", 2);
	high = (size_t)number_option("high", 1400);
	connected = number_option("connect", 0) != 0;
	wildcard = number_option("wildcard", 0) != 0;
	receive = option("receive", "recvfrom");
	if (peers > MAX_PEERS || batch > MAX_BATCH || high >= BYTES) {
		fprintf(stderr, "too much\n");
		return 2;
	}
	worker(SERVER, server, NULL);
	worker(CLIENT, client, NULL);
	return conduct();
}
