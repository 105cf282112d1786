/*
 * buf: a byte buffer that grows at its end and is consumed at its start.
 *
 *	bytes:  | consumed | held ............ | free |
 *	         ^data      ^data+start         ^data+end   ^data+size
 *
 * Failure is sticky: when memory cannot be had, or a cap would be passed, the
 * append does nothing, buf_failed() turns true, and later appends do nothing
 * either. A caller builds a whole message and looks once, at the end.
 */
#ifndef SSEMUX_PROTOCOL_BUF_H
#define SSEMUX_PROTOCOL_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t start;
	size_t end;
	size_t size;
	size_t max; /* bytes held at most; 0: no cap */
	bool failed;
};

/* Makes an empty buffer that holds at most max_bytes (0: no cap). */
void buf_init(struct buf *buf, size_t max_bytes);

/* Frees the bytes; the buffer is as after buf_init(buf, 0). NULL is allowed. */
void buf_finish(struct buf *buf);

/* The bytes held; valid until the next call that changes the buffer. May be
 * NULL when there are none. */
static inline const char *
buf_bytes(const struct buf *buf)
{
	return buf->data == NULL ? NULL : buf->data + buf->start;
}

static inline size_t
buf_length(const struct buf *buf)
{
	return buf->end - buf->start;
}

static inline bool
buf_failed(const struct buf *buf)
{
	return buf->failed;
}

/* Empties the buffer, keeps its memory and cap, and forgets a failure. */
void buf_clear(struct buf *buf);

/*
 * Room for len more bytes at the end, or NULL (and the buffer has failed).
 * Write there, then say how many bytes count with buf_commit(). The pointer
 * is valid until the next call that changes the buffer.
 */
char *buf_reserve(struct buf *buf, size_t len);
void buf_commit(struct buf *buf, size_t len);

void buf_append(struct buf *buf, const void *bytes, size_t len);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char byte);

/* printf into the buffer; meant for short texts off the hot path. */
__attribute__((format(printf, 2, 3))) void buf_printf(
    struct buf *buf, const char *format, ...);

/* Drops len bytes at the start; len must not pass what is held. */
void buf_consume(struct buf *buf, size_t len);

#endif
