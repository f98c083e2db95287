/* Datagrams of an IP protocol that the kernel knows nothing of, between raw sockets of two processes. */
#include "traffic.h"

#include <unistd.h>

enum { BYTES = 65536 };

static char buffer[BYTES];
static int protocol;
static long count;

static int raw_socket(const struct sockaddr_storage *address)
{
	int fd = checked(socket(address->ss_family, SOCK_RAW, protocol), "socket");

	checked(bind(fd, (const struct sockaddr *)address, length_of(address)), "bind");
	return fd;
}

static void receive_one(struct tally *tally, int fd)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	ssize_t n = recvfrom(fd, buffer, BYTES, 0, (struct sockaddr *)&from, &length);

	if (n < 0)
		fail("recvfrom");
	tally_received(tally, n);
}

static void send_one(struct tally *tally, int fd, const struct sockaddr_storage *to)
{
	ssize_t n = sendto(fd, buffer, random_size(1, 1000), 0, (const struct sockaddr *)to, length_of(to));

	if (n < 0)
		fail("sendto");
	tally_sent(tally, n);
}

static struct tally *tally_between(enum side side, const struct sockaddr_storage *local, const struct sockaddr_storage *remote)
{
	struct tally *tally = tally_new(side, "RAW");

	tally->local = *local;
	tally->remote = *remote;
	return tally;
}

static void server(void *unused)
{
	struct sockaddr_storage local = server_address(0), remote = client_address();
	struct tally *tally = tally_between(SERVER, &local, &remote);
	int fd = raw_socket(&local);

	(void)unused;
	shared_post(0, 1);
	while (round_begin()) {
		for (long i = 0; i < count; i++) {
			receive_one(tally, fd);
			send_one(tally, fd, &remote);
		}
		round_end();
	}
}

static void client(void *unused)
{
	struct sockaddr_storage local = client_address(), remote = server_address(0);
	struct tally *tally = tally_between(CLIENT, &local, &remote);
	int fd = raw_socket(&local);

	(void)unused;
	shared_get(0);
	while (round_begin()) {
		for (long i = 0; i < count; i++) {
			send_one(tally, fd, &remote);
			receive_one(tally, fd);
		}
		round_end();
	}
}

int main(int argc, char **argv)
{
	options_from(argc, argv);
	protocol = (int)number_option("protocol", 253);
	count = number_option("count", 50);
	worker(SERVER, server, NULL);
	worker(CLIENT, client, NULL);
	return conduct();
}
