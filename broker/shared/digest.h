/* digest: SHA-256 (FIPS 180-4), by OpenSSL. */
#ifndef SSEMUX_SHARED_DIGEST_H
#define SSEMUX_SHARED_DIGEST_H

#include <stddef.h>

#include "protocol/slice.h"

enum {
	DIGEST_BYTES = 32,
	DIGEST_TEXT = 43, /* as base64url, without padding */
};

/* Makes ready what needs files: before a process is confined. 0 or -1. */
int digest_start(void);
void digest_finish(void);

/*
 * The digest of several texts, as base64url (RFC 4648, section 5) without a
 * NUL. Each is preceded by its length, so that no two lists of texts are the
 * same bytes. 0, or -1: no memory.
 */
int digest_of(const struct slice *parts, size_t count, char text[DIGEST_TEXT]);

#endif
