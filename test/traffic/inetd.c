/* As inetd does: accepts, forks, makes the connection standard input and output, and executes a program that serves it. */
#define _GNU_SOURCE
#include "exchange.h"

#include <stdio.h>
#include <unistd.h>

static const char *handler;

static void child(int fd)
{
	struct tally *tally = tally_of(SERVER, "TCP", fd);
	char index[16];

	snprintf(index, sizeof(index), "%u", tally_index(tally));
	checked(dup2(fd, 0), "dup2");
	checked(dup2(fd, 1), "dup2");
	close(fd);
	execl(handler, "inetd_handler", index, (char *)NULL);
	fail(handler);
}

int main(int argc, char **argv)
{
	options_from(argc, argv);
	handler = sibling("inetd_handler");
	return fork_for_connections(3, child);
}
