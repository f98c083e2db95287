/* A server that accepts as root and forks processes that become the user --uid before they serve. */
#define _GNU_SOURCE
#include "exchange.h"

#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { CONNECTIONS = 2 };

static uid_t uid;

static void child(void *fd)
{
	checked(setresgid(uid, uid, uid), "setresgid");
	checked(setresuid(uid, uid, uid), "setresuid");
	serve_connection((int)(intptr_t)fd);
}

static void server(void *unused)
{
	int listener = listen_tcp(0);
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
	uid = (uid_t)number_option("uid", 65534);
	worker(SERVER, server, NULL);
	worker(CLIENT, client, NULL);
	return conduct();
}
