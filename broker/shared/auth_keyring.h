/*
 * auth_keyring: how keys are put into auth_keys. Only auth_*.c look here.
 */
#ifndef SSEMUX_SHARED_AUTH_KEYRING_H
#define SSEMUX_SHARED_AUTH_KEYRING_H

#include "broker/shared/auth_key.h"
#include "broker/shared/auth_keys.h"

struct auth_keys {
	struct auth_key items[AUTH_KEYS_MAX];
	size_t count;
};

/* Takes the key over, also in failure. 0; -1 and *why: there are too many. */
int auth_keyring_add(
    struct auth_keys *keys, struct auth_key *key, const char **why);

void auth_keyring_note(const struct auth_notes *notes, const char *text);

/* The readers of files. 0, or -1 and *why. */
int auth_key_file_read(struct slice bytes, struct auth_keys *keys,
    const struct auth_notes *notes, const char **why);
int auth_jwk_read(struct slice json, struct auth_keys *keys,
    const struct auth_notes *notes, const char **why);
int auth_jwks_read(struct slice json, struct auth_keys *keys,
    const struct auth_notes *notes, const char **why);

#endif
