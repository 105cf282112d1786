/*
 * auth_token: a JSON Web Token (RFC 7519, signed as RFC 7515 says, in compact
 * form), from its bytes to claims that can be relied on.
 *
 * Pure: keys, rules and time are arguments. Nothing of a token that was not
 * found good is kept or shown.
 */
#ifndef SSEMUX_SHARED_AUTH_TOKEN_H
#define SSEMUX_SHARED_AUTH_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/auth_verdict.h"
#include "protocol/slice.h"

struct auth_claims;
struct auth_keys;

enum {
	AUTH_TOKEN_MAX = 8192, /* bytes of a token */
	AUTH_USER_MAX = 256,   /* bytes of the user's name */
	AUTH_GRANTS_MAX = 256, /* patterns in each list of the ssemux claim */
};

/* What a good token must say. */
struct auth_rules {
	struct slice issuer;          /* len 0: any */
	const char *const *audiences; /* one of these; */
	size_t audience_count;        /* 0: only tokens without one */
	struct slice user_claim;      /* a name, as in a template */
	uint64_t leeway_ms;           /* for clocks that differ */
	bool expiry_optional;         /* a token without exp never expires */
};

/* A good token; all slices live as long as it does. */
struct auth_token {
	struct auth_claims *claims;
	struct slice user;
	uint64_t expires_ms;     /* exp, Unix ms, perhaps past by less than the
				  * leeway; UINT64_MAX: never */
	uint64_t issued_ms;      /* iat, Unix ms; 0: not said */
	struct slice *subscribe; /* valid patterns */
	size_t subscribe_count;
	struct slice *publish; /* valid patterns */
	size_t publish_count;
	bool admin;
};

/* Reads and judges a token. With AUTH_VERDICT_GOOD, *token is to be destroyed;
 * with any other it is NULL. */
enum auth_verdict auth_token_read(struct slice text,
    const struct auth_keys *keys, const struct auth_rules *rules,
    uint64_t now_ms, struct auth_token **token);

/* NULL is allowed. */
void auth_token_destroy(struct auth_token *token);

#endif
