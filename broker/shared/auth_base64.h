/*
 * auth_base64: base64url without padding (RFC 7515, section 2), read so that
 * each value has one text only: no padding, no white space, and no bits set
 * behind the last byte.
 */
#ifndef SSEMUX_SHARED_AUTH_BASE64_H
#define SSEMUX_SHARED_AUTH_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/slice.h"

/* How many bytes a text of that length stands for at most. */
static inline size_t
auth_base64_room(size_t text_len)
{
	return text_len / 4 * 3 + 2;
}

/* Decodes the text; out has auth_base64_room() bytes. False: it is not
 * base64url, and out may be half written. */
bool auth_base64_decode(struct slice text, unsigned char *out, size_t *len);

#endif
