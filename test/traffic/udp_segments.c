/*
 * UDP with segmentation offload: the client hands over --low to --high bytes at a time, --sends times, and the kernel
 * makes datagrams of --segment bytes of them. With --gro=1 the server lets the kernel put them together again.
 */
#define _GNU_SOURCE
#include "traffic.h"

#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PORT, CLIENT_PORT, BYTES_SENT = SLOTS - 2, ALL_RECEIVED = SLOTS - 1 };

static long sends, segment, gro;
static size_t low, high;
static char buffer[65536];

static int bound_socket(struct sockaddr_storage *address)
{
	int fd = checked(socket(address->ss_family, SOCK_DGRAM, 0), "socket");

	checked(bind(fd, (struct sockaddr *)address, length_of(address)), "bind");
	*address = local_of(fd);
	return fd;
}

static void server(void *unused)
{
	struct sockaddr_storage local = server_address(0);
	int fd = bound_socket(&local), on = 1;
	struct tally *tally = tally_new(SERVER, "UDP");

	(void)unused;
	tally->local = local;
	if (gro)
		checked(setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on)), "UDP_GRO");
	post_port(PORT, fd);
	tally->remote = client_address();
	set_port(&tally->remote, (uint16_t)shared_get(CLIENT_PORT));
	while (round_begin()) {
		for (long i = 0; i < sends; i++) {
			long wanted = shared_get(BYTES_SENT);

			shared_take(BYTES_SENT);
			while (wanted > 0) {
				ssize_t n = checked((int)recv(fd, buffer, sizeof(buffer), 0), "recv");

				tally_received(tally, n);
				wanted -= n;
			}
			shared_post(ALL_RECEIVED, 1);
		}
		round_end();
	}
}

static void client(void *unused)
{
	struct sockaddr_storage local = client_address(), to = server_address((uint16_t)shared_get(PORT));
	int fd = bound_socket(&local), bytes = (int)segment;
	struct tally *tally;

	(void)unused;
	post_port(CLIENT_PORT, fd);
	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &bytes, sizeof(bytes)))
		unsupported("UDP_SEGMENT");
	checked(connect(fd, (struct sockaddr *)&to, length_of(&to)), "connect");
	tally = tally_of(CLIENT, "UDP", fd);
	while (round_begin()) {
		for (long i = 0; i < sends; i++) {
			size_t size = random_size(low, high);

			shared_post(BYTES_SENT, (long)size);
			tally_sent(tally, checked((int)send(fd, buffer, size, 0), "send"));
			shared_take(ALL_RECEIVED);
		}
		round_end();
	}
}

int main(int argc, char **argv)
{
	options_from(argc, argv);
	sends = number_option("sends", 20);
	segment = number_option("segment", 700);
	gro = number_option("gro", 0);
	low = (size_t)number_option("low", 1);
	high = (size_t)number_option("high", 20000);
	if (low == 0 || high > sizeof(buffer)) {
		fprintf(stderr, "1 to %zu bytes can be sent at once\n", sizeof(buffer));
		return 2;
	}
	worker(SERVER, server, NULL);
	worker(CLIENT, client, NULL);
	return conduct();
}
