/* slice: bytes that somebody else owns. */
#ifndef SSEMUX_PROTOCOL_SLICE_H
#define SSEMUX_PROTOCOL_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Not NUL-terminated; bytes may be NULL when len is 0. */
struct slice {
	const char *bytes;
	size_t len;
};

static inline struct slice
slice_of(const char *bytes, size_t len)
{
	return (struct slice){bytes, len};
}

static inline struct slice
slice_of_text(const char *text)
{
	return (struct slice){text, strlen(text)};
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

static inline bool
slice_is(struct slice a, const char *text)
{
	return slice_equal(a, slice_of_text(text));
}

static inline bool
slice_starts_with(struct slice a, struct slice prefix)
{
	return a.len >= prefix.len &&
	       (prefix.len == 0 ||
		   memcmp(a.bytes, prefix.bytes, prefix.len) == 0);
}

/* Without the spaces and tabs around it. */
static inline struct slice
slice_trim(struct slice text)
{
	while (text.len > 0 && (*text.bytes == ' ' || *text.bytes == '\t')) {
		text.bytes++;
		text.len--;
	}
	while (text.len > 0 && (text.bytes[text.len - 1] == ' ' ||
				   text.bytes[text.len - 1] == '\t'))
		text.len--;
	return text;
}

#endif
