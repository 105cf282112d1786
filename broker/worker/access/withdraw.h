/*
 * withdraw: takes access away from live streams, at once, and says so with
 * "revoked".
 */
#ifndef SSEMUX_WORKER_ACCESS_WITHDRAW_H
#define SSEMUX_WORKER_ACCESS_WITHDRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/slice.h"

struct authority;
struct grants;
struct subscriber;
struct worker;

/*
 * A channel, or all that a pattern covers, was revoked for a user, for tokens
 * issued until then: withdraws it from each of the user's streams. Not to be
 * called while events of a turn wait to be written.
 */
void withdraw_revoked(struct worker *worker, struct slice user,
    struct slice pattern, uint64_t at_ms);

/*
 * A stream's user came with a new token: what that does not grant any more is
 * withdrawn, and the stream lasts as long as it. False: no channel was left,
 * and the stream has ended.
 */
bool withdraw_renew(struct worker *worker, struct subscriber *subscriber,
    const struct authority *authority, const struct grants *grants);

/* Ends a stream with a "bye", unless it is in the midst of an event. It is
 * destroyed. */
void withdraw_end(
    struct worker *worker, struct subscriber *subscriber, const char *reason);

#endif
