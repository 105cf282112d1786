/* backoff: how long to wait before trying again; pure but for its own state. */
#ifndef SSEMUX_LIBPUB_BACKOFF_H
#define SSEMUX_LIBPUB_BACKOFF_H

#include <stdint.h>

struct backoff {
	uint32_t min_ms, max_ms;
	uint32_t bound_ms; /* of the next delay */
	uint64_t random;   /* never 0 */
};

/* seed: any random number. min_ms must be 1 at least, and not above max_ms. */
void backoff_init(
    struct backoff *backoff, uint32_t min_ms, uint32_t max_ms, uint64_t seed);

/* The next delay: 1 to bound_ms milliseconds, evenly spread, so that many who
 * were cut off at once do not come back at once. Doubles the bound. */
uint32_t backoff_next(struct backoff *backoff);

/* It has worked: the next delay is a short one again. */
void backoff_reset(struct backoff *backoff);

#endif
