/* buf: a growing byte buffer. See buf.h. */
#include "protocol/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 256 };

void
buf_init(struct buf *buf, size_t max_bytes)
{
	*buf = (struct buf){.max = max_bytes};
}

void
buf_finish(struct buf *buf)
{
	if (buf == NULL)
		return;
	free(buf->data);
	buf_init(buf, 0);
}

void
buf_clear(struct buf *buf)
{
	buf->start = buf->end = 0;
	buf->failed = false;
}

/* Moves what is held to the front, so that consumed bytes are free again. */
static void
buf_compact(struct buf *buf)
{
	if (buf->start == 0)
		return;
	memmove(buf->data, buf->data + buf->start, buf_length(buf));
	buf->end -= buf->start;
	buf->start = 0;
}

static bool
buf_grow(struct buf *buf, size_t need)
{
	size_t size = buf->size > 0 ? buf->size : BUF_FIRST_BYTES;
	char *data;

	while (size < need)
		size *= 2;
	data = realloc(buf->data, size);
	if (data == NULL)
		return false;
	buf->data = data;
	buf->size = size;
	return true;
}

char *
buf_reserve(struct buf *buf, size_t len)
{
	size_t held = buf_length(buf);

	if (buf->failed)
		return NULL;
	if (len > SIZE_MAX / 4 - held ||
	    (buf->max > 0 && held + len > buf->max)) {
		buf->failed = true;
		return NULL;
	}
	if (buf->data != NULL && buf->size - buf->end >= len)
		return buf->data + buf->end;
	/* Compact only when that frees at least half: appends stay O(1). */
	if (buf->start > 0 && buf->start >= held)
		buf_compact(buf);
	if (buf->data == NULL || buf->size - buf->end < len) {
		buf_compact(buf);
		if (!buf_grow(buf, buf->end + len)) {
			buf->failed = true;
			return NULL;
		}
	}
	return buf->data + buf->end;
}

void
buf_commit(struct buf *buf, size_t len)
{
	assert(len <= buf->size - buf->end);
	buf->end += len;
}

void
buf_append(struct buf *buf, const void *bytes, size_t len)
{
	char *room = buf_reserve(buf, len);

	if (room == NULL || len == 0)
		return;
	memcpy(room, bytes, len);
	buf->end += len;
}

void
buf_append_text(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void
buf_append_char(struct buf *buf, char byte)
{
	buf_append(buf, &byte, 1);
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	char *room;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	assert(len >= 0);
	room = buf_reserve(buf, (size_t)len + 1);
	if (room == NULL)
		return;
	va_start(args, format);
	len = vsnprintf(room, (size_t)len + 1, format, args);
	va_end(args);
	buf_commit(buf, (size_t)len);
}

void
buf_consume(struct buf *buf, size_t len)
{
	assert(len <= buf_length(buf));
	buf->start += len;
	if (buf->start == buf->end)
		buf->start = buf->end = 0;
}
