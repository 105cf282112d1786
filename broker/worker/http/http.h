/*
 * http: the head of an HTTP/1.x request (RFC 9112), read strictly.
 *
 * Pure: bytes in, slices out. A request line of method, target (see
 * http_target.h) and HTTP/1.0 or HTTP/1.1; lines end with CRLF; no folding, no
 * space before a colon, no bare CR, no control characters; names are tokens.
 * HTTP/1.1 needs exactly one Host. Content-Length is given at most once, digits
 * only; Transfer-Encoding only with HTTP/1.1, only "chunked", and never with a
 * Content-Length: what two parsers could read differently is refused.
 */
#ifndef SSEMUX_WORKER_HTTP_HTTP_H
#define SSEMUX_WORKER_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/coding.h"
#include "protocol/slice.h"

enum { HTTP_HEADERS_MAX = 256 };

struct http_limits {
	size_t head_bytes; /* request line and headers, with the blank line */
	size_t headers;    /* header lines, at most HTTP_HEADERS_MAX */
};

struct http_header {
	struct slice name;
	struct slice value; /* without white space around it */
};

struct http_request {
	struct slice method;
	struct slice path;  /* as sent, begins with '/'; not decoded; or * */
	struct slice query; /* behind the '?'; len 0: none */
	struct slice host;  /* of the target, else of Host, with its port; bytes
			     * NULL: neither */
	struct slice head;  /* all that was read, from the method on */
	int minor;          /* HTTP/1.minor: 0 or 1 */
	bool keep_alive;    /* what version and Connection ask for */
	bool chunked_body;
	uint64_t body_bytes; /* Content-Length; 0 when there is none */
	struct slice body;   /* whole, when the method is one with a body */
	size_t header_count;
	struct http_header headers[HTTP_HEADERS_MAX];
};

enum http_head {
	HTTP_HEAD_WHOLE, /* *size is its length */
	HTTP_HEAD_PART,  /* more is needed */
	HTTP_HEAD_BAD,   /* answer with *status and *why, then close */
};

/*
 * Reads the head at the start of the bytes. Slices point into the bytes. On
 * The body is set to be empty: reading it is for http_body.h. On
 * BAD, *status is 400, 414, 431, 501 or 505, and *why one sentence. Empty
 * lines before the request line are skipped (RFC 9112, 2.2), two at most.
 */
enum http_head http_read_head(const char *bytes, size_t len,
    const struct http_limits *limits, struct http_request *request,
    size_t *size, int *status, const char **why);

/* The value of the first header of that name (any case); *count, when not
 * NULL, gets how many there are. bytes is NULL when there is none. */
struct slice http_header(
    const struct http_request *request, const char *name, size_t *count);

/* Does an Accept header allow this media type, named in so many words (not by
 * a wildcard)? */
bool http_accepts(const struct http_request *request, const char *media_type);

/*
 * Does the client prefer application/json to text/event-stream (RFC 9110,
 * 12.5.1)? It does when its Accept headers give JSON more weight; or as much,
 * and name it in more words: so not with a wildcard for all, nor when it names
 * both.
 */
bool http_prefers_json(const struct http_request *request);

/*
 * Which of the codings on offer, bits 1 << coding, the client likes best (RFC
 * 9110, 12.5.3), and at least as much as none at all: that is the answer to one
 * without an Accept-Encoding header. "x-gzip" is gzip, and "*" any that is not
 * named. Of those it likes as much it gets the best that it names; who names
 * none has perhaps never heard of what is newer than gzip.
 */
enum coding http_find_coding(
    const struct http_request *request, unsigned offered);

/* What an Expect header asks for; HTTP/1.0 has none. */
enum http_expect {
	HTTP_EXPECT_NOTHING,
	HTTP_EXPECT_CONTINUE, /* to be told to send the body */
	HTTP_EXPECT_OTHER,    /* what is not known */
};

enum http_expect http_expect(const struct http_request *request);

/*
 * The next name=value of a query (application/x-www-form-urlencoded): decoded
 * into name and value, which each have room for the query's length. *query is
 * moved on. 1: a pair; 0: the end; -1: a broken percent escape, or one that
 * decodes to NUL.
 */
int http_query_next(struct slice *query, char *name, size_t *name_len,
    char *value, size_t *value_len);

#endif
