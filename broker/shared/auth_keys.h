/*
 * auth_keys: the keys that tokens are verified with, read from the bytes of
 * key files, all or none.
 *
 * A key file holds public keys as PEM, or one JSON Web Key (RFC 7517), or else
 * it is a secret, byte for byte: of a text, one line end at its end is no part
 * of it. What looks like a public key in another form is refused rather than
 * taken for a secret. A set file holds a JSON Web Key Set; keys in it that
 * cannot verify tokens are passed over.
 */
#ifndef SSEMUX_SHARED_AUTH_KEYS_H
#define SSEMUX_SHARED_AUTH_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

struct auth_keys;

enum {
	AUTH_KEYS_MAX = 128,   /* in all */
	AUTH_KEYS_TRIED = 16,  /* for one token */
	AUTH_ERROR_SIZE = 256, /* bytes, with the NUL */
};

/* The numbers are kept in shared memory by the vault. */
enum auth_source_kind {
	AUTH_SOURCE_KEY = 0, /* a key file */
	AUTH_SOURCE_SET = 1, /* a set file */
};

struct auth_source {
	enum auth_source_kind kind;
	struct slice bytes;
};

/* What a reader says about a key that it took or passed over, without a byte
 * of it. */
struct auth_notes {
	void (*note)(const char *text, void *context); /* NULL: not wanted */
	void *context;
};

/*
 * Reads all sources. NULL when one is bad, or together they hold too many
 * keys; *bad then is the index of the source, and *why one sentence. No bytes
 * are kept. The notes come while *bad is the index of their source.
 */
struct auth_keys *auth_keys_read(const struct auth_source *sources,
    size_t count, const struct auth_notes *notes, size_t *bad,
    const char **why);

size_t auth_keys_count(const struct auth_keys *keys);

/* NULL is allowed. Secrets are wiped. */
void auth_keys_destroy(struct auth_keys *keys);

/*
 * Prepares the libraries for a process that may open no file later: no
 * configuration of theirs is read, and the seed is that of their hash tables.
 */
void auth_keys_prepare(uint64_t seed);

#endif
