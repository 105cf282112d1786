/*
 * target: where a crowd publishes to.
 *
 *	ssemux:SOCKET	a broker's publisher socket
 *	floor:SOCKET,WORKERS	the bare server of floor.c
 *	http://ADDRESS:PORT/PATH	a POST for each event, pipelined on one
 *			connection; %s is the channel
 */
#ifndef SSEMUX_BENCH_TARGET_H
#define SSEMUX_BENCH_TARGET_H

#include <stddef.h>

struct target;

/* Ends the program when that fails. */
struct target *target_open(const char *where);

/* Gives an event; -1: there is no room for it yet. */
int target_publish(
    struct target *target, size_t channel, const char *data, size_t len);

/* Does what is to be done, until something happened there, or `other` is
 * readable, or so many ns are over. */
void target_wait(struct target *target, int other, long timeout_ns);

/* Events that have been given and not been acknowledged. */
size_t target_pending(const struct target *target);

#endif
