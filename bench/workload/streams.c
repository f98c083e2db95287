/* One long connection: bulk, where an operation is 128 KiB received, and echo, where it is 64 bytes there and back. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "workload.h"

#define BULK_BYTES (128 * 1024)
#define ECHO_BYTES 64

static char buffer[BULK_BYTES];

void bulk_server(struct arena *arena, const struct options *options) {
    (void)options;
    int connection = accept_one(listen_loopback(arena));
    while (receive_all(connection, buffer, BULK_BYTES)) count(arena, 1);
}

void bulk_client(struct arena *arena, const struct options *options) {
    (void)options;
    int connection = connect_loopback(arena, 0);
    while (true) send_all(connection, buffer, BULK_BYTES);
}

void echo_server(struct arena *arena, const struct options *options) {
    (void)options;
    int connection = accept_one(listen_loopback(arena));
    int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (receive_all(connection, buffer, ECHO_BYTES)) send_all(connection, buffer, ECHO_BYTES);
}

void echo_client(struct arena *arena, const struct options *options) {
    (void)options;
    int connection = connect_loopback(arena, 0);
    while (true) {
        send_all(connection, buffer, ECHO_BYTES);
        if (!receive_all(connection, buffer, ECHO_BYTES)) return;
        count(arena, 1);
    }
}
