/*
 * stream_start: where in the log a stream starts.
 */
#ifndef SSEMUX_WORKER_CURSOR_STREAM_START_H
#define SSEMUX_WORKER_CURSOR_STREAM_START_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/slice.h"

struct config_stream;
struct worker;

struct stream_start {
	uint64_t cursor;
	uint64_t losses; /* trimming steps whose losses are no concern of it */
	bool snapshot;   /* it knows nothing of what was before */
	bool bad_cursor; /* the text is garbage, or no cursor of this log */
};

/*
 * Finds it. The text is what the client says: a cursor, a time, "now", "-1"
 * for the oldest event there is; len 0: nothing, and the block decides. What
 * makes no sense is not refused, for an EventSource would never come back: it
 * is to be told to load everything anew.
 */
void stream_start_find(struct stream_start *start, struct worker *worker,
    const struct config_stream *block, struct slice text);

#endif
