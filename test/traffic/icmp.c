/*
 * Echo requests to --server-address, whose kernel answers. --kind=raw writes ICMP headers itself; --kind=datagram is what an
 * unprivileged ping uses, and the kernel allows it to the groups of net.ipv4.ping_group_range.
 */
#include "traffic.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BYTES = 65536, IDENTIFIER = 4711 };

static unsigned char packet[BYTES];
static bool raw, v6;

static uint16_t checksum(size_t bytes)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < bytes; i += 2)
		sum += (uint32_t)packet[i] << 8 | (i + 1 < bytes ? packet[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void make_request(size_t bytes, uint16_t sequence)
{
	struct icmphdr *v4_header = (struct icmphdr *)packet;
	struct icmp6_hdr *v6_header = (struct icmp6_hdr *)packet;

	memset(packet, 0, sizeof(*v6_header));
	if (v6) {
		v6_header->icmp6_type = ICMP6_ECHO_REQUEST;
		v6_header->icmp6_id = htons(IDENTIFIER);
		v6_header->icmp6_seq = htons(sequence);
		return;
	}
	v4_header->type = ICMP_ECHO;
	v4_header->un.echo.id = htons(IDENTIFIER);
	v4_header->un.echo.sequence = htons(sequence);
	v4_header->checksum = checksum(bytes);
}

static bool is_reply(size_t bytes)
{
	size_t start = raw && !v6 ? 20 : 0;

	return bytes > start && packet[start] == (v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY);
}

/* A raw socket on loopback gets the requests as well: all counts, until the reply is there. */
static void await_reply(struct tally *tally, int fd)
{
	struct sockaddr_storage from;
	socklen_t length;
	ssize_t n;

	do {
		length = sizeof(from);
		n = recvfrom(fd, packet, BYTES, 0, (struct sockaddr *)&from, &length);
		if (n < 0)
			fail("recvfrom");
		tally_received(tally, n);
	} while (!is_reply((size_t)n));
}

static void client(void *unused)
{
	struct sockaddr_storage to = server_address(0);
	long count = number_option("count", 10);
	int fd = socket(to.ss_family, raw ? SOCK_RAW : SOCK_DGRAM, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	struct tally *tally;

	(void)unused;
	if (fd < 0)
		unsupported("socket of ICMP");
	tally = tally_new(CLIENT, v6 ? "ICMPV6" : "ICMP");
	tally->local = client_address();
	tally->remote = to;
	while (round_begin()) {
		for (long i = 0; i < count; i++) {
			size_t bytes = random_size(64, 1000);
			ssize_t n;

			make_request(bytes, (uint16_t)i);
			n = sendto(fd, packet, bytes, 0, (struct sockaddr *)&to, length_of(&to));
			if (n < 0)
				fail("sendto");
			tally_sent(tally, n);
			await_reply(tally, fd);
		}
		round_end();
	}
}

int main(int argc, char **argv)
{
	options_from(argc, argv);
	raw = strcmp(option("kind", "raw"), "raw") == 0;
	v6 = address_family() == AF_INET6;
	number_option("count", 0);
	worker(CLIENT, client, NULL);
	return conduct();
}
