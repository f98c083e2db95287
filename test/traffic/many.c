/*
 * --connections TCP connections that are all open at the same time, in processes of at most --each sockets, and --up and
 * --down bytes on each. With --sum=1 each process has one tally for all of its sockets.
 */
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static int listener;
static uint16_t port;
static int connections, each;
static uint32_t up, down;

static int share_of(int process)
{
	int rest = connections - process * each;

	return rest < each ? rest : each;
}

static void server(void *share)
{
	serve_connections(listener, *(int *)share);
}

/* Each process has an address of its own, so that no one runs out of ports. */
static int connect_from(int process)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK + 1 + (uint32_t)process)}};
	struct sockaddr_storage to = server_address(port);
	int one = 1;
	int fd = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");

	/* The port is chosen when the peer is known. */
	checked(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)), "IP_BIND_ADDRESS_NO_PORT");
	checked(bind(fd, (struct sockaddr *)&from, sizeof(from)), "bind");
	checked(connect(fd, (struct sockaddr *)&to, length_of(&to)), "connect");
	return fd;
}

static void client(void *argument)
{
	int process = *(int *)argument, count = share_of(process);
	int *fds = calloc((size_t)count, sizeof(int));
	struct tally **tallies = calloc((size_t)count, sizeof(struct tally *));

	for (int i = 0; i < count; i++) {
		fds[i] = connect_from(process);
		if (i > 0 && exchange_sums) {
			tallies[i] = tallies[0];
			tallies[i]->sockets++;
		} else {
			tallies[i] = tally_of(CLIENT, "TCP", fds[i]);
		}
		request(tallies[i], fds[i], up, down);
	}
	for (bool first = true; round_begin(); first = false) {
		for (int i = 0; i < count && !first; i++)
			request(tallies[i], fds[i], up, down);
		round_end();
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_storage address;
	struct rlimit files;
	int numbers[64], shares[64], processes;

	options_from(argc, argv);
	connections = (int)number_option("connections", 1000);
	each = (int)number_option("each", 10000);
	up = (uint32_t)number_option("up", 100);
	down = (uint32_t)number_option("down", 200);
	exchange_sums = number_option("sum", 0) != 0;
	checked(getrlimit(RLIMIT_NOFILE, &files), "getrlimit");
	files.rlim_cur = files.rlim_max;
	checked(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
	if (files.rlim_max < (rlim_t)each + 64) {
		fprintf(stderr, "a process may open only %lu files\n", (unsigned long)files.rlim_max);
		return EXIT_UNSUPPORTED;
	}
	processes = (connections + each - 1) / each;
	listener = listen_tcp(0);
	address = local_of(listener);
	port = port_of(&address);
	for (int i = 0; i < processes && i < 32; i++) {
		numbers[i] = i;
		shares[i] = share_of(i);
		worker(SERVER, server, &shares[i]);
	}
	for (int i = 0; i < processes && i < 32; i++)
		worker(CLIENT, client, &numbers[i]);
	return conduct();
}
