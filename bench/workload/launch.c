#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "workload.h"

/* A benchmark that is killed outright leaves nothing running. */
int launch(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: workload launch CPU PROGRAM [ARGUMENT…]\n");
        return 2;
    }
    pin(atoi(argv[0]));
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) die("PR_SET_PDEATHSIG");
    execvp(argv[1], argv + 1);
    die(argv[1]);
}
