/*
 * An HTTP server that knows what its requests cost. The target of a request names the work, /WORK/AMOUNT/…:
 *   none, burn (ms of CPU time), faults (pages), memory (MiB, given back before the answer), read and write (MiB of
 *   --file, cold), slow (ms of CPU time, and four times as long asleep), age (ms of CPU time in each of two threads,
 *   memory and a cold file besides: what a long life leaves behind)
 * It tells its port, and of each request, as lines of JSON, what the kernel says of it between the call that takes the
 * request and the one that sends the answer, both included.
 * --threads: so many serve, each one connection after the other, and tell of CPU time alone; else there is one
 */
#define _GNU_SOURCE
#include "readings.h"
#include "traffic.h"
#include "works.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_THREADS = 64, HEAD_BYTES = 4096, WORK_BYTES = 32, AGE_MEBIBYTES = 32 };

static const char *file;
static long threads;

static void none(long amount)
{
	(void)amount;
}

static void burn(long amount)
{
	burn_for(amount * 1000000);
}

static void fault(long amount)
{
	touch((size_t)amount * PAGE);
}

static void grow(long amount)
{
	touch((size_t)amount << 20);
}

static void read_file(long amount)
{
	(void)amount;
	read_cold_file(file);
}

static void write_file(long amount)
{
	write_cold_file(file, amount);
}

static void slow(long amount)
{
	burn(amount);
	usleep((unsigned)amount * 4000);
}

static void *burn_in_thread(void *amount)
{
	burn(*(long *)amount);
	return NULL;
}

static void age(long amount)
{
	pthread_t both[2];

	for (int i = 0; i < 2; i++) {
		if (pthread_create(&both[i], NULL, burn_in_thread, &amount) != 0)
			fail("pthread_create");
	}
	for (int i = 0; i < 2; i++)
		pthread_join(both[i], NULL);
	grow(AGE_MEBIBYTES);
	read_cold_file(file);
}

enum file { NO_FILE, FILE_OF_AMOUNT, FILE_OF_AGE };

static const struct {
	const char *name;
	void (*body)(long amount);
	enum file file;
} kinds[] = {
	{"none", none, NO_FILE},	   {"burn", burn, NO_FILE},
	{"faults", fault, NO_FILE},	   {"memory", grow, NO_FILE},
	{"slow", slow, NO_FILE},	   {"read", read_file, FILE_OF_AMOUNT},
	{"write", write_file, FILE_OF_AMOUNT}, {"age", age, FILE_OF_AGE},
};

/* Does the work that a head asks for; with `only_prepare` what is to be done before it is measured. */
static void work(const char *head, bool only_prepare)
{
	char name[WORK_BYTES];
	long amount;

	if (sscanf(head, "GET /%31[a-z]/%ld/", name, &amount) != 2)
		fail(head);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		if (!only_prepare)
			kinds[i].body(amount);
		else if (kinds[i].file != NO_FILE)
			make_cold_file(file, kinds[i].file == FILE_OF_AGE ? AGE_MEBIBYTES : amount);
		return;
	}
	fail(name);
}

static void tell(const char *head, const struct readings *from, const struct readings *to)
{
	flockfile(stdout);
	printf("{\"target\":\"%.*s\",\"pid\":%d,\"tid\":%d,", (int)strcspn(head + 4, " "), head + 4, getpid(),
	       gettid());
	print_spent(from, to);
	printf("}\n");
	fflush(stdout);
	funlockfile(stdout);
}

static struct readings read_now(int opens)
{
	return threads ? read_cpu() : read_self(opens);
}

/* One request; false when there is none any more. A head comes in one piece: it is that of a test. */
static bool serve_request(int fd)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	struct readings from, to;
	char head[HEAD_BYTES];
	ssize_t got;

	checked(poll(&readable, 1, -1), "poll");
	got = recv(fd, head, sizeof(head) - 1, MSG_PEEK);
	if (got <= 0)
		return false;
	head[got] = '\0';
	work(head, true);
	from = read_now(1);
	checked((int)read(fd, head, (size_t)got), "read");
	work(head, false);
	if (write(fd, answer, sizeof(answer) - 1) != sizeof(answer) - 1)
		fail("write");
	to = read_now(0);
	tell(head, &from, &to);
	return true;
}

static void *serve(void *listener)
{
	while (true) {
		int fd = accept_tcp(*(int *)listener);

		while (serve_request(fd))
			;
		close(fd);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage local;
	pthread_t thread;
	int listener;

	options_from(argc, argv);
	threads = number_option("threads", 0);
	file = option("file", "");
	if (threads > MOST_THREADS)
		return 2;
	listener = listen_tcp(0);
	local = local_of(listener);
	if (!threads)
		readings_open();
	printf("{\"port\":%u}\n", port_of(&local));
	fflush(stdout);
	if (!threads)
		serve(&listener);
	for (long i = 0; i < threads; i++) {
		if (pthread_create(&thread, NULL, serve, &listener) != 0)
			fail("pthread_create");
	}
	while (getchar() != EOF)
		;
	return 0;
}
