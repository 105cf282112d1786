/*
 * sse: the bytes of an event stream (WHATWG HTML, "Server-sent events").
 *
 * The only room that writes a field name, a line end or a comment of the
 * stream. Whatever the data holds, it comes out as the values of data lines:
 * CR, LF and CRLF each end a line and begin another "data: ".
 */
#ifndef SSEMUX_SHARED_SSE_H
#define SSEMUX_SHARED_SSE_H

#include <stdint.h>

#include "broker/shared/sse_shape.h"
#include "protocol/event.h"

struct buf;

/*
 * Appends the block of one accepted event, with its id, unless it is part of a
 * snapshot. The same event gives
 * the same bytes, whether it was read from the ring or from the store. An
 * EVENT_RESYNC becomes the control event "resync", without id.
 */
void sse_append_event(
    struct buf *buf, const struct event *event, const struct sse_shape *shape);

/* Appends an accepted event, no EVENT_RESYNC, as a JSON object: the one of the
 * tagged format, with the cursor as its first member. */
void sse_append_object(struct buf *buf, const struct event *event);

/*
 * Appends a control event, which carries no id: its name (len 0: none), and
 * its data; every line end in the data begins another data line. retry_ms: 0
 * for none, else a "retry:" line in the same block.
 */
void sse_append_control(
    struct buf *buf, struct slice name, struct slice data, uint32_t retry_ms);

/* Appends a "retry:" line that belongs to the block that follows. */
void sse_append_retry(struct buf *buf, uint32_t retry_ms);

/* Appends the heartbeat: the comment ":hb" and one line end. No blank line:
 * some clients deliver an empty message for one. */
void sse_append_heartbeat(struct buf *buf);

#endif
