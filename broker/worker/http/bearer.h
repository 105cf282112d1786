/*
 * bearer: where in a request its token is (RFC 6750, and a cookie).
 *
 * The header Authorization comes first, then access_token= of the query, then
 * the cookie auth.cookie. The first that is there counts, good or bad. A cookie
 * is sent by browsers whoever asks for it, so it counts only when a page of
 * ours, or one of http.cors_origins, asks.
 */
#ifndef SSEMUX_WORKER_HTTP_BEARER_H
#define SSEMUX_WORKER_HTTP_BEARER_H

#include <stddef.h>

#include "protocol/slice.h"

struct config;
struct http_request;

enum bearer_found {
	BEARER_NONE,
	BEARER_FOUND,
	BEARER_TWICE,   /* in one place there are two */
	BEARER_FOREIGN, /* a cookie, and another page asks */
	BEARER_MEMORY,  /* there is none to decode it */
};

struct bearer {
	struct slice token; /* in the request, or decoded */
	char *decoded;
	size_t decoded_size;
};

/* The bearer is to be finished after BEARER_FOUND. */
enum bearer_found bearer_find(const struct config *config,
    const struct http_request *request, struct bearer *bearer);

/* Wipes what was decoded; also twice. */
void bearer_finish(struct bearer *bearer);

#endif
