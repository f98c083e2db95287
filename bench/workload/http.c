/* Keep-alive requests to a web server that is not ours; an operation is one response read whole. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "workload.h"

/* As a load generator does it: some connections, each with one request under way. */
#define CONNECTIONS 8

static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
static char response[64 * 1024];

static _Noreturn void unexpected(const char *what) {
    fprintf(stderr, "workload: %s\n", what);
    exit(1);
}

/* All responses are of one length: learnt from the first, then read without looking. */
static size_t first_response(int connection) {
    send_all(connection, REQUEST, sizeof REQUEST - 1);
    size_t length = 0;
    char *body = NULL;
    while (body == NULL) {
        ssize_t received = recv(connection, response + length, sizeof response - 1 - length, 0);
        if (received < 0) die("recv");
        if (received == 0) unexpected("the web server closed the connection");
        length += (size_t)received;
        response[length] = 0;
        body = strstr(response, "\r\n\r\n");
    }
    if (strncmp(response, "HTTP/1.1 200", 12) != 0) unexpected("the web server did not answer with 200");
    char *announced = strcasestr(response, "\r\nContent-Length:");
    if (announced == NULL) unexpected("the response has no Content-Length");
    size_t whole = (size_t)(body + 4 - response) + strtoul(announced + 17, NULL, 10);
    if (whole >= sizeof response) unexpected("the response is too long");
    if (!receive_all(connection, response + length, whole - length)) unexpected("the response is cut off");
    return whole;
}

void http_client(struct arena *arena, const struct options *options) {
    int connections[CONNECTIONS];
    size_t length = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        connections[i] = connect_port(options->port, 0);
        length = first_response(connections[i]);
    }
    while (true) {
        for (int i = 0; i < CONNECTIONS; i++) send_all(connections[i], REQUEST, sizeof REQUEST - 1);
        for (int i = 0; i < CONNECTIONS; i++) {
            if (!receive_all(connections[i], response, length)) unexpected("the web server closed the connection");
            count(arena, 1);
        }
    }
}
