/*
 * drain: the end of a worker. Streams are told "bye" and let go: all at once,
 * or evenly over broker.drain_spread, so that their clients do not come to the
 * next broker all at once.
 *
 * While they are let go one by one, the others go on as before; new requests
 * are taken to be refused, and told to come again. When the last is gone the
 * worker listens no more.
 */
#ifndef SSEMUX_WORKER_DRAIN_H
#define SSEMUX_WORKER_DRAIN_H

#include <stdint.h>

struct worker;

/* Begins it; when it has begun, lets go of all that are left, now. */
void drain_begin(struct worker *worker);

/* How many of so many streams may stay, when that much of the time has
 * passed. */
uint64_t drain_may_stay(
    uint64_t streams, uint64_t elapsed_us, uint64_t spread_us);

#endif
