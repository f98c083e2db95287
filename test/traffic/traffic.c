#define _GNU_SOURCE
#include "traffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_TALLIES = 131072, MAX_WORKERS = 64, MAX_OPTIONS = 32, CHUNK = 65536 };

struct shared {
	sem_t posted[SLOTS];
	long value[SLOTS];
	uint32_t requests;
	uint32_t served;
	uint32_t tallies;
	struct tally tally[MAX_TALLIES];
};

static struct shared *shared;

struct worker_process {
	pid_t pid;
	int command;
	int answer;
};

static struct worker_process workers[MAX_WORKERS];
static int worker_count;
/* In a worker: where it hears of rounds, and where it says that it has done one. */
static int my_command = -1;
static int my_answer = -1;

noreturn void fail(const char *what)
{
	fprintf(stderr, "%s: %s (process %d)\n", what, strerror(errno), getpid());
	exit(1);
}

noreturn void unsupported(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(EXIT_UNSUPPORTED);
}

int checked(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

static char **options;
static int option_count;
static bool option_used[MAX_OPTIONS];

static const char *const COMMON_OPTIONS[] = {"family",	      "port",	      "server-address", "client-address",
					     "client-netns", "server-netns",   "as-uid",		 "cgroup"};

void options_from(int argc, char **argv)
{
	options = argv + 1;
	option_count = argc - 1;
	if (option_count > MAX_OPTIONS) {
		fprintf(stderr, "too many options\n");
		exit(2);
	}
	shared_attach();
	/* Those that any process may ask for are known in all of them. */
	for (size_t i = 0; i < sizeof(COMMON_OPTIONS) / sizeof(COMMON_OPTIONS[0]); i++)
		option(COMMON_OPTIONS[i], NULL);
}

const char *option(const char *name, const char *fallback)
{
	size_t length = strlen(name);

	for (int i = 0; i < option_count; i++) {
		const char *text = options[i];

		if (strncmp(text, "--", 2) == 0 && strncmp(text + 2, name, length) == 0 && text[2 + length] == '=') {
			option_used[i] = true;
			return text + 2 + length + 1;
		}
	}
	return fallback;
}

long number_option(const char *name, long fallback)
{
	const char *text = option(name, NULL);

	return text ? strtol(text, NULL, 10) : fallback;
}

static void refuse_unused_options(void)
{
	for (int i = 0; i < option_count; i++) {
		if (!option_used[i]) {
			fprintf(stderr, "unknown option %s\n", options[i]);
			exit(2);
		}
	}
}

void shared_attach(void)
{
	bool fresh = fcntl(SHARED_FD, F_GETFD) < 0;

	if (shared)
		return;
	if (fresh) {
		int fd = checked(memfd_create("tallies", 0), "memfd_create");

		checked(ftruncate(fd, sizeof(struct shared)), "ftruncate");
		checked(dup2(fd, SHARED_FD), "dup2");
		close(fd);
	}
	shared = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_FD, 0);
	if (shared == MAP_FAILED)
		fail("mmap");
	for (int i = 0; fresh && i < SLOTS; i++)
		checked(sem_init(&shared->posted[i], 1, 0), "sem_init");
}

/* Beyond them lie the tallies. */
static void check_slot(int slot)
{
	if (slot < 0 || slot >= SLOTS) {
		fprintf(stderr, "no slot %d\n", slot);
		exit(1);
	}
}

void shared_post(int slot, long value)
{
	check_slot(slot);
	shared->value[slot] = value;
	checked(sem_post(&shared->posted[slot]), "sem_post");
}

void shared_take(int slot)
{
	check_slot(slot);
	while (sem_wait(&shared->posted[slot]) < 0) {
		if (errno != EINTR)
			fail("sem_wait");
	}
}

long shared_get(int slot)
{
	shared_take(slot);
	/* For whoever else waits for it. */
	checked(sem_post(&shared->posted[slot]), "sem_post");
	return shared->value[slot];
}

void post_port(int slot, int fd)
{
	struct sockaddr_storage address = local_of(fd);

	shared_post(slot, port_of(&address));
}

struct tally *tally_new(enum side side, const char *protocol)
{
	uint32_t index = __atomic_fetch_add(&shared->tallies, 1, __ATOMIC_RELAXED);
	struct tally *tally;

	if (index >= MAX_TALLIES) {
		fprintf(stderr, "too many tallies\n");
		exit(1);
	}
	tally = &shared->tally[index];
	tally->side = side;
	snprintf(tally->protocol, sizeof(tally->protocol), "%s", protocol);
	tally->pid = getpid();
	tally->sockets = 1;
	return tally;
}

struct tally *tally_of(enum side side, const char *protocol, int fd)
{
	struct tally *tally = tally_new(side, protocol);

	tally->local = local_of(fd);
	tally->remote = remote_of(fd);
	return tally;
}

uint32_t tally_index(const struct tally *tally)
{
	return (uint32_t)(tally - shared->tally);
}

struct tally *tally_at(uint32_t index)
{
	return &shared->tally[index];
}

void tally_sent(struct tally *tally, ssize_t bytes)
{
	__atomic_fetch_add(&tally->sent, (uint64_t)bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&tally->send_calls, 1, __ATOMIC_RELAXED);
}

void tally_received(struct tally *tally, ssize_t bytes)
{
	__atomic_fetch_add(&tally->received, (uint64_t)bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&tally->receive_calls, 1, __ATOMIC_RELAXED);
}

static void print_address(const char *name, const struct sockaddr_storage *address)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (address->ss_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof(text));
	} else if (address->ss_family == AF_INET6) {
		const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(v6))
			inet_ntop(AF_INET, &v6->s6_addr[12], text, sizeof(text));
		else
			inet_ntop(AF_INET6, v6, text, sizeof(text));
	} else if (address->ss_family == AF_PACKET) {
		if_indextoname((unsigned)((const struct sockaddr_ll *)address)->sll_ifindex, text);
	}
	printf("\"%s\":\"%s\",\"%sPort\":%u,", name, text, name, port_of(address));
}

void print_report(void)
{
	printf("{\"pid\":%d,\"sockets\":[", getpid());
	for (uint32_t i = 0; i < shared->tallies; i++) {
		const struct tally *t = &shared->tally[i];

		printf("%s{\"side\":\"%s\",\"protocol\":\"%s\",\"pid\":%d,", i == 0 ? "" : ",",
		       t->side == CLIENT ? "client" : "server", t->protocol, t->pid);
		print_address("local", &t->local);
		print_address("remote", &t->remote);
		printf("\"sockets\":%u,", t->sockets);
		printf("\"sent\":%lu,\"received\":%lu,\"sendCalls\":%lu,\"receiveCalls\":%lu,\"error\":\"%s\"}", t->sent,
		       t->received, t->send_calls, t->receive_calls, t->error == 0 ? "" : strerrorname_np(t->error));
	}
	printf("]}\n");
	fflush(stdout);
}

static void close_commands(void)
{
	for (int i = 0; i < worker_count; i++) {
		close(workers[i].command);
		close(workers[i].answer);
	}
	worker_count = 0;
}

/* --cgroup=DIRECTORY */
static void enter_cgroup(void)
{
	const char *directory = option("cgroup", NULL);
	char path[PATH_MAX];
	int fd;

	if (!directory)
		return;
	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	fd = checked(open(path, O_WRONLY | O_CLOEXEC), path);
	checked((int)write(fd, "0", 1), path);
	close(fd);
}

/* --as-uid=NUMBER */
static void become_user(void)
{
	uid_t uid = (uid_t)number_option("as-uid", 0);

	if (uid == 0)
		return;
	checked(setresgid(uid, uid, uid), "setresgid");
	checked(setresuid(uid, uid, uid), "setresuid");
}

void worker(enum side side, void (*body)(void *), void *argument)
{
	struct worker_process *w = &workers[worker_count];
	int command[2], answer[2];

	if (worker_count == MAX_WORKERS) {
		fprintf(stderr, "too many workers\n");
		exit(1);
	}
	checked(pipe(command), "pipe");
	checked(pipe(answer), "pipe");
	w->pid = checked(fork(), "fork");
	if (w->pid == 0) {
		/* Otherwise a worker would hold open what tells an earlier one to end. */
		close_commands();
		close(command[1]);
		close(answer[0]);
		my_command = command[0];
		my_answer = answer[1];
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter_netns(side);
		enter_cgroup();
		become_user();
		body(argument);
		exit(0);
	}
	close(command[0]);
	close(answer[1]);
	w->command = command[1];
	w->answer = answer[0];
	worker_count++;
}

bool round_begin(void)
{
	char byte;
	ssize_t n;

	do
		n = read(my_command, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

void round_end(void)
{
	checked((int)write(my_answer, ".", 1), "write to the conductor");
}

int round_fd(void)
{
	return my_command;
}

void round_pass(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%d,%d", my_command, my_answer);
	checked(setenv("TRAFFIC_ROUND", text, 1), "setenv");
}

void round_adopt(void)
{
	const char *text = getenv("TRAFFIC_ROUND");

	if (!text || sscanf(text, "%d,%d", &my_command, &my_answer) != 2) {
		fprintf(stderr, "TRAFFIC_ROUND is not set\n");
		exit(2);
	}
	shared_attach();
}

void request_made(void)
{
	__atomic_fetch_add(&shared->requests, 1, __ATOMIC_SEQ_CST);
}

void request_served(void)
{
	__atomic_fetch_add(&shared->served, 1, __ATOMIC_SEQ_CST);
}

static void wait_until_served(void)
{
	for (int i = 0; i < 10000; i++) {
		if (__atomic_load_n(&shared->served, __ATOMIC_SEQ_CST) == __atomic_load_n(&shared->requests, __ATOMIC_SEQ_CST))
			return;
		usleep(1000);
	}
	fprintf(stderr, "requests were not served\n");
	exit(1);
}

/* A worker that ended too early has said why: its exit code is ours. */
static noreturn void end_as(const struct worker_process *w)
{
	int status = 0;

	waitpid(w->pid, &status, 0);
	exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1);
}

static void do_round(void)
{
	char byte;

	for (int i = 0; i < worker_count; i++) {
		if (write(workers[i].command, ".", 1) != 1)
			end_as(&workers[i]);
	}
	for (int i = 0; i < worker_count; i++) {
		if (read(workers[i].answer, &byte, 1) != 1)
			end_as(&workers[i]);
	}
}

int conduct(void)
{
	char line[256];
	int pids[MAX_WORKERS];
	int count = worker_count;

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < count; i++)
		pids[i] = workers[i].pid;
	do {
		do_round();
		wait_until_served();
		refuse_unused_options();
		print_report();
	} while (fgets(line, sizeof(line), stdin));
	close_commands();
	for (int i = 0; i < count; i++)
		wait_for(pids[i]);
	return 0;
}

pid_t start_process(void (*body)(void *), void *argument)
{
	pid_t pid = checked(fork(), "fork");

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		body(argument);
		exit(0);
	}
	return pid;
}

void wait_for(pid_t pid)
{
	int status;

	checked(waitpid(pid, &status, 0), "waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "process %d ended with status %x\n", pid, status);
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
}

const char *sibling(const char *name)
{
	static char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[checked((int)length, "readlink")] = 0;
	length = strrchr(path, '/') + 1 - path;
	snprintf(path + length, sizeof(path) - (size_t)length, "%s", name);
	return path;
}

void enter_netns(enum side side)
{
	const char *name = option(side == CLIENT ? "client-netns" : "server-netns", NULL);
	char path[PATH_MAX];
	int fd;

	if (!name)
		return;
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = checked(open(path, O_RDONLY | O_CLOEXEC), path);
	checked(setns(fd, CLONE_NEWNET), "setns");
	close(fd);
}

static bool is_mapped(void)
{
	return strcmp(option("family", "v4"), "mapped") == 0;
}

int address_family(void)
{
	return strcmp(option("family", "v4"), "v4") == 0 ? AF_INET : AF_INET6;
}

struct sockaddr_storage address_of(const char *text, uint16_t port)
{
	struct sockaddr_storage address = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
	char mapped[64];

	if (address_family() == AF_INET) {
		v4->sin_family = AF_INET;
		if (inet_pton(AF_INET, text, &v4->sin_addr) != 1)
			fail(text);
	} else {
		snprintf(mapped, sizeof(mapped), "%s%s", is_mapped() ? "::ffff:" : "", text);
		v6->sin6_family = AF_INET6;
		if (inet_pton(AF_INET6, mapped, &v6->sin6_addr) != 1)
			fail(mapped);
	}
	set_port(&address, port);
	return address;
}

struct sockaddr_storage any_address(int family)
{
	struct sockaddr_storage address = {.ss_family = (sa_family_t)family};

	return address;
}

static const char *loopback(void)
{
	return address_family() == AF_INET || is_mapped() ? "127.0.0.1" : "::1";
}

struct sockaddr_storage server_address(uint16_t port)
{
	return address_of(option("server-address", loopback()), port);
}

struct sockaddr_storage client_address(void)
{
	return address_of(option("client-address", loopback()), 0);
}

socklen_t length_of(const struct sockaddr_storage *address)
{
	switch (address->ss_family) {
	case AF_INET:
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	default:
		return sizeof(*address);
	}
}

uint16_t port_of(const struct sockaddr_storage *address)
{
	switch (address->ss_family) {
	case AF_INET:
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	case AF_INET6:
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	default:
		return 0;
	}
}

void set_port(struct sockaddr_storage *address, uint16_t port)
{
	if (address->ss_family == AF_INET)
		((struct sockaddr_in *)address)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)address)->sin6_port = htons(port);
}

struct sockaddr_storage local_of(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	checked(getsockname(fd, (struct sockaddr *)&address, &length), "getsockname");
	return address;
}

struct sockaddr_storage remote_of(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	checked(getpeername(fd, (struct sockaddr *)&address, &length), "getpeername");
	return address;
}

int listen_tcp(int flags)
{
	struct sockaddr_storage address = server_address((uint16_t)number_option("port", 0));
	int one = 1;
	int fd = checked(socket(address.ss_family, SOCK_STREAM | flags, 0), "socket");

	checked(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "SO_REUSEADDR");
	checked(bind(fd, (struct sockaddr *)&address, length_of(&address)), "bind");
	checked(listen(fd, 4096), "listen");
	return fd;
}

int connect_tcp(uint16_t port)
{
	struct sockaddr_storage address = server_address(port);
	int fd = checked(socket(address.ss_family, SOCK_STREAM, 0), "socket");

	checked(connect(fd, (struct sockaddr *)&address, length_of(&address)), "connect");
	return fd;
}

int accept_tcp(int listener)
{
	return checked(accept(listener, NULL, NULL), "accept");
}

static uint64_t random_state;

static uint32_t random_next(void)
{
	/* Differs between processes of one run; the pid of a side does not matter, only what was sent does. */
	if (random_state == 0)
		random_state = 0x9e3779b97f4a7c15u;
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32);
}

uint32_t random_below(uint32_t limit)
{
	return random_next() % limit;
}

size_t random_size(size_t low, size_t high)
{
	return low + random_below((uint32_t)(high - low + 1));
}

void fill_random(void *buffer, size_t bytes)
{
	unsigned char *at = buffer;

	for (size_t i = 0; i < bytes; i++)
		at[i] = (unsigned char)random_next();
}

void write_all(struct tally *tally, int fd, size_t bytes)
{
	static char buffer[CHUNK];

	while (bytes > 0) {
		size_t wanted = random_size(1, bytes < CHUNK ? bytes : CHUNK);
		ssize_t n = write(fd, buffer, wanted);

		if (n < 0)
			fail("write");
		tally_sent(tally, n);
		bytes -= (size_t)n;
	}
}

void read_all(struct tally *tally, int fd, size_t bytes)
{
	static char buffer[CHUNK];

	while (bytes > 0) {
		size_t wanted = random_size(1, bytes < CHUNK ? bytes : CHUNK);
		ssize_t n = read(fd, buffer, wanted);

		if (n < 0)
			fail("read");
		if (n == 0) {
			fprintf(stderr, "the stream ended %zu bytes early\n", bytes);
			exit(1);
		}
		tally_received(tally, n);
		bytes -= (size_t)n;
	}
}

size_t read_to_end(struct tally *tally, int fd)
{
	static char buffer[CHUNK];
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		tally_received(tally, n);
		total += (size_t)n;
	}
	if (n < 0)
		fail("read");
	return total;
}
