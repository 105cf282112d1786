/* authority: who a request speaks for. See authority.h. */
#include "broker/worker/authority.h"

/* Everybody, who may do everything. */
static void
take_nobody(struct authority *authority)
{
	static const struct slice all = {"*", 1};

	*authority = (struct authority){
	    .user = {"", 0},
	    .expires_ms = UINT64_MAX,
	    .subscribe = &all,
	    .subscribe_count = 1,
	    .publish = &all,
	    .publish_count = 1,
	    .admin = true,
	};
}

enum authority_found
authority_find(struct connection *connection,
    const struct http_request *request, struct authority *authority)
{
	(void)connection;
	(void)request;
	take_nobody(authority);
	return AUTHORITY_FOUND;
}

enum authority_found
authority_try(struct connection *connection, const struct http_request *request,
    struct authority *authority)
{
	return authority_find(connection, request, authority);
}

bool
authority_demand(struct connection *connection,
    const struct http_request *request, struct authority *authority)
{
	return authority_find(connection, request, authority) ==
	       AUTHORITY_FOUND;
}

enum auth_verdict
authority_read(
    struct worker *worker, struct slice token, struct authority *authority)
{
	(void)worker;
	(void)token;
	take_nobody(authority);
	return AUTH_VERDICT_GOOD;
}

void
authority_finish(struct authority *authority)
{
	*authority = (struct authority){.user = {"", 0}};
}

int
authority_start(struct worker *worker)
{
	(void)worker;
	return 0;
}

void
authority_tick(struct worker *worker)
{
	(void)worker;
}

void
authority_stop(struct worker *worker)
{
	(void)worker;
}
