/* stream_start: where in the log a stream starts. See stream_start.h. */
#include "broker/worker/cursor/stream_start.h"

#include "broker/worker/cursor/follow.h"
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/worker_state.h"
#include "protocol/cursor_id.h"

/* Can a place behind the newest event be meant? A time may be: nothing has
 * happened since. A cursor was never given here, nor may the time to come. */
static bool
can_follow_head(struct slice text, uint64_t cursor, uint64_t now_ms)
{
	uint64_t exact;

	return cursor == UINT64_MAX ||
	       (cursor_id_parse(text.bytes, text.len, &exact) == -1 &&
		   cursor_id_ms(cursor) <= now_ms);
}

/* Was this cursor given before the store was made, and so by another one? A
 * time before that may be meant; so may "0-0", the beginning. */
static bool
is_foreign(const struct worker *worker, struct slice text)
{
	uint64_t exact;

	return cursor_id_parse(text.bytes, text.len, &exact) == 0 &&
	       cursor_id_ms(exact) > 0 && exact < worker->birth;
}

/* Nothing lies before the birth of the store: a time before that stands for it,
 * so that the cursor that the client is told is none of another store. */
static uint64_t
since_birth(const struct worker *worker, uint64_t cursor)
{
	return cursor_id_ms(cursor) > 0 && cursor < worker->birth
		   ? worker->birth
		   : cursor;
}

/* From the oldest event there is: that older ones are gone is no loss. */
static void
start_at_oldest(struct stream_start *start, struct worker *worker)
{
	uint64_t horizon;

	start->cursor = 0;
	/* Should it fail, so will the reading, which says so. */
	if (store_read_horizon(worker->store, &horizon, &start->losses) == -1)
		worker_count(worker, METRIC_STORE_FAILURES, 1);
}

void
stream_start_find(struct stream_start *start, struct worker *worker,
    const struct config_stream *block, struct slice text)
{
	uint64_t now_ms = worker_now_ms(worker);
	uint64_t cursor = UINT64_MAX;

	*start = (struct stream_start){.bad_cursor = false};
	/* Whoever knows a cursor got it after the ring had it. */
	while (follow_ring(worker))
		;
	if (slice_is(text, "-1") ||
	    (text.len == 0 && block->start == CONFIG_START_OLDEST)) {
		start_at_oldest(start, worker);
		return;
	}
	if (text.len > 0 &&
	    cursor_id_parse_since(text.bytes, text.len, now_ms, &cursor) == -1)
		start->bad_cursor = true;
	start->cursor = worker->window.head;
	if (is_foreign(worker, text))
		start->bad_cursor = true;
	else if (cursor <= start->cursor)
		start->cursor = since_birth(worker, cursor);
	else if (!can_follow_head(text, cursor, now_ms))
		start->bad_cursor = true;
	start->snapshot = text.len == 0 || start->bad_cursor;
}
