/* backoff: exponential delays with full jitter. See backoff.h. */
#include "libpub/backoff.h"

void
backoff_init(
    struct backoff *backoff, uint32_t min_ms, uint32_t max_ms, uint64_t seed)
{
	backoff->min_ms = min_ms;
	backoff->max_ms = max_ms;
	backoff->bound_ms = min_ms;
	backoff->random = seed != 0 ? seed : 1;
}

/* xorshift64 (Marsaglia, 2003): enough to spread retries. */
static uint64_t
random_next(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

uint32_t
backoff_next(struct backoff *backoff)
{
	uint32_t bound_ms = backoff->bound_ms;

	backoff->bound_ms =
	    bound_ms > backoff->max_ms / 2 ? backoff->max_ms : bound_ms * 2;
	return 1 + (uint32_t)(random_next(&backoff->random) % bound_ms);
}

void
backoff_reset(struct backoff *backoff)
{
	backoff->bound_ms = backoff->min_ms;
}
