/*
 * Frames that no honest sender makes, from a packet socket on --client-interface to the sockets of a server behind
 * --server-interface: a UDP socket, a listener, and a connection. Most are right but for some bytes, and have checksums that
 * the kernel accepts, so that they get as far as the sockets.
 */
#include "traffic.h"

#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAX_FRAME = 1514 };

/* What the server posts. */
enum { LISTENER, DATAGRAMS, SERVER_MAC };

static const unsigned char extension_headers[] = {0, 43, 44, 60, 135, 59, 17, 6, 255};

static long count;
static unsigned char frame[MAX_FRAME];

static long mac_of(const char *interface)
{
	struct ifreq request = {0};
	int fd = checked(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	long mac = 0;

	strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
	checked(ioctl(fd, SIOCGIFHWADDR, &request), "SIOCGIFHWADDR");
	close(fd);
	memcpy(&mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	return mac;
}

static void server(void *unused)
{
	struct sockaddr_storage address = server_address(0);
	int listener = listen_tcp(0), datagrams, connection;

	(void)unused;
	datagrams = checked(socket(address.ss_family, SOCK_DGRAM, 0), "socket");
	checked(bind(datagrams, (struct sockaddr *)&address, length_of(&address)), "bind");
	post_port(LISTENER, listener);
	post_port(DATAGRAMS, datagrams);
	shared_post(SERVER_MAC, mac_of(option("server-interface", "lo")));
	connection = accept_tcp(listener);
	while (round_begin())
		round_end();
	close(connection);
}

static uint32_t add_up(const void *bytes, size_t length, uint32_t sum)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(at[i] << 8 | at[i + 1]);
	return length % 2 ? sum + (uint32_t)(at[length - 1] << 8) : sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Some bytes of a header become others. */
static void spoil(unsigned char *header, size_t length)
{
	for (uint32_t times = random_below(4); times > 0; times--)
		header[random_below((uint32_t)length)] = (unsigned char)random_below(256);
}

static size_t put_tcp(unsigned char *to, uint16_t from_port, uint16_t to_port, size_t payload)
{
	struct tcphdr tcp = {
		.source = htons(from_port), .dest = htons(to_port), .seq = random_below(1u << 31), .doff = 5};
	size_t options = 4 * random_below(11);

	((unsigned char *)&tcp)[13] = (unsigned char)random_below(256);
	tcp.doff = (uint16_t)(random_below(4) ? 5 + options / 4 : random_below(16)) & 15;
	if (random_below(4) == 0)
		spoil((unsigned char *)&tcp, sizeof(tcp));
	memcpy(to, &tcp, sizeof(tcp));
	fill_random(to + sizeof(tcp), options + payload);
	return sizeof(tcp) + options + payload;
}

static size_t put_udp(unsigned char *to, uint16_t from_port, uint16_t to_port, size_t payload)
{
	struct udphdr udp = {.source = htons(from_port), .dest = htons(to_port)};

	udp.len = htons((uint16_t)(random_below(3) ? sizeof(udp) + payload : random_below(2000)));
	memcpy(to, &udp, sizeof(udp));
	fill_random(to + sizeof(udp), payload);
	return sizeof(udp) + payload;
}

static void sum_transport(unsigned char *transport, size_t length, unsigned char protocol, uint32_t pseudo)
{
	size_t at = protocol == IPPROTO_TCP ? offsetof(struct tcphdr, check) : offsetof(struct udphdr, check);
	uint16_t sum;

	if (length < 20 || random_below(8) == 0)
		return;
	memset(transport + at, 0, 2);
	sum = folded(add_up(transport, length, pseudo + protocol + (uint32_t)length));
	memcpy(transport + at, &sum, 2);
}

static size_t put_v4(unsigned char *ip, const struct sockaddr_storage *from, const struct sockaddr_storage *to,
		     unsigned char protocol, size_t (*put)(unsigned char *, uint16_t, uint16_t, size_t))
{
	size_t options = random_below(3) ? 0 : 4 * random_below(11), header = sizeof(struct iphdr) + options, length;
	struct iphdr v4 = {.version = 4, .ttl = 64, .protocol = protocol, .id = (uint16_t)random_below(16)};

	length = header + put(ip + header, port_of(from), port_of(to), random_below(1200));
	v4.ihl = (unsigned)(header / 4) & 15;
	v4.tot_len = htons((uint16_t)length);
	v4.saddr = ((const struct sockaddr_in *)from)->sin_addr.s_addr;
	v4.daddr = ((const struct sockaddr_in *)to)->sin_addr.s_addr;
	if (random_below(4) == 0)
		v4.frag_off = htons((uint16_t)(random_below(2) ? 0x2000 | random_below(200) : random_below(0x10000)));
	sum_transport(ip + header, length - header, protocol, add_up(&v4.saddr, 8, 0));
	if (random_below(4) == 0)
		spoil((unsigned char *)&v4, 12);
	memcpy(ip, &v4, sizeof(v4));
	fill_random(ip + sizeof(v4), options);
	if (random_below(8))
		((struct iphdr *)ip)->check = folded(add_up(ip, header, 0));
	return length;
}

static size_t put_v6(unsigned char *ip, const struct sockaddr_storage *from, const struct sockaddr_storage *to,
		     unsigned char protocol, size_t (*put)(unsigned char *, uint16_t, uint16_t, size_t))
{
	size_t header = sizeof(struct ip6_hdr), length;
	struct ip6_hdr v6 = {.ip6_hlim = 64, .ip6_nxt = protocol};
	unsigned char *next = &v6.ip6_nxt;

	v6.ip6_flow = htonl(6u << 28);
	v6.ip6_src = ((const struct sockaddr_in6 *)from)->sin6_addr;
	v6.ip6_dst = ((const struct sockaddr_in6 *)to)->sin6_addr;
	for (uint32_t extensions = random_below(2) ? 0 : random_below(6); extensions > 0; extensions--) {
		unsigned char *extension = ip + header;

		memset(extension, 0, 8);
		extension[0] = *next;
		extension[1] = random_below(4) ? 0 : (unsigned char)random_below(4);
		/* PadN over the rest, or whatever. */
		extension[2] = 1;
		extension[3] = 4;
		if (random_below(4) == 0)
			fill_random(extension + 2, 6);
		*next = extension_headers[random_below(sizeof(extension_headers))];
		next = extension;
		header += 8;
	}
	length = header + put(ip + header, port_of(from), port_of(to), random_below(1200));
	v6.ip6_plen = htons((uint16_t)(random_below(8) ? length - sizeof(v6) : random_below(0x10000)));
	sum_transport(ip + header, length - header, protocol, add_up(&v6.ip6_src, 32, 0));
	if (random_below(8) == 0)
		spoil((unsigned char *)&v6, 8);
	memcpy(ip, &v6, sizeof(v6));
	return length;
}

static size_t make_frame(const struct sockaddr_storage *from, const struct sockaddr_storage *to, unsigned char protocol)
{
	struct ether_header *link = (struct ether_header *)frame;
	long mac = shared_get(SERVER_MAC);
	bool v6 = to->ss_family == AF_INET6;
	size_t length;

	memcpy(link->ether_dhost, &mac, ETH_ALEN);
	link->ether_type = htons(v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	length = sizeof(*link) + (v6 ? put_v6 : put_v4)(frame + sizeof(*link), from, to, protocol,
							  protocol == IPPROTO_TCP ? put_tcp : put_udp);
	/* Cut short now and then. */
	return random_below(16) ? length : sizeof(*link) + random_below((uint32_t)(length - sizeof(*link)));
}

static void client(void *unused)
{
	struct sockaddr_storage local, listener = server_address((uint16_t)shared_get(LISTENER)), datagrams = listener;
	int connection = connect_tcp((uint16_t)shared_get(LISTENER)), fd;
	struct sockaddr_ll link = {.sll_family = AF_PACKET};
	struct tally *tally;

	(void)unused;
	set_port(&datagrams, (uint16_t)shared_get(DATAGRAMS));
	fd = checked(socket(AF_PACKET, SOCK_RAW, 0), "socket");
	link.sll_ifindex = (int)if_nametoindex(option("client-interface", "lo"));
	checked(bind(fd, (struct sockaddr *)&link, sizeof(link)), "bind");
	tally = tally_new(CLIENT, "PACKET");
	tally->local = tally->remote = any_address(AF_PACKET);
	while (round_begin()) {
		for (long i = 0; i < count; i++) {
			const struct sockaddr_storage *to = i % 3 == 0 ? &datagrams : &listener;
			size_t length;
			ssize_t n;

			local = local_of(connection);
			/* Every third to the connection that is open; others look like new ones. */
			if (i % 3 != 1)
				set_port(&local, (uint16_t)(1024 + random_below(60000)));
			length = make_frame(&local, to, i % 3 == 0 ? IPPROTO_UDP : IPPROTO_TCP);
			n = send(fd, frame, length > MAX_FRAME ? MAX_FRAME : length, 0);
			if (n < 0)
				fail("send");
			tally_sent(tally, n);
		}
		round_end();
	}
	close(connection);
}

int main(int argc, char **argv)
{
	options_from(argc, argv);
	option("client-interface", NULL);
	option("server-interface", NULL);
	count = number_option("count", 5000);
	worker(SERVER, server, NULL);
	worker(CLIENT, client, NULL);
	return conduct();
}
