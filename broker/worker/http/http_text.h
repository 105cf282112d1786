/*
 * http_text: what the lines of a request are made of. Only http*.c look here.
 */
#ifndef SSEMUX_WORKER_HTTP_HTTP_TEXT_H
#define SSEMUX_WORKER_HTTP_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/slice.h"

/* What a byte may be part of. */
enum http_class {
	HTTP_IN_TOKEN = 1,  /* RFC 9110, 5.6.2 */
	HTTP_IN_TARGET = 2, /* visible ASCII, without '#' */
	HTTP_IN_VALUE = 4,  /* visible, space, tab, and bytes from 0x80 on */
	HTTP_IN_HOST = 8,   /* RFC 3986, 3.2.2 and 3.2.3 */
};

/* How many bytes at the start are all of this class. */
size_t http_text_span(struct slice text, enum http_class in);

/* Is every byte of this class? */
bool http_text_all(struct slice text, enum http_class in);

/* Is it this word, in any case of ASCII letters? */
bool http_text_is(struct slice text, const char *word);

/*
 * Cuts what stands before the first divider off *text, and the divider; all of
 * it when there is none. False when *text is empty.
 */
bool http_text_next(struct slice *text, char divider, struct slice *part);

/* The value of a hexadecimal digit; -1 when it is none. */
int http_text_hex(char c);

static inline struct slice
http_text_skip(struct slice text, size_t len)
{
	return slice_of(text.bytes + len, text.len - len);
}

#endif
