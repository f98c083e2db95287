/* A server with one thread for each connection. */
#include "exchange.h"

#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

enum { CONNECTIONS = 6 };

static void *thread(void *fd)
{
	serve_connection((int)(intptr_t)fd);
	return NULL;
}

static void server(void *unused)
{
	int listener = listen_tcp(0);
	pthread_t threads[CONNECTIONS];

	(void)unused;
	post_port(0, listener);
	for (int i = 0; i < CONNECTIONS; i++) {
		if (pthread_create(&threads[i], NULL, thread, (void *)(intptr_t)accept_tcp(listener)) != 0)
			fail("pthread_create");
	}
	while (round_begin())
		round_end();
	for (int i = 0; i < CONNECTIONS; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	struct clients clients = {0, CONNECTIONS};

	options_from(argc, argv);
	worker(SERVER, server, NULL);
	worker(CLIENT, make_requests, &clients);
	return conduct();
}
