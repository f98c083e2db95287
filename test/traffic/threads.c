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

static void client(void *unused)
{
	struct clients clients = {(uint16_t)shared_get(0), CONNECTIONS};

	(void)unused;
	make_requests(&clients);
}

int main(int argc, char **argv)
{
	options_from(argc, argv);
	worker(SERVER, server, NULL);
	worker(CLIENT, client, NULL);
	return conduct();
}
