/* As inetd does: accepts, forks, makes the connection standard input and output, and executes a program that serves it. */
#define _GNU_SOURCE
#include "exchange.h"

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

enum { CONNECTIONS = 3 };

static const char *handler;

static void child(void *argument)
{
	int fd = (int)(intptr_t)argument;
	struct tally *tally = tally_of(SERVER, "TCP", fd);
	char index[16];

	snprintf(index, sizeof(index), "%u", tally_index(tally));
	checked(dup2(fd, 0), "dup2");
	checked(dup2(fd, 1), "dup2");
	close(fd);
	execl(handler, "inetd_handler", index, (char *)NULL);
	fail(handler);
}

static void server(void *unused)
{
	int listener = listen_tcp(SOCK_CLOEXEC);
	pid_t children[CONNECTIONS];

	(void)unused;
	post_port(0, listener);
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = accept_tcp(listener);

		children[i] = start_process(child, (void *)(intptr_t)fd);
		close(fd);
	}
	while (round_begin())
		round_end();
	for (int i = 0; i < CONNECTIONS; i++)
		wait_for(children[i]);
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
	handler = sibling("inetd_handler");
	worker(SERVER, server, NULL);
	worker(CLIENT, client, NULL);
	return conduct();
}
