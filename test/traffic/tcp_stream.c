/*
 * One TCP connection; in each round the client sends --up bytes, then the server --down bytes, both by the calls named by
 * --send and --receive.
 */
#include "methods.h"

#include <unistd.h>

static size_t up, down;
static move_bytes *send_bytes, *receive_bytes;

static void server(void *unused)
{
	int listener = listen_tcp(0), fd;
	struct tally *tally;

	(void)unused;
	post_port(0, listener);
	fd = accept_tcp(listener);
	close(listener);
	tally = tally_of(SERVER, "TCP", fd);
	while (round_begin()) {
		receive_bytes(tally, fd, up);
		send_bytes(tally, fd, down);
		round_end();
	}
}

static void client(void *unused)
{
	int fd = connect_tcp((uint16_t)shared_get(0));
	struct tally *tally = tally_of(CLIENT, "TCP", fd);

	(void)unused;
	while (round_begin()) {
		send_bytes(tally, fd, up);
		receive_bytes(tally, fd, down);
		round_end();
	}
}

int main(int argc, char **argv)
{
	options_from(argc, argv);
	up = (size_t)number_option("up", 3000017);
	down = (size_t)number_option("down", 1000003);
	send_bytes = send_method(option("send", "write"));
	receive_bytes = receive_method(option("receive", "read"));
	worker(SERVER, server, NULL);
	worker(CLIENT, client, NULL);
	return conduct();
}
