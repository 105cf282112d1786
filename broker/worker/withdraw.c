/* withdraw: live streams lose what was withdrawn from their users. See
 * revoked_apply.h. */
#include "broker/worker/revoked_apply.h"

/* No stream has a user while auth.mode is none: nobody is to be told. */
void
worker_on_revoked(struct worker *worker, struct slice user,
    struct slice pattern, uint64_t at_ms)
{
	(void)worker;
	(void)user;
	(void)pattern;
	(void)at_ms;
}
