/* A server of --workers processes, each with a listener of its own on the same port. */
#include "exchange.h"

#include <stdio.h>
#include <unistd.h>

static int listen_shared(uint16_t port)
{
	struct sockaddr_storage address = server_address(port);
	int one = 1;
	int fd = checked(socket(address.ss_family, SOCK_STREAM, 0), "socket");

	checked(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), "SO_REUSEPORT");
	checked(bind(fd, (struct sockaddr *)&address, length_of(&address)), "bind");
	checked(listen(fd, 128), "listen");
	return fd;
}

/* The first one takes a free port, the others join it. */
static void server(void *number)
{
	int index = *(int *)number;
	int listener = listen_shared(index == 0 ? 0 : (uint16_t)shared_get(index - 1));

	post_port(index, listener);
	serve_connections(listener, 0);
}

static void client(void *argument)
{
	struct clients *clients = argument;

	clients->port = (uint16_t)shared_get((int)number_option("workers", 4) - 1);
	make_requests(clients);
}

int main(int argc, char **argv)
{
	/* The kernel spreads them by a hash of the addresses: enough that more than one process has some. */
	struct clients clients = {.connections = 32};
	int numbers[32], workers;

	options_from(argc, argv);
	workers = (int)number_option("workers", 4);
	for (int i = 0; i < workers && i < 32; i++) {
		numbers[i] = i;
		worker(SERVER, server, &numbers[i]);
	}
	worker(CLIENT, client, &clients);
	return conduct();
}
