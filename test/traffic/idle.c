/* Two processes share a listener; one of them accepts a connection, and does nothing with it. --up bytes stay unread. */
#include "exchange.h"

#include <unistd.h>

static int listener;

static void holder(void *unused)
{
	int fd = accept_tcp(listener);

	(void)unused;
	tally_of(SERVER, "TCP", fd);
	while (round_begin())
		round_end();
}

static void bystander(void *unused)
{
	(void)unused;
	while (round_begin())
		round_end();
}

static void client(void *port)
{
	int fd = connect_tcp(*(uint16_t *)port);
	struct tally *tally = tally_of(CLIENT, "TCP", fd);

	while (round_begin()) {
		write_all(tally, fd, (size_t)number_option("up", 0));
		round_end();
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_storage address;
	uint16_t port;

	options_from(argc, argv);
	number_option("up", 0);
	listener = listen_tcp(0);
	address = local_of(listener);
	port = port_of(&address);
	worker(SERVER, holder, NULL);
	worker(SERVER, bystander, NULL);
	worker(CLIENT, client, &port);
	return conduct();
}
