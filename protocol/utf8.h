/* utf8: is this text valid UTF-8 (RFC 3629: no surrogates, no overlong)? */
#ifndef SSEMUX_PROTOCOL_UTF8_H
#define SSEMUX_PROTOCOL_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool utf8_valid(const char *text, size_t len);

#endif
