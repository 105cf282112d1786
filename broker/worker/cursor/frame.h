/*
 * frame: the bytes of one event on one kind of stream: an HTTP chunk (RFC
 * 9112, 7.1) with the event's block in it. Frames can follow each other in one
 * write. On HTTP/1.0, which has no chunks, only the block is sent.
 */
#ifndef SSEMUX_WORKER_CURSOR_FRAME_H
#define SSEMUX_WORKER_CURSOR_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "broker/shared/sse.h"

struct buf;

enum { FRAME_TAIL_BYTES = 2 }; /* CR LF */

struct frame {
	const char *bytes;
	size_t len;      /* of all */
	size_t head_len; /* of the chunk's head */
};

/*
 * Appends the frame of an event and returns it; its bytes are where the buffer
 * has them now. bytes is NULL when memory could not be had.
 */
struct frame frame_append(
    struct buf *buf, const struct event *event, const struct sse_shape *shape);

/* Appends what `block` holds as one chunk. */
void frame_append_chunk(struct buf *buf, const struct buf *block);

/* The part of a frame that goes out: all of it, or the block alone. */
struct slice frame_part(const struct frame *frame, int http_minor);

#endif
