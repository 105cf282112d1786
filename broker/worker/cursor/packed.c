/* packed: a compressed stream. See packed.h. */
#include "broker/worker/cursor/packed.h"

#include <stdlib.h>

#include "broker/worker/connection.h"
#include "broker/worker/cursor/frame.h"
#include "broker/worker/subscriber.h"

/* As a chunk, where there are chunks. */
static void
append_chunk(struct subscriber *subscriber, const struct buf *piece)
{
	struct connection *connection = subscriber->connection;

	if (buf_failed(piece))
		connection->out.failed = true;
	else if (connection->http_minor > 0)
		frame_append_chunk(&connection->out, piece);
	else
		buf_append(
		    &connection->out, buf_bytes(piece), buf_length(piece));
}

int
packed_begin(struct subscriber *subscriber, enum coding coding)
{
	struct buf piece;

	subscriber->packed = calloc(1, sizeof(*subscriber->packed));
	if (subscriber->packed == NULL)
		return -1;
	subscriber->compressed = true;
	subscriber->packed->coding = coding;
	subscriber->packed->sums = subscriber->ends;
	buf_init(&piece, 0);
	coder_append_head(coding, &piece);
	append_chunk(subscriber, &piece);
	buf_finish(&piece);
	return 0;
}

void
packed_end(struct subscriber *subscriber)
{
	const struct packed *packed = subscriber->packed;
	struct buf piece;

	buf_init(&piece, 0);
	coder_append_end(packed->coding, &piece, &packed->sum);
	append_chunk(subscriber, &piece);
	buf_finish(&piece);
}

void
packed_say(struct subscriber *subscriber, const struct buf *block)
{
	struct packed *packed = subscriber->packed;
	struct slice text = slice_of(buf_bytes(block), buf_length(block));
	struct buf piece;

	buf_init(&piece, 0);
	/* It is short, of this stream alone, and may name what nobody else is
	 * to know: it is not compressed, and is no context. */
	coder_append_stored(packed->coding, &piece, text);
	append_chunk(subscriber, &piece);
	buf_finish(&piece);
	packed->last = (struct pack_events){.bits = 0};
	if (packed->sums)
		coder_sum_add(packed->coding, &packed->sum, text);
}
