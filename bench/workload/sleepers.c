#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "workload.h"

/* Processes that do nothing. */
void sleep_client(struct arena *arena, const struct options *options) {
    for (long i = 0; i < options->count; i++) {
        pid_t pid = fork();
        if (pid < 0) die("fork");
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            while (true) pause();
        }
        count(arena, 1);
    }
    while (true) pause();
}
