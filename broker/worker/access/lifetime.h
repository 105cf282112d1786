/*
 * lifetime: a stream lasts as long as its token. Its end is announced ahead
 * with "token-expiring"; when no new token came, it ends with a "bye".
 */
#ifndef SSEMUX_WORKER_ACCESS_LIFETIME_H
#define SSEMUX_WORKER_ACCESS_LIFETIME_H

#include <stdint.h>

struct subscriber;
struct worker;

/*
 * The stream, which has a permit, lasts until then: Unix time in milliseconds;
 * UINT64_MAX: for ever. A token that was taken although it had expired, for
 * clocks differ a little, lasts for auth.leeway more.
 */
void lifetime_start(
    struct worker *worker, struct subscriber *subscriber, uint64_t expires_ms);

/* Nothing is due any more. */
void lifetime_stop(struct worker *worker, struct subscriber *subscriber);

#endif
