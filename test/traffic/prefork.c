/* A server of --workers processes that accept from one listener, which their parent made. */
#include "exchange.h"

#include <stdlib.h>
#include <unistd.h>

static int listener, limit;

static void server(void *unused)
{
	(void)unused;
	serve_connections(listener, limit);
}

int main(int argc, char **argv)
{
	struct clients clients = {0};
	struct sockaddr_storage address;
	int workers;

	options_from(argc, argv);
	workers = (int)number_option("workers", 4);
	limit = 3;
	clients.connections = workers * limit;
	listener = listen_tcp(0);
	address = local_of(listener);
	clients.port = port_of(&address);
	for (int i = 0; i < workers; i++)
		worker(SERVER, server, NULL);
	worker(CLIENT, make_requests, &clients);
	return conduct();
}
