/* Datagrams of 64 bytes one way; an operation is one received. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workload.h"

#define DATAGRAM_BYTES 64
/* The sender is at most a window ahead, which the receive buffer holds: nothing is ever lost. */
#define WINDOW 128
#define CREDIT 64

static char buffer[DATAGRAM_BYTES];

static int receiver(struct arena *arena) {
    int server = socket(AF_INET, SOCK_DGRAM, 0);
    if (server < 0) die("socket");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(server, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
    publish_port(arena, server);
    return server;
}

static void received(struct arena *arena, uint64_t total) {
    count(arena, 1);
    if (total % CREDIT != 0) return;
    uint64_t credit = CREDIT;
    if (write(arena->credits, &credit, sizeof credit) != sizeof credit) die("write to the eventfd");
}

static void await_credit(struct arena *arena, uint64_t *window) {
    if (*window == 0 && read(arena->credits, window, sizeof *window) != sizeof *window) die("read from the eventfd");
    (*window)--;
}

void udp_connected_server(struct arena *arena, const struct options *options) {
    (void)options;
    int server = receiver(arena);
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    if (recvfrom(server, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &length) < 0) die("recvfrom");
    if (connect(server, (struct sockaddr *)&peer, length) != 0) die("connect");
    received(arena, 1);
    for (uint64_t total = 2;; total++) {
        if (recv(server, buffer, sizeof buffer, 0) < 0) die("recv");
        received(arena, total);
    }
}

static struct sockaddr_in receiver_address(struct arena *arena) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(await_port(arena)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

void udp_connected_client(struct arena *arena, const struct options *options) {
    (void)options;
    struct sockaddr_in server = receiver_address(arena);
    int client = socket(AF_INET, SOCK_DGRAM, 0);
    if (client < 0) die("socket");
    if (connect(client, (struct sockaddr *)&server, sizeof server) != 0) die("connect");
    for (uint64_t window = WINDOW;;) {
        await_credit(arena, &window);
        if (send(client, buffer, sizeof buffer, 0) < 0) die("send");
    }
}

void udp_unconnected_server(struct arena *arena, const struct options *options) {
    (void)options;
    int server = receiver(arena);
    for (uint64_t total = 1;; total++) {
        struct sockaddr_in peer;
        socklen_t length = sizeof peer;
        if (recvfrom(server, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &length) < 0) die("recvfrom");
        received(arena, total);
    }
}

void udp_unconnected_client(struct arena *arena, const struct options *options) {
    (void)options;
    struct sockaddr_in server = receiver_address(arena);
    int client = socket(AF_INET, SOCK_DGRAM, 0);
    if (client < 0) die("socket");
    for (uint64_t window = WINDOW;;) {
        await_credit(arena, &window);
        if (sendto(client, buffer, sizeof buffer, 0, (struct sockaddr *)&server, sizeof server) < 0) die("sendto");
    }
}
