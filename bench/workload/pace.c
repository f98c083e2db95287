#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "workload.h"

struct pace pace_start(const struct options *options) {
    return (struct pace){.rate = options->rate, .count = options->count, .started_ns = now_ns()};
}

static void sleep_until(uint64_t due_ns) {
    struct timespec due = {.tv_sec = (time_t)(due_ns / 1000000000u), .tv_nsec = (long)(due_ns % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) continue;
}

/* Sleeps a millisecond or more at a time, so that what is measured is the operations and not the timer. */
#define SHORTEST_SLEEP_NS 1000000u

/* Returns when the next operation is due; never again once all are done. */
void pace_next(struct pace *pace) {
    while (pace->count > 0 && pace->done >= (uint64_t)pace->count) pause();
    if (pace->rate > 0) {
        uint64_t due_ns = pace->started_ns + pace->done * 1000000000u / (uint64_t)pace->rate;
        if (due_ns > now_ns() + SHORTEST_SLEEP_NS) sleep_until(due_ns);
    }
    pace->done++;
}
