/* In each round --connections TCP connections, one after the other, each with one request. */
#include "exchange.h"

#include <unistd.h>

static int listener;
static uint16_t port;

static void server(void *unused)
{
	(void)unused;
	serve_connections(listener, 0);
}

static void client(void *unused)
{
	long connections = number_option("connections", 1000);
	struct tally *tally = NULL;

	(void)unused;
	while (round_begin()) {
		for (long i = 0; i < connections; i++) {
			int fd = connect_tcp(port);

			if (tally)
				tally->sockets++;
			else
				tally = tally_of(CLIENT, "TCP", fd);
			request(tally, fd, 64, 64);
			close(fd);
		}
		round_end();
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_storage address;

	options_from(argc, argv);
	number_option("connections", 0);
	exchange_sums = true;
	listener = listen_tcp(0);
	address = local_of(listener);
	port = port_of(&address);
	worker(SERVER, server, NULL);
	worker(CLIENT, client, NULL);
	return conduct();
}
