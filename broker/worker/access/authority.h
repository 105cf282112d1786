/*
 * authority: who a request speaks for, and what that one may do.
 *
 * With auth.mode = none everybody is the user "" and may do everything. With
 * jwt it is what a token says: in the header Authorization (Bearer), else in
 * access_token= of the query, else in the cookie auth.cookie, which counts
 * only for requests of our own pages and those of http.cors_origins. Nothing
 * of a token is logged or sent back.
 */
#ifndef SSEMUX_WORKER_ACCESS_AUTHORITY_H
#define SSEMUX_WORKER_ACCESS_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/auth_token.h"
#include "protocol/slice.h"

struct bearer;
struct connection;
struct http_request;
struct worker;

/* Lives for one request; what is to last longer is to be copied. */
struct authority {
	struct slice user;        /* "" in mode none */
	uint64_t expires_ms;      /* Unix ms; UINT64_MAX: never */
	uint64_t issued_ms;       /* Unix ms; 0: not said */
	struct auth_token *token; /* NULL in mode none */
	/* the token's own grants: valid patterns */
	const struct slice *subscribe;
	size_t subscribe_count;
	const struct slice *publish;
	size_t publish_count;
	bool admin;
};

enum authority_found {
	AUTHORITY_FOUND,   /* *authority is to be finished */
	AUTHORITY_NONE,    /* there is no token; nothing was answered */
	AUTHORITY_REFUSED, /* there is a bad one */
};

/* Finds who the request speaks for; a bad token is answered, with 401, and a
 * cookie from a foreign page with 403. */
enum authority_found authority_find(struct connection *connection,
    const struct http_request *request, struct authority *authority);

/* The same for who takes strangers: nothing is answered. */
enum authority_found authority_try(struct connection *connection,
    const struct http_request *request, struct authority *authority);

/* The same for who takes no strangers: no token is answered with 401, too.
 * True: *authority is to be finished; false: it was answered. */
bool authority_demand(struct connection *connection,
    const struct http_request *request, struct authority *authority);

/* Judges a token that came as bytes, to renew another; nothing is answered.
 * With AUTH_VERDICT_GOOD, *authority is to be finished. */
enum auth_verdict authority_read(
    struct worker *worker, struct slice token, struct authority *authority);

/* The token alone, for a worker that passes it on; what is no token is
 * answered, but not judged. The bearer is to be finished when it is FOUND. */
enum authority_found authority_bearer(struct connection *connection,
    const struct http_request *request, struct bearer *bearer);

/* Answers a token that authority_read() did not find good. */
void authority_refuse(struct connection *connection, enum auth_verdict verdict);

/* Frees what was found; also twice, or when nothing was. */
void authority_finish(struct authority *authority);

/* --- for worker.c --- */

/* Takes over the keys, before the worker is confined. 0, or -1 (logged). */
int authority_start(struct worker *worker);

/* Looks for changed keys; called every second. */
void authority_tick(struct worker *worker);

void authority_stop(struct worker *worker);

#endif
