/*
 * A client with a hostile name and arguments, by --case. Its program is copied under that name into --directory.
 */
#define _GNU_SOURCE
#include "exchange.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

struct hostile {
	const char *name; /* of the case */
	const char *file;
	const char *arguments[4];
};

static char long_argument[6001];

static const struct hostile cases[] = {
	{"control", "\033]0;x\a\r\nroot", {"\033[2J\033[31mred", "two\nlines\ttab", "\177\302\233", NULL}},
	{"invalid-utf8", "\377\376bad\303", {"\303\050", "\355\240\200", "caf\303\251", NULL}},
	{"script", "<script>x", {"</script><script>alert(1)</script>", "\"'&<>${x}`", "{\"a\":1}", NULL}},
	{"direction", "\342\200\256txt.exe", {"\342\200\256gpj.sh", "\342\201\246x\342\201\251", "\357\273\277bom", NULL}},
	{"long", "long", {long_argument, "after", NULL}},
};

static const struct hostile *hostile;
static const char *directory;

static void copy_program(const char *to)
{
	int from = checked(open(sibling("hostile_child"), O_RDONLY | O_CLOEXEC), "open hostile_child");
	int file = checked(open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755), "open the copy");
	struct stat about;
	off_t done = 0;

	checked(fstat(from, &about), "fstat");
	while (done < about.st_size) {
		if (sendfile(file, from, &done, (size_t)(about.st_size - done)) <= 0)
			fail("copy");
	}
	close(from);
	close(file);
}

static void client(void *port)
{
	char path[PATH_MAX], text[16];
	char *arguments[8] = {(char *)(uintptr_t)hostile->file};
	int count = 1;

	for (int i = 0; i < 4 && hostile->arguments[i]; i++)
		arguments[count++] = (char *)(uintptr_t)hostile->arguments[i];
	snprintf(path, sizeof(path), "%s/%s", directory, hostile->file);
	copy_program(path);
	snprintf(text, sizeof(text), "%u", *(uint16_t *)port);
	checked(setenv("TRAFFIC_PORT", text, 1), "setenv");
	round_pass();
	execv(path, arguments);
	fail("execv");
}

static int listener;

static void server(void *unused)
{
	(void)unused;
	serve_connections(listener, 0);
}

int main(int argc, char **argv)
{
	struct sockaddr_storage address;
	const char *name;
	uint16_t port;

	options_from(argc, argv);
	memset(long_argument, 'a', sizeof(long_argument) - 1);
	name = option("case", "control");
	directory = option("directory", "/tmp");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, name) == 0)
			hostile = &cases[i];
	}
	if (!hostile) {
		fprintf(stderr, "there is no case %s\n", name);
		return 2;
	}
	listener = listen_tcp(SOCK_CLOEXEC);
	address = local_of(listener);
	port = port_of(&address);
	worker(SERVER, server, NULL);
	worker(CLIENT, client, &port);
	return conduct();
}
