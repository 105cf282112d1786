/*
 * auth_claims: the claims of a good token, asked for by name.
 *
 * A name is that of a claim; when there is none of it, its dots lead into
 * objects: "realm.tenant" is the member tenant of the claim realm.
 */
#ifndef SSEMUX_SHARED_AUTH_CLAIMS_H
#define SSEMUX_SHARED_AUTH_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/slice.h"

struct auth_claims;

/* Reads the claims of a token whose signature is good. NULL: they are not one
 * strict JSON object, or there is no memory. */
struct auth_claims *auth_claims_read(struct slice json);

/* NULL is allowed. */
void auth_claims_destroy(struct auth_claims *claims);

enum {
	AUTH_CLAIM_NAME_MAX = 200,  /* bytes */
	AUTH_CLAIM_VALUE_MAX = 256, /* bytes; longer ones are not given */
};

/* May that be the name of a claim? Visible ASCII without { } and comma. */
bool auth_claim_name_valid(struct slice name);

/*
 * Calls found() with each value of the claim, which is valid during the call:
 * a text or an integer in decimal, of 1 to AUTH_CLAIM_VALUE_MAX bytes, or each
 * of these in a list. All else is passed over. How many there were.
 */
size_t auth_claim_each(const struct auth_claims *claims, struct slice name,
    void (*found)(struct slice value, void *context), void *context);

/* The same for a claim that is no list: calls found() with its value. False:
 * it has none. */
bool auth_claim_one(const struct auth_claims *claims, struct slice name,
    void (*found)(struct slice value, void *context), void *context);

#endif
