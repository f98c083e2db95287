/* Many connections: made and closed again, or made and held open. Each moves one byte each way. */
#include <unistd.h>

#include "workload.h"

void connections_server(struct arena *arena, const struct options *options) {
    (void)options;
    int listener = listen_loopback(arena);
    while (true) {
        int connection = accept_one(listener);
        char byte;
        if (receive_all(connection, &byte, 1)) send_all(connection, &byte, 1);
        /* The client closes first, always: which side waits out TIME_WAIT is no matter of luck. */
        receive_all(connection, &byte, 1);
        close(connection);
    }
}

static int exchange_byte(struct arena *arena, uint32_t which_address) {
    int connection = connect_loopback(arena, which_address);
    char byte = 'x';
    send_all(connection, &byte, 1);
    receive_all(connection, &byte, 1);
    return connection;
}

void connections_client(struct arena *arena, const struct options *options) {
    struct pace pace = pace_start(options);
    for (uint32_t i = 0;; i++) {
        pace_next(&pace);
        close(exchange_byte(arena, i));
        count(arena, 1);
    }
}

void hold_server(struct arena *arena, const struct options *options) {
    (void)options;
    int listener = listen_loopback(arena);
    while (true) {
        int connection = accept_one(listener);
        char byte;
        if (receive_all(connection, &byte, 1)) send_all(connection, &byte, 1);
    }
}

void hold_client(struct arena *arena, const struct options *options) {
    struct pace pace = pace_start(options);
    for (uint32_t i = 0;; i++) {
        pace_next(&pace);
        exchange_byte(arena, i);
        count(arena, 1);
    }
}
