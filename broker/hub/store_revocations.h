/*
 * store_revocations: what is withdrawn from users, in the store. See
 * shared/store.h for the table. Each call is a transaction of its own, and none
 * may be open.
 */
#ifndef SSEMUX_HUB_STORE_REVOCATIONS_H
#define SSEMUX_HUB_STORE_REVOCATIONS_H

#include <stdint.h>

#include "protocol/slice.h"

struct store_writer;

/* What is revoked, or restored. */
struct store_revocation {
	struct slice user;
	struct slice pattern; /* a valid one */
	uint64_t now_ms;
};

/* Before the calls below: *newest gets the number of the newest row there ever
 * was; 0: none. 0, or -1 (logged). */
int store_count_revocations(struct store_writer *writer, uint64_t *newest);

/* Rows kept. */
uint64_t store_revocations(const struct store_writer *writer);

/*
 * Withdraws: it counts for tokens issued up to now. The user's rows within the
 * pattern go, as they say nothing more; so that the same again takes no room.
 * 1 and *number; 0 when there would be more than `max` rows, or more of this
 * user than STORE_REVOCATIONS_PER_USER; -1 failed (logged).
 */
int store_revoke(struct store_writer *writer,
    const struct store_revocation *revocation, uint64_t max, uint64_t *number);

/*
 * Takes back the user's revocations within the pattern. How many they were,
 * and *number when there were any: no row is made for none; or -1 (logged).
 */
int64_t store_restore(struct store_writer *writer,
    const struct store_revocation *revocation, uint64_t *number);

/* Forgets rows from before that time, `rows` at most. 0, or -1 (logged). */
int store_forget_revocations(
    struct store_writer *writer, uint64_t before_ms, int rows);

#endif
