/*
 * auth_key: one key and what it may verify. Only auth_*.c look here.
 */
#ifndef SSEMUX_SHARED_AUTH_KEY_H
#define SSEMUX_SHARED_AUTH_KEY_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "protocol/slice.h"

enum auth_family {
	AUTH_FAMILY_OCT, /* a secret */
	AUTH_FAMILY_RSA,
	AUTH_FAMILY_P256,
	AUTH_FAMILY_P384,
	AUTH_FAMILY_ED25519,
};

enum auth_padding { AUTH_PADDING_NONE, AUTH_PADDING_PKCS1, AUTH_PADDING_PSS };

/* A row of auth_algorithm.def. */
struct auth_algorithm {
	const char *name;
	enum auth_family family;
	const char *digest;
	enum auth_padding padding;
	size_t signature_bytes;
};

enum {
	AUTH_KID_MAX = 256,            /* bytes */
	AUTH_RSA_BITS_MIN = 2048,      /* fewer can be broken */
	AUTH_RSA_BITS_MAX = 8192,      /* more take too long */
	AUTH_SECRET_BYTES_ENOUGH = 32, /* fewer are warned about */
	AUTH_SIGNATURE_MAX = AUTH_RSA_BITS_MAX / 8,
};

struct auth_key {
	enum auth_family family;
	const struct auth_algorithm *only; /* NULL: all of the family */
	char *kid;                         /* NULL: none */
	EVP_PKEY *public;                  /* NULL for a secret */
	char *secret;
	size_t secret_bytes;
};

/* NULL: no such algorithm. The case of letters counts. */
const struct auth_algorithm *auth_algorithm_find(struct slice name);

/* Makes a key of a public key, which the key then owns, also in failure. 0; or
 * -1, and *why gets one sentence. */
int auth_key_from_public(
    struct auth_key *key, EVP_PKEY *public, const char **why);

/* Makes a key of a copy of the secret. 0, or -1 and *why. */
int auth_key_from_secret(
    struct auth_key *key, struct slice secret, const char **why);

/* Also of an empty key (all zero). */
void auth_key_finish(struct auth_key *key);

/* Did the key make this signature of the text? The algorithm is one of the
 * key's family. */
bool auth_key_verifies(const struct auth_key *key,
    const struct auth_algorithm *algorithm, struct slice text,
    struct slice signature);

#endif
