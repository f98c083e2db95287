/*
 * A process that spends known amounts while it has a connection, and tells what the kernel says that it spent. It stays
 * until its standard input ends.
 * --works: one connection for each, one after the other
 *   none, burn (--ms of CPU time in each thread), short (one millisecond), faults (--pages), memory (--mib, given back
 *   before the end), read and write (--mib of --file, cold), given (as burn, while another process has the connection
 *   and closes it)
 * --threads: so many do the work, and are gone before the connection ends; with --stay=sleeping they are there and sleep,
 *   with --stay=running they run on
 * --outer=1: one more connection lasts from after the first to the end
 * --side=server: the process accepts instead of connecting
 */
#define _GNU_SOURCE
#include "readings.h"
#include "traffic.h"
#include "works.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_THREADS = 64 };

static long threads, milliseconds, pages, mebibytes;
static bool sleeping, running, server_side, outer;
static const char *works, *file;
static pthread_barrier_t worked, leave;
static atomic_bool over;

static void none(void)
{
}

static void burn(void)
{
	burn_for(milliseconds * 1000000);
}

static void burn_on(void)
{
	burn();
}

static void burn_shortly(void)
{
	burn_for(1000000);
}

static void fault(void)
{
	touch((size_t)pages * PAGE);
}

static void grow(void)
{
	touch((size_t)mebibytes << 20);
}

static void read_file(void)
{
	read_cold_file(file);
}

static void write_file(void)
{
	write_cold_file(file, mebibytes);
}

static const struct {
	const char *name;
	void (*body)(void);
} kinds[] = {{"none", none},   {"burn", burn},	    {"short", burn_shortly}, {"faults", fault},
	     {"memory", grow}, {"read", read_file}, {"write", write_file}, {"given", burn_on}};

static void *thread(void *body)
{
	((void (*)(void))body)();
	if (sleeping || running)
		pthread_barrier_wait(&worked);
	if (sleeping)
		pthread_barrier_wait(&leave);
	while (running && !over)
		sink++;
	return NULL;
}

static pthread_t started[MAX_THREADS];

static void work(void (*body)(void))
{
	over = false;
	if (threads == 0) {
		body();
		return;
	}
	for (long i = 0; i < threads; i++) {
		if (pthread_create(&started[i], NULL, thread, (void *)body) != 0)
			fail("pthread_create");
	}
	if (sleeping || running)
		pthread_barrier_wait(&worked);
	if (running)
		usleep((unsigned)milliseconds * 1000);
	for (long i = 0; i < threads && !sleeping && !running; i++)
		pthread_join(started[i], NULL);
}

static void dismiss(void)
{
	if (threads == 0 || !(sleeping || running))
		return;
	if (sleeping)
		pthread_barrier_wait(&leave);
	over = true;
	for (long i = 0; i < threads; i++)
		pthread_join(started[i], NULL);
}

static void one_byte(int fd, bool sends)
{
	char byte = 1;

	if ((sends ? write(fd, &byte, 1) : read(fd, &byte, 1)) != 1)
		fail("one byte");
}

/* The other end of a connection: a byte each way, then it waits for the end. */
static void attend(void *argument)
{
	int fd = *(int *)argument;
	char byte;

	one_byte(fd, server_side);
	one_byte(fd, !server_side);
	while (read(fd, &byte, 1) > 0)
		;
}

static void peer(void *listener)
{
	size_t count = outer ? 2 : 1;

	for (const char *at = works; (at = strchr(at, ',')); at++)
		count++;
	for (size_t i = 0; i < count; i++) {
		int fd = server_side ? connect_tcp((uint16_t)shared_get(0)) : accept_tcp(*(int *)listener);

		start_process(attend, &fd);
		close(fd);
	}
	while (wait(NULL) > 0)
		;
}

struct connection {
	int fd;
	struct readings before; /* it was opened: CPU time alone */
};

static struct connection open_connection(int listener)
{
	struct connection made = {.before = read_cpu()};

	made.fd = server_side ? accept_tcp(listener) : connect_tcp((uint16_t)shared_get(0));
	one_byte(made.fd, !server_side);
	if (!server_side)
		one_byte(made.fd, false);
	return made;
}

static int heir_waits[2];

/* Gets the connection, and closes it when it is told to. */
static void inherit(void *argument)
{
	int fd = *(int *)argument;

	close(heir_waits[1]);
	one_byte(heir_waits[0], false);
	one_byte(fd, true);
	close(fd);
}

static pid_t give_away(int fd)
{
	pid_t heir;

	checked(pipe(heir_waits), "pipe");
	heir = start_process(inherit, &fd);
	close(heir_waits[0]);
	return heir;
}

static void close_connection(const struct connection *made, pid_t heir, const char *name, size_t length,
			     const struct readings *from, const struct readings *to)
{
	struct sockaddr_storage local = local_of(made->fd), remote = remote_of(made->fd);
	struct readings after;

	if (server_side && !heir)
		one_byte(made->fd, true);
	close(made->fd);
	if (heir) {
		one_byte(heir_waits[1], true);
		close(heir_waits[1]);
		wait_for(heir);
	}
	after = read_cpu();
	printf("{\"work\":\"%.*s\",\"pid\":%d,\"localPort\":%u,\"remotePort\":%u,\"cpuAroundNs\":%ld,", (int)length, name,
	       getpid(), port_of(&local), port_of(&remote), after.cpu_ns - made->before.cpu_ns);
	print_spent(from, to);
	printf("}\n");
	fflush(stdout);
}

static void flow(int listener, const char *name, size_t length)
{
	struct readings from, to;
	void (*body)(void) = NULL;
	struct connection made;
	pid_t heir = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) == length && memcmp(kinds[i].name, name, length) == 0)
			body = kinds[i].body;
	}
	if (!body) {
		fprintf(stderr, "unknown work %s\n", name);
		exit(2);
	}
	if (body == read_file || body == write_file)
		make_cold_file(file, mebibytes);
	made = open_connection(listener);
	if (body == burn_on)
		heir = give_away(made.fd);
	from = body == burn_shortly ? read_cpu() : read_self(1);
	work(body);
	to = body == burn_shortly ? read_cpu() : read_self(0);
	close_connection(&made, heir, name, length, &from, &to);
	dismiss();
}

int main(int argc, char **argv)
{
	struct connection outermost = {.fd = -1};
	struct readings outer_from;
	int listener;
	pid_t other;

	options_from(argc, argv);
	works = option("works", "none");
	threads = number_option("threads", 0);
	milliseconds = number_option("ms", 100);
	pages = number_option("pages", 1000);
	mebibytes = number_option("mib", 200);
	file = option("file", "");
	sleeping = strcmp(option("stay", ""), "sleeping") == 0;
	running = strcmp(option("stay", ""), "running") == 0;
	outer = number_option("outer", 0);
	server_side = strcmp(option("side", "client"), "server") == 0;
	if (threads > MAX_THREADS)
		return 2;
	pthread_barrier_init(&worked, NULL, (unsigned)threads + 1);
	pthread_barrier_init(&leave, NULL, (unsigned)threads + 1);
	listener = listen_tcp(0);
	post_port(0, listener);
	other = start_process(peer, &listener);
	readings_open();
	for (const char *at = works; at;) {
		const char *comma = strchr(at, ',');

		flow(listener, at, comma ? (size_t)(comma - at) : strlen(at));
		at = comma ? comma + 1 : NULL;
		if (outer && outermost.fd < 0) {
			outermost = open_connection(listener);
			outer_from = read_self(1);
		}
	}
	if (outer) {
		struct readings to = read_self(0);

		close_connection(&outermost, 0, "outer", strlen("outer"), &outer_from, &to);
	}
	wait_for(other);
	while (getchar() != EOF)
		;
	return 0;
}
