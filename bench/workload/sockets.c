#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workload.h"

/* Connections go to so many addresses in turn: the ports of one would run out, each waits a minute after its close. */
#define ADDRESSES 200

static struct sockaddr_in loopback(uint16_t port, uint32_t which_address) {
    uint32_t address = INADDR_LOOPBACK + which_address % ADDRESSES;
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
}

/* On every address of 127.0.0.0/8; bound to the loopback interface, so that nobody else reaches it. */
int listen_loopback(struct arena *arena) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) die("socket");
    if (setsockopt(listener, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0) die("SO_BINDTODEVICE");
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    if (bind(listener, (struct sockaddr *)&any, sizeof any) != 0) die("bind");
    if (listen(listener, 1024) != 0) die("listen");
    publish_port(arena, listener);
    return listener;
}

void publish_port(struct arena *arena, int socket) {
    struct sockaddr_in bound;
    socklen_t length = sizeof bound;
    if (getsockname(socket, (struct sockaddr *)&bound, &length) != 0) die("getsockname");
    atomic_store(&arena->port, ntohs(bound.sin_port));
}

uint16_t await_port(struct arena *arena) {
    uint16_t port;
    while ((port = atomic_load(&arena->port)) == 0) usleep(100);
    return port;
}

int accept_one(int listener) {
    int connection = accept(listener, NULL, NULL);
    if (connection < 0) die("accept");
    return connection;
}

int connect_loopback(struct arena *arena, uint32_t which_address) {
    return connect_port(await_port(arena), which_address);
}

int connect_port(uint16_t port, uint32_t which_address) {
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connection < 0) die("socket");
    struct sockaddr_in server = loopback(port, which_address);
    if (connect(connection, (struct sockaddr *)&server, sizeof server) != 0) die("connect");
    int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connection;
}

void send_all(int socket, const void *data, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t sent = send(socket, (const char *)data + done, length - done, MSG_NOSIGNAL);
        if (sent < 0) die("send");
        done += (size_t)sent;
    }
}

/* false at the end of the stream */
bool receive_all(int socket, void *data, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t received = recv(socket, (char *)data + done, length - done, 0);
        if (received < 0) die("recv");
        if (received == 0) return false;
        done += (size_t)received;
    }
    return true;
}
