/* A server that accepts and forks a process for each connection. */
#include "exchange.h"

int main(int argc, char **argv)
{
	options_from(argc, argv);
	return fork_for_connections(4, serve_connection);
}
