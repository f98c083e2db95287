/*
 * What the generators share: processes that work in rounds, sockets, and the tallies of what each process moved on each
 * socket by the return values of its own system calls.
 *
 * A generator's main process conducts: it starts workers, lets all of them do a round, prints the tallies as one line of
 * JSON, and waits on standard input: a line starts the next round, its end makes the workers close their sockets and exit.
 */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Exit code that says: this machine cannot do that; the reason is on standard error. */
#define EXIT_UNSUPPORTED 77

noreturn void fail(const char *what);
noreturn void unsupported(const char *what);

/* Options are `--name=value`. One that nobody asked for is refused when the first round ends. */
void options_from(int argc, char **argv);
const char *option(const char *name, const char *fallback);
long number_option(const char *name, long fallback);

/* Which end of a conversation a process serves; decides its network namespace and its place in the JSON. */
enum side { CLIENT, SERVER };

/* What one process moved on one socket with one peer. Lives in memory that all processes of the generator share. */
struct tally {
	enum side side;
	char protocol[8]; /* as the API names it */
	pid_t pid;
	struct sockaddr_storage local;
	struct sockaddr_storage remote;
	uint64_t sent;
	uint64_t received;
	uint64_t send_calls;
	uint64_t receive_calls;
	uint32_t sockets; /* how many sockets it sums; 1 for most */
	int error; /* errno that ended it; 0 none */
};

struct tally *tally_new(enum side side, const char *protocol);
/* Takes both addresses from a connected socket. */
struct tally *tally_of(enum side side, const char *protocol, int fd);
void tally_sent(struct tally *tally, ssize_t bytes);
void tally_received(struct tally *tally, ssize_t bytes);

/* Memory that all processes of the generator share, zeroed; also after exec, through SHARED_FD. */
#define SHARED_FD 100
void shared_attach(void);
uint32_t tally_index(const struct tally *tally);
struct tally *tally_at(uint32_t index);
/* A number handed from one process to the others: `post` may be called once per slot, `get` waits for it. */
enum { SLOTS = 128 };
void shared_post(int slot, long value);
long shared_get(int slot);
/* Takes what was posted, so that the next one waits. */
void shared_take(int slot);
/* Posts the local port of a socket. */
void post_port(int slot, int fd);

/*
 * Starts a process with `body`, in the side's network namespace, in --cgroup, as --as-uid; it exits with 0 when `body`
 * returns.
 */
void worker(enum side side, void (*body)(void *), void *argument);
/* The body calls these around the work of each round; false when there are no more. */
bool round_begin(void);
void round_end(void);
/* Runs the rounds, prints, waits, and gives main's exit code. */
int conduct(void);
void print_report(void);

/* In a program that a worker's body exec'ed: goes on with the worker's rounds. `round_pass` says so before the exec. */
void round_pass(void);
void round_adopt(void);
/* What to poll for the next round besides other work: readable when `round_begin` will not wait. */
int round_fd(void);
/* A report waits until as many requests were served as were made. */
void request_made(void);
void request_served(void);

/* A process outside the rounds, waited for by whoever started it. */
pid_t start_process(void (*body)(void *), void *argument);
void wait_for(pid_t pid);

/* Enters the namespace of a side, when one was named by --client-netns or --server-netns. */
void enter_netns(enum side side);

/* The path of another program in the same directory. */
const char *sibling(const char *name);

int checked(int result, const char *what);

/* --family=v4 (default), v6 or mapped: IPv4 through IPv6 sockets. */
int address_family(void);
/* The server's address: --server-address or loopback; `mapped` as such. */
struct sockaddr_storage server_address(uint16_t port);
struct sockaddr_storage client_address(void);
struct sockaddr_storage address_of(const char *text, uint16_t port);
struct sockaddr_storage any_address(int family);
socklen_t length_of(const struct sockaddr_storage *address);
uint16_t port_of(const struct sockaddr_storage *address);
void set_port(struct sockaddr_storage *address, uint16_t port);
struct sockaddr_storage local_of(int fd);
struct sockaddr_storage remote_of(int fd);

int listen_tcp(int flags);
int connect_tcp(uint16_t port);
int accept_tcp(int listener);

/* Pseudo-random, the same in each run. */
uint32_t random_below(uint32_t limit);
/* Between the two, both included. */
size_t random_size(size_t low, size_t high);
void fill_random(void *buffer, size_t bytes);

/* Plain loops, all of it counted. */
void write_all(struct tally *tally, int fd, size_t bytes);
void read_all(struct tally *tally, int fd, size_t bytes);
/* Reads until the other side's end; gives the bytes. */
size_t read_to_end(struct tally *tally, int fd);

#endif
