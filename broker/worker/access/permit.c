/* permit: whose stream, how long, and without what. See permit.h. */
#include "broker/worker/access/permit.h"

#include <stdlib.h>

#include "broker/worker/access/authority.h"

struct permit *
permit_create(const struct authority *authority)
{
	struct slice user = authority->user;
	struct permit *permit = calloc(1, sizeof(*permit) + user.len);

	if (permit == NULL)
		return NULL;
	permit->expires_ms = permit->announce_ms = UINT64_MAX;
	permit->issued_ms = authority->issued_ms;
	permit->user_len = user.len;
	if (user.len > 0)
		memcpy(permit->user, user.bytes, user.len);
	return permit;
}

void
permit_destroy(struct permit *permit)
{
	if (permit == NULL)
		return;
	patterns_finish(&permit->closed);
	free(permit);
}

struct slice
permit_user(const struct permit *permit)
{
	return permit == NULL ? slice_of(NULL, 0)
			      : slice_of(permit->user, permit->user_len);
}

bool
permit_concerns(const struct permit *permit, struct slice user, uint64_t at_ms)
{
	return permit != NULL && slice_equal(permit_user(permit), user) &&
	       (permit->issued_ms == 0 || permit->issued_ms <= at_ms);
}
