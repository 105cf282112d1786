/*
 * sieve: tells most events of the window that are not for a stream, without
 * looking at them.
 *
 * A stream that is behind has many events before it that are others'. Each is
 * held against each of its patterns; with hundreds of channels that takes
 * longer than all the rest. So the hashes of its channels' names are laid out
 * as bits once per step, and a new event costs a look at one bit. What passes
 * may still not be for it.
 */
#ifndef SSEMUX_WORKER_CURSOR_SIEVE_H
#define SSEMUX_WORKER_CURSOR_SIEVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

struct subscriber;
struct window;

enum {
	SIEVE_BITS = 4096,
	SIEVE_PREFIXES = 8,
	SIEVE_EVENTS = 16, /* for fewer it does not pay */
};

struct sieve {
	bool open; /* everything passes */
	size_t prefix_count;
	struct slice prefixes[SIEVE_PREFIXES]; /* patterns that end in :* */
	uint64_t bits[SIEVE_BITS / 64];
};

/* For a subscriber that is to look at so many events. It holds until its
 * subscriptions change. */
void sieve_make(
    struct sieve *sieve, const struct subscriber *subscriber, uint64_t events);

/* Can the entry of that number be for it? */
bool sieve_passes(
    const struct sieve *sieve, const struct window *window, uint64_t number);

#endif
