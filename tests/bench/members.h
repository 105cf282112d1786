/*
 * members: the subscribers of one process of a crowd.
 */
#ifndef SSEMUX_BENCH_MEMBERS_H
#define SSEMUX_BENCH_MEMBERS_H

#include "tests/bench/plan.h"

/* What the crowd tells a process through `control`, one byte each, and what it
 * answers. */
enum {
	MEMBERS_READY = 'r',  /* said when all are connected and ready */
	MEMBERS_SETTLE = 's', /* count what has not come as missing; answered */
	MEMBERS_CLEAR = 'c',  /* begin a new tally; answered */
};

/*
 * Opens the subscribers that are this process's share and reads for them until
 * the other end of `control` is closed; then, and when it fails, exits.
 */
__attribute__((noreturn)) void members_run(const struct plan *plan,
    struct plan_shared *shared, size_t process, int control);

#endif
