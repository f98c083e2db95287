/*
 * Ethernet frames from a packet socket on --client-interface to one on --server-interface, with an ethertype that is for
 * local experiments.
 */
#include "traffic.h"

#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string.h>
#include <unistd.h>

enum { ETHERTYPE = 0x88b5 };

static unsigned char frame[ETH_FRAME_LEN];
static long count;

static int packet_socket(const char *interface, struct sockaddr_storage *address)
{
	struct sockaddr_ll *link = (struct sockaddr_ll *)address;
	int fd = checked(socket(AF_PACKET, SOCK_RAW, 0), "socket");

	memset(address, 0, sizeof(*address));
	link->sll_family = AF_PACKET;
	link->sll_protocol = htons(ETHERTYPE);
	link->sll_ifindex = (int)if_nametoindex(interface);
	if (link->sll_ifindex == 0)
		fail(interface);
	checked(bind(fd, (struct sockaddr *)link, sizeof(*link)), "bind");
	return fd;
}

static struct tally *tally_on(enum side side, const struct sockaddr_storage *address)
{
	struct tally *tally = tally_new(side, "PACKET");

	tally->local = *address;
	tally->remote = any_address(AF_PACKET);
	return tally;
}

static void server(void *unused)
{
	struct sockaddr_storage address;
	int fd = packet_socket(option("server-interface", "lo"), &address);
	struct tally *tally = tally_on(SERVER, &address);

	(void)unused;
	shared_post(0, 1);
	while (round_begin()) {
		for (long i = 0; i < count; i++) {
			ssize_t n = recv(fd, frame, sizeof(frame), 0);

			if (n < 0)
				fail("recv");
			tally_received(tally, n);
		}
		round_end();
	}
}

static void client(void *unused)
{
	struct sockaddr_storage address;
	int fd = packet_socket(option("client-interface", "lo"), &address);
	struct tally *tally = tally_on(CLIENT, &address);
	struct ether_header *header = (struct ether_header *)frame;

	(void)unused;
	shared_get(0);
	memset(header->ether_dhost, 0xff, sizeof(header->ether_dhost));
	header->ether_type = htons(ETHERTYPE);
	while (round_begin()) {
		for (long i = 0; i < count; i++) {
			ssize_t n = send(fd, frame, random_size(60, ETH_FRAME_LEN), 0);

			if (n < 0)
				fail("send");
			tally_sent(tally, n);
		}
		round_end();
	}
}

int main(int argc, char **argv)
{
	options_from(argc, argv);
	option("client-interface", NULL);
	option("server-interface", NULL);
	count = number_option("count", 50);
	worker(SERVER, server, NULL);
	worker(CLIENT, client, NULL);
	return conduct();
}
