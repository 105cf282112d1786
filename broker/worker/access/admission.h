/*
 * admission: how fast new streams begin, and when who was refused comes back.
 *
 * A bucket holds tokens, one for each stream that may begin at once; it fills
 * again at a steady rate. Who finds it empty is given the next free place in
 * time, a token's interval behind the one before, and told to come back then:
 * a crowd that was refused comes back spread, as fast as it can be taken.
 *
 * Pure: time is an argument, in microseconds of a clock that only goes on.
 */
#ifndef SSEMUX_WORKER_ACCESS_ADMISSION_H
#define SSEMUX_WORKER_ACCESS_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

struct admission {
	uint64_t interval_ns; /* in which a token comes; 0: all are admitted */
	uint64_t depth_ns;    /* in which an empty bucket becomes full */
	uint64_t full_ns;     /* when the bucket is full, if nobody comes */
	uint64_t booked_ns;   /* up to when places are given away */
};

/* rate: tokens per second, 1 to 1,000,000; 0: there is no limit. burst: tokens
 * in a full bucket, 1 to 100,000,000. It begins full. */
void admission_init(struct admission *admission, uint64_t rate, uint64_t burst);

/* Takes a token. False: there is none, and a place is given away. */
bool admission_take(struct admission *admission, uint64_t now_us);

/* How long it is, in milliseconds, until the place that was given away last; 0
 * when nobody waits. */
uint64_t admission_wait_ms(const struct admission *admission, uint64_t now_us);

/*
 * A delay for "retry:", in milliseconds: base_ms, up to as much more by
 * chance, and wait_ms. What would be more than max_ms (or than twice base_ms,
 * when that is more) becomes something between that and its half.
 */
uint32_t admission_retry_ms(
    uint64_t base_ms, uint64_t wait_ms, uint64_t max_ms, uint64_t random);

#endif
