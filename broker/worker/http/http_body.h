/*
 * http_body: the body of an HTTP/1.x request (RFC 9112, 6 and 7), read
 * strictly, as it comes in.
 *
 * Pure: bytes in, the body's bytes out. Each byte is looked at once, however
 * few come at a time. Of the chunked coding every line ends with CR LF; a size
 * has 1 to 8 hexadecimal digits and nothing else but an extension behind a
 * semicolon; extensions and trailers are checked, bounded and ignored.
 */
#ifndef SSEMUX_WORKER_HTTP_HTTP_BODY_H
#define SSEMUX_WORKER_HTTP_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/buf.h"
#include "protocol/slice.h"

struct http_request;

enum {
	HTTP_BODY_EXTENSION_MAX = 256, /* bytes behind one chunk's size */
	HTTP_BODY_TRAILER_MAX = 4096,  /* bytes of all trailers */
};

enum http_body_result {
	HTTP_BODY_PART,  /* more is needed */
	HTTP_BODY_WHOLE, /* that was all of it */
	HTTP_BODY_LARGE, /* longer than allowed: answer 413, then close */
	HTTP_BODY_BAD,   /* answer 400 with why, then close */
};

struct http_body {
	uint64_t left; /* of the whole, or of the chunk */
	size_t held;   /* bytes of the body so far */
	size_t max;
	size_t line; /* bytes of the line, or of the trailers, so far */
	int state;
	const char *why; /* one sentence, when BAD */
};

/* Begins with the body of this request, which may have max bytes. PART; or
 * WHOLE: there is none; or LARGE. */
enum http_body_result http_body_begin(
    struct http_body *body, const struct http_request *request, size_t max);

/*
 * Reads on: appends to out what is of the body, and *taken gets how many of
 * the bytes were taken; what follows a whole body is left alone. Not to be
 * called again after any result but PART.
 */
enum http_body_result http_body_read(
    struct http_body *body, struct slice bytes, struct buf *out, size_t *taken);

#endif
