/*
 * permit: whose stream it is, until when it may last, and what of its channels
 * it may not see. A stream of nobody has none.
 */
#ifndef SSEMUX_WORKER_ACCESS_PERMIT_H
#define SSEMUX_WORKER_ACCESS_PERMIT_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "broker/worker/cursor/patterns.h"

struct authority;

struct permit {
	ev_timer timer;       /* of lifetime.c */
	uint64_t expires_ms;  /* Unix time; UINT64_MAX: never */
	uint64_t announce_ms; /* when that is to be said; UINT64_MAX: it was */
	uint64_t issued_ms;   /* of its token, Unix time; 0: not said */
	struct patterns closed; /* revoked parts of what it is subscribed to */
	size_t user_len;
	char user[]; /* not terminated */
};

/* NULL: no memory. */
struct permit *permit_create(const struct authority *authority);
void permit_destroy(struct permit *permit); /* NULL allowed */

/* The user; "" of a permit that is NULL. */
struct slice permit_user(const struct permit *permit);

/* Is this the permit of that user, with a token issued then or before, or one
 * that does not say when? */
bool permit_concerns(
    const struct permit *permit, struct slice user, uint64_t at_ms);

#endif
