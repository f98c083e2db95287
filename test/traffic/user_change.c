/* A server that accepts as root and forks processes that become the user --uid before they serve. */
#define _GNU_SOURCE
#include "exchange.h"

#include <unistd.h>

static uid_t uid;

static void child(int fd)
{
	checked(setresgid(uid, uid, uid), "setresgid");
	checked(setresuid(uid, uid, uid), "setresuid");
	serve_connection(fd);
}

int main(int argc, char **argv)
{
	options_from(argc, argv);
	uid = (uid_t)number_option("uid", 65534);
	return fork_for_connections(2, child);
}
