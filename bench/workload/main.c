/*
 * workload MODE [--cpu N] [--port N] [--rate N] [--count N] [--also PID]
 *
 * Starts both ends and prints `ready PID…`. For each empty line on standard input it prints where things stand:
 * `NANOSECONDS OPERATIONS CPU_NANOSECONDS`, the last for both ends together. `p` pauses the ends, `c` lets them continue.
 * The end of input ends it all.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

#define MAX_PAIRS 64

static const struct mode {
    const char *name;
    end_fn *server, *client;
} MODES[] = {
    {"bulk", bulk_server, bulk_client},
    {"echo", echo_server, echo_client},
    {"connections", connections_server, connections_client},
    {"hold", hold_server, hold_client},
    {"udp-connected", udp_connected_server, udp_connected_client},
    {"udp-unconnected", udp_unconnected_server, udp_unconnected_client},
    {"http", NULL, http_client},
    {"sleep", NULL, sleep_client},
};

static struct arena *arenas; /* one for each pair */
static int pairs = 1;
static pid_t pids[2 * MAX_PAIRS + 1]; /* the ends, then the process that counts as well */
static int pid_count, end_count;

static const struct mode *find_mode(const char *name) {
    for (size_t i = 0; i < sizeof MODES / sizeof MODES[0]; i++) {
        if (strcmp(MODES[i].name, name) == 0) return &MODES[i];
    }
    fprintf(stderr, "workload: there is no mode \"%s\"\n", name);
    exit(2);
}

static struct options read_options(int argc, char **argv) {
    static const struct option known[] = {
        {"cpu", required_argument, NULL, 'c'},   {"port", required_argument, NULL, 'p'},
        {"rate", required_argument, NULL, 'r'},  {"count", required_argument, NULL, 'n'},
        {"also", required_argument, NULL, 'a'},  {NULL, 0, NULL, 0},
    };
    struct options options = {.mode = argv[1], .cpu = -1};
    for (int option; (option = getopt_long(argc - 1, argv + 1, "", known, NULL)) != -1;) {
        long value = option == '?' ? 0 : atol(optarg);
        switch (option) {
        case 'c': options.cpu = (int)value; break;
        case 'p': options.port = (uint16_t)value; break;
        case 'r': options.rate = value; break;
        case 'n': options.count = value; break;
        case 'a': options.also = (pid_t)value; break;
        default: exit(2);
        }
    }
    return options;
}

static void start_end(end_fn *end, struct arena *arena, const struct options *options) {
    if (end == NULL) return;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid > 0) {
        pids[pid_count++] = pid;
        end_count = pid_count;
        return;
    }
    signal(SIGCHLD, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) exit(1);
    pin(options->cpu);
    end(arena, options);
    exit(1);
}

/* Descriptors for the flows of one end; more flows than that are held by more processes. */
static long raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die("RLIMIT_NOFILE");
    struct rlimit wanted = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) return 1 << 20;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("RLIMIT_NOFILE");
    return (long)limit.rlim_max;
}

static void start(const struct mode *mode, struct options options) {
    if (strcmp(mode->name, "hold") == 0) {
        long each = raise_descriptor_limit() - 64;
        pairs = (int)((options.count + each - 1) / each);
        if (pairs < 1 || pairs > MAX_PAIRS) {
            fprintf(stderr, "workload: cannot hold %ld flows, %ld to a process\n", options.count, each);
            exit(1);
        }
        options.count = (options.count + pairs - 1) / pairs;
        options.rate /= pairs;
    }
    arenas = mmap(NULL, (size_t)pairs * sizeof *arenas, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (arenas == MAP_FAILED) die("mmap");
    for (int i = 0; i < pairs; i++) {
        arenas[i].credits = eventfd(0, 0);
        if (arenas[i].credits < 0) die("eventfd");
        start_end(mode->server, &arenas[i], &options);
        start_end(mode->client, &arenas[i], &options);
    }
    if (options.also > 0) pids[pid_count++] = options.also;
}

static uint64_t cpu_ns(pid_t pid) {
    char path[64];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%llu", &ns) != 1) die(path);
    fclose(file);
    return ns;
}

static void report(void) {
    uint64_t operations = 0, cpu = 0, at_ns = now_ns();
    for (int i = 0; i < pairs; i++) operations += atomic_load_explicit(&arenas[i].operations, memory_order_relaxed);
    for (int i = 0; i < pid_count; i++) cpu += cpu_ns(pids[i]);
    printf("%llu %llu %llu\n", (unsigned long long)at_ns, (unsigned long long)operations, (unsigned long long)cpu);
}

static void signal_ends(int signal_number) {
    for (int i = 0; i < end_count; i++) kill(pids[i], signal_number);
}

/* Returns when both ends are gone, with all their sockets: what is measured next finds nothing of them. */
static void end_all(void) {
    signal(SIGCHLD, SIG_DFL);
    signal_ends(SIGKILL);
    while (wait(NULL) > 0) continue;
}

static void on_terminate(int signal_number) {
    (void)signal_number;
    end_all();
    _exit(0);
}

/* An end that goes by itself has said why. */
static void on_end_gone(int signal_number) {
    (void)signal_number;
    end_all();
    _exit(1);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: workload MODE [--cpu N] [--port N] [--rate N] [--count N] [--also PID]\n");
        return 2;
    }
    if (strcmp(argv[1], "launch") == 0) return launch(argc - 2, argv + 2);
    setvbuf(stdout, NULL, _IOLBF, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct sigaction gone = {.sa_handler = on_end_gone, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &gone, NULL);
    signal(SIGTERM, on_terminate);
    start(find_mode(argv[1]), read_options(argc, argv));
    printf("ready");
    for (int i = 0; i < pid_count; i++) printf(" %d", pids[i]);
    printf("\n");
    for (int byte; (byte = getchar()) != EOF;) {
        switch (byte) {
        case '\n': report(); break;
        case 'p': signal_ends(SIGSTOP); break;
        case 'c': signal_ends(SIGCONT); break;
        }
    }
    end_all();
    return 0;
}
