/* frame: events as HTTP chunks. See frame.h. */
#include "broker/worker/cursor/frame.h"

#include <assert.h>
#include <string.h>

#include "protocol/buf.h"

enum { HEAD_BYTES_MAX = 10 }; /* eight hex digits, CR LF */

/* Writes the chunk's head so that it ends at `end`; returns its length. */
static size_t
write_head(char *end, size_t block_len)
{
	char *at = end;

	*--at = '\n';
	*--at = '\r';
	do {
		*--at = "0123456789abcdef"[block_len & 15];
		block_len >>= 4;
	} while (block_len > 0);
	return (size_t)(end - at);
}

/*
 * The head's length depends on the block's, so the block is made behind room
 * for the longest head, and then both are moved together.
 */
struct frame
frame_append(
    struct buf *buf, const struct event *event, const struct sse_shape *shape)
{
	size_t start = buf_length(buf);
	char head[HEAD_BYTES_MAX];
	size_t head_len, block_len;
	char *frame;

	if (buf_reserve(buf, HEAD_BYTES_MAX) == NULL)
		return (struct frame){.bytes = NULL};
	buf_commit(buf, HEAD_BYTES_MAX);
	sse_append_event(buf, event, shape);
	block_len = buf_length(buf) - start - HEAD_BYTES_MAX;
	buf_append(buf, "\r\n", FRAME_TAIL_BYTES);
	if (buf_failed(buf))
		return (struct frame){.bytes = NULL};
	assert(block_len <= UINT32_MAX);
	head_len = write_head(head + sizeof(head), block_len);
	frame = buf->data + buf->start + start;
	memcpy(frame, head + sizeof(head) - head_len, head_len);
	memmove(frame + head_len, frame + HEAD_BYTES_MAX,
	    block_len + FRAME_TAIL_BYTES);
	buf->end -= HEAD_BYTES_MAX - head_len;
	return (struct frame){
	    .bytes = frame,
	    .len = head_len + block_len + FRAME_TAIL_BYTES,
	    .head_len = head_len,
	};
}

void
frame_append_chunk(struct buf *buf, const struct buf *block)
{
	char head[HEAD_BYTES_MAX];
	size_t head_len = write_head(head + sizeof(head), buf_length(block));

	buf_append(buf, head + sizeof(head) - head_len, head_len);
	buf_append(buf, buf_bytes(block), buf_length(block));
	buf_append(buf, "\r\n", FRAME_TAIL_BYTES);
}

struct slice
frame_part(const struct frame *frame, int http_minor)
{
	if (http_minor > 0)
		return slice_of(frame->bytes, frame->len);
	return slice_of(frame->bytes + frame->head_len,
	    frame->len - frame->head_len - FRAME_TAIL_BYTES);
}
