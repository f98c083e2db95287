/*
 * --processes programs that live for about a millisecond each: executed with arguments of their own, they connect, send, and
 * exit. Each tells the server in its first bytes who it is.
 */
#define _GNU_SOURCE
#include "traffic.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 16 };

extern char **environ;

static int processes;

struct introduction {
	uint32_t pid;
	uint32_t bytes; /* with this */
};

static void server(void *unused)
{
	int listener = listen_tcp(SOCK_CLOEXEC);

	(void)unused;
	post_port(0, listener);
	if (!round_begin())
		return;
	for (int i = 0; i < processes; i++) {
		int fd = accept_tcp(listener);
		struct tally *tally = tally_of(SERVER, "TCP", fd), *sender;
		struct introduction who;

		if (recv(fd, &who, sizeof(who), MSG_WAITALL) != sizeof(who))
			fail("read of the introduction");
		tally_received(tally, sizeof(who));
		if (read_to_end(tally, fd) != who.bytes - sizeof(who))
			fail("read to the end");
		close(fd);
		/* It sent what arrived, or it would not have exited with 0. */
		sender = tally_new(CLIENT, "TCP");
		sender->pid = (pid_t)who.pid;
		sender->local = tally->remote;
		sender->remote = tally->local;
		sender->sent = who.bytes;
	}
	round_end();
	while (round_begin())
		round_end();
}

static void reap_one(void)
{
	int status;

	if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "a child ended with status %x\n", status);
		exit(1);
	}
}

static void spawner(void *unused)
{
	char port[16], index[32], bytes[32];
	const char *program = sibling("storm_child");
	int running = 0;

	(void)unused;
	snprintf(port, sizeof(port), "%ld", shared_get(0));
	if (!round_begin())
		return;
	for (int i = 0; i < processes; i++) {
		char *arguments[] = {(char *)(uintptr_t)"storm_child", port, bytes, index, NULL};
		pid_t pid;

		snprintf(index, sizeof(index), "index-%d", i);
		snprintf(bytes, sizeof(bytes), "%zu", random_size(sizeof(struct introduction), 4000));
		errno = posix_spawn(&pid, program, NULL, NULL, arguments, environ);
		if (errno != 0)
			fail(program);
		if (++running == AT_ONCE) {
			reap_one();
			running--;
		}
	}
	while (running-- > 0)
		reap_one();
	round_end();
	while (round_begin())
		round_end();
}

int main(int argc, char **argv)
{
	options_from(argc, argv);
	processes = (int)number_option("processes", 5000);
	worker(SERVER, server, NULL);
	worker(CLIENT, spawner, NULL);
	return conduct();
}
