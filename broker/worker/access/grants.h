/*
 * grants: what one caller may subscribe to on one stream: the templates of the
 * stream's block, filled from the claims of its token, and the token's own
 * grants; without what was revoked since the token was issued.
 *
 * Lives for one request; a stream copies what it must remember of it.
 */
#ifndef SSEMUX_WORKER_ACCESS_GRANTS_H
#define SSEMUX_WORKER_ACCESS_GRANTS_H

#include <stdbool.h>

#include "broker/worker/cursor/patterns.h"

struct authority;
struct config_stream;
struct worker;

/* Zeroed, it grants nothing. */
struct grants {
	struct patterns fixed;   /* the block's channels */
	struct patterns preset;  /* the block's default */
	struct patterns allowed; /* what may be asked for; those included */
	struct patterns revoked; /* of this user, for a token of that age */
};

/*
 * Collects them; authority NULL: the caller is nobody. 0, or -1 with errno:
 * ENOMEM, or E2BIG for more than PATTERNS_MAX of a kind. grants_finish() frees
 * what it holds, either way.
 */
int grants_collect(struct grants *grants, const struct worker *worker,
    const struct config_stream *block, const struct authority *authority);
void grants_finish(struct grants *grants);

/* May this valid pattern be subscribed to? All of it must be granted, and not
 * all of it be revoked: a part that is revoked stays closed all the same, see
 * permit.h. */
bool grants_allow(const struct grants *grants, struct slice pattern);

#endif
