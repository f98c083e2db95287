/* One benchmark's traffic: a server and a client on one CPU, counted while the benchmark's windows go by. */
#ifndef PROCFLOW_BENCH_WORKLOAD_H
#define PROCFLOW_BENCH_WORKLOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct options {
    const char *mode;
    int cpu;       /* both ends run there; -1 anywhere */
    uint16_t port; /* of a server that is not ours */
    long rate;     /* operations a second at most; 0 as fast as they go */
    long count;    /* stop after so many; 0 never */
    pid_t also;    /* a process whose CPU time counts as well; 0 none */
};

/* What the two ends of a pair share with each other and with the reporter. Each counter has a cache line to itself. */
struct arena {
    _Alignas(64) _Atomic uint64_t operations; /* written by one end only */
    _Alignas(64) _Atomic uint16_t port;       /* where the server listens; 0 not yet */
    int credits;                              /* an eventfd, from the receiver to the sender */
};

/* One end; it runs in a process of its own and never returns. */
typedef void end_fn(struct arena *arena, const struct options *options);

end_fn bulk_server, bulk_client;
end_fn echo_server, echo_client;
end_fn connections_server, connections_client;
end_fn hold_server, hold_client;
end_fn udp_connected_server, udp_connected_client;
end_fn udp_unconnected_server, udp_unconnected_client;
end_fn http_client;
end_fn sleep_client;

/* Runs a program on one CPU, ended with its parent: `launch CPU PROGRAM ARGUMENT…`. */
int launch(int argc, char **argv);

/* common.c */
_Noreturn void die(const char *what);
void pin(int cpu);
uint64_t now_ns(void);
void count(struct arena *arena, uint64_t operations);

/* sockets.c */
int listen_loopback(struct arena *arena);
int accept_one(int listener);
int connect_loopback(struct arena *arena, uint32_t which_address);
int connect_port(uint16_t port, uint32_t which_address);
void publish_port(struct arena *arena, int socket);
uint16_t await_port(struct arena *arena);
void send_all(int socket, const void *data, size_t length);
bool receive_all(int socket, void *data, size_t length);

/* pace.c */
struct pace {
    long rate;
    long count;
    uint64_t started_ns;
    uint64_t done;
};

struct pace pace_start(const struct options *options);
void pace_next(struct pace *pace);

#endif
