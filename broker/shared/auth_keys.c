/* auth_keys: keys from the bytes of files. See auth_keys.h. */
#include "broker/shared/auth_keys.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "broker/shared/auth_keyring.h"

void
auth_keys_prepare(uint64_t seed)
{
	json_object_seed((size_t)seed);
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

int
auth_keyring_add(struct auth_keys *keys, struct auth_key *key, const char **why)
{
	if (keys->count == AUTH_KEYS_MAX) {
		*why = "there are more than 128 keys";
		auth_key_finish(key);
		return -1;
	}
	keys->items[keys->count++] = *key;
	return 0;
}

void
auth_keyring_note(const struct auth_notes *notes, const char *text)
{
	if (notes->note != NULL)
		notes->note(text, notes->context);
}

static int
read_source(const struct auth_source *source, struct auth_keys *keys,
    const struct auth_notes *notes, const char **why)
{
	switch (source->kind) {
	case AUTH_SOURCE_KEY:
		return auth_key_file_read(source->bytes, keys, notes, why);
	case AUTH_SOURCE_SET:
		return auth_jwks_read(source->bytes, keys, notes, why);
	}
	*why = "there is no such kind of file";
	return -1;
}

struct auth_keys *
auth_keys_read(const struct auth_source *sources, size_t count,
    const struct auth_notes *notes, size_t *bad, const char **why)
{
	struct auth_keys *keys = calloc(1, sizeof(*keys));

	*bad = 0;
	*why = "there is no memory";
	for (; keys != NULL && *bad < count; ++*bad) {
		if (read_source(&sources[*bad], keys, notes, why) == -1) {
			auth_keys_destroy(keys);
			return NULL;
		}
	}
	return keys;
}

size_t
auth_keys_count(const struct auth_keys *keys)
{
	return keys->count;
}

void
auth_keys_destroy(struct auth_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->count; i++)
		auth_key_finish(&keys->items[i]);
	free(keys);
}
