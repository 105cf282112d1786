/*
 * listener: the client's end of an event stream: it undoes the chunks and cuts
 * the stream into blocks.
 */
#ifndef TESTS_UNIT_LISTENER_H
#define TESTS_UNIT_LISTENER_H

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/buf.h"
#include "protocol/slice.h"

struct listener {
	int fd; /* -1: the connection has ended */
	int http_minor;
	bool in_body;
	struct buf raw;  /* as it came */
	struct buf body; /* without chunks; blocks not yet taken */
	size_t heartbeats;
};

static inline void
listener_finish(struct listener *listener)
{
	if (listener->fd != -1)
		close(listener->fd);
	listener->fd = -1;
	buf_finish(&listener->raw);
	buf_finish(&listener->body);
}

/* Takes over the socket, and sends the request. */
static inline void
listener_init(
    struct listener *listener, int fd, int http_minor, const char *request)
{
	size_t len = strlen(request);

	*listener = (struct listener){.fd = fd, .http_minor = http_minor};
	buf_init(&listener->raw, 0);
	buf_init(&listener->body, 0);
	ck_assert_int_eq(send(fd, request, len, 0), (ssize_t)len);
}

/* Where this text begins; or NULL. */
static inline const char *
listener_find(const struct buf *buf, const char *text)
{
	return buf_length(buf) == 0 ? NULL
				    : memmem(buf_bytes(buf), buf_length(buf),
					  text, strlen(text));
}

static inline void
listener_take_head(struct listener *listener)
{
	const char *end = listener_find(&listener->raw, "\r\n\r\n");

	if (end == NULL)
		return;
	ck_assert_mem_eq(buf_bytes(&listener->raw), "HTTP/1.1 200 ", 13);
	buf_consume(
	    &listener->raw, (size_t)(end - buf_bytes(&listener->raw)) + 4);
	listener->in_body = true;
}

/* One chunk, when it is whole. */
static inline bool
listener_take_chunk(struct listener *listener)
{
	const char *bytes = buf_bytes(&listener->raw);
	const char *end = listener_find(&listener->raw, "\r\n");
	size_t head, len;
	char *stop;

	if (end == NULL)
		return false;
	len = strtoul(bytes, &stop, 16);
	ck_assert_ptr_eq(stop, end);
	ck_assert_uint_gt(len, 0);
	head = (size_t)(end - bytes) + 2;
	if (buf_length(&listener->raw) < head + len + 2)
		return false;
	ck_assert_mem_eq(bytes + head + len, "\r\n", 2);
	buf_append(&listener->body, bytes + head, len);
	buf_consume(&listener->raw, head + len + 2);
	return true;
}

/* Reads so many bytes at most. */
static inline void
listener_read(struct listener *listener, size_t max)
{
	char *room = buf_reserve(&listener->raw, max);
	ssize_t got = recv(listener->fd, room, max, 0);

	if (got == 0 || (got == -1 && errno != EAGAIN)) {
		close(listener->fd);
		listener->fd = -1;
	}
	if (got > 0)
		buf_commit(&listener->raw, (size_t)got);
	if (!listener->in_body)
		listener_take_head(listener);
	if (!listener->in_body)
		return;
	if (listener->http_minor > 0) {
		while (listener_take_chunk(listener))
			;
		return;
	}
	buf_append(&listener->body, buf_bytes(&listener->raw),
	    buf_length(&listener->raw));
	buf_clear(&listener->raw);
}

/* The next block with its blank line, when it is whole; consume it with
 * buf_consume(). Heartbeats before it are counted. */
static inline struct slice
listener_block(struct listener *listener)
{
	struct buf *body = &listener->body;
	const char *end;

	while (
	    buf_length(body) >= 4 && memcmp(buf_bytes(body), ":hb\n", 4) == 0) {
		buf_consume(body, 4);
		listener->heartbeats++;
	}
	end = listener_find(body, "\n\n");
	if (end == NULL)
		return slice_of(NULL, 0);
	return slice_of(buf_bytes(body), (size_t)(end - buf_bytes(body)) + 2);
}

#endif
