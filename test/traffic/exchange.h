/*
 * Requests and their answers over TCP: what the servers of the attribution generators have in common. A request tells how
 * many bytes it has and how many the answer is to have.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "traffic.h"

struct request {
	uint32_t up; /* with this head */
	uint32_t down;
};

/* Sends a request and reads its answer. */
void request(struct tally *tally, int fd, uint32_t up, uint32_t down);
/* Answers one request; false when the client has ended. */
bool serve(struct tally *tally, int fd);
/* The parts of `serve`, for those who share one. */
bool read_request(struct tally *tally, int fd, struct request *request);
void answer(struct tally *tally, int fd, const struct request *rest);

/* A worker's body: accepts at most `limit` connections, serves them, and closes them when the rounds end. */
void serve_connections(int listener, int limit);
/* Serves a connection until its client ends; its own process or thread. */
void serve_connection(int fd);

/*
 * A whole generator, after its options: its server starts a process with `child` for each accepted connection, its client
 * makes requests on them. Gives main's exit code.
 */
int fork_for_connections(int connections, void (*child)(int fd));

/* A worker's body: opens connections to a port, 0 for the one posted in slot 0, and makes a request of random size on each in each round. */
struct clients {
	uint16_t port;
	int connections;
};
void make_requests(void *clients);

/* All connections of a process in one tally; `tally` then stands for them. */
extern bool exchange_sums;

#endif
