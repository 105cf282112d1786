/*
 * revoked: which channels were withdrawn from which users, in memory.
 *
 *	users (by name)        oldest                      newest
 *	  u1 ------------->  [ org:1:* | 9:00 ] ......... [ a | 9:07 ]
 *	  u2 ------------->  ............. [ * | 9:05 ] ..............
 *
 * A revocation is a user, a pattern of channels, and a time: it counts for
 * tokens that were issued then or before, and for those that do not say when
 * they were. A token says whole seconds: one of the same second as the
 * revocation counts as issued before. "*" withdraws everything.
 *
 * Pure. The hub bounds how many there are (auth.max_revocations); a pattern
 * that covers older ones of its user takes their place.
 */
#ifndef SSEMUX_WORKER_ACCESS_REVOKED_H
#define SSEMUX_WORKER_ACCESS_REVOKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

struct revoked;

/* An empty table. NULL: no memory. */
struct revoked *revoked_create(void);
void revoked_destroy(struct revoked *revoked); /* NULL is allowed */

/* Notes a revocation of that time, in Unix milliseconds; user and pattern,
 * which must be a valid one, are copied. 0, or -1: no memory. */
int revoked_add(struct revoked *revoked, struct slice user,
    struct slice pattern, uint64_t at_ms);

/* Takes back the user's revocations that lie within the pattern ("*": all);
 * how many they were. */
size_t revoked_restore(
    struct revoked *revoked, struct slice user, struct slice pattern);

/* Forgets those from before that time. */
void revoked_forget(struct revoked *revoked, uint64_t before_ms);

/* How many there are. */
size_t revoked_count(const struct revoked *revoked);

/* Is the channel revoked for a token of this user that was issued then (Unix
 * milliseconds; 0: it does not say)? */
bool revoked_channel(const struct revoked *revoked, struct slice user,
    uint64_t issued_ms, struct slice channel);

/* Is everything revoked ("*") for such a token? */
bool revoked_everything(
    const struct revoked *revoked, struct slice user, uint64_t issued_ms);

/* Calls found() for each pattern that is revoked for such a token; it must not
 * change the table. */
void revoked_each(const struct revoked *revoked, struct slice user,
    uint64_t issued_ms, void (*found)(struct slice pattern, void *context),
    void *context);

#endif
