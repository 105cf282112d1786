/*
 * stream_query: the query of a stream, by the names that the stream's block
 * has for its parameters.
 */
#ifndef SSEMUX_WORKER_HTTP_STREAM_QUERY_H
#define SSEMUX_WORKER_HTTP_STREAM_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/worker/http/problem.h"
#include "protocol/slice.h"

struct config_stream;

/* What the query says; bytes is NULL for what it does not. Slices are valid
 * until stream_query_finish(). */
struct stream_query {
	char *text; /* decoded values */
	size_t used;
	struct slice channels;
	struct slice since;
	struct slice types;
	struct slice keys;
	struct slice format;
	struct slice live;
	struct slice window;
	struct slice limit;
	struct slice conflate;
	struct slice last_event_id;
};

/*
 * Reads it; parameters that the block does not name are passed over. 0; or -1,
 * and *problem says why. stream_query_finish() frees what it holds, either way.
 */
int stream_query_read(struct stream_query *query,
    const struct config_stream *block, struct slice text,
    enum problem *problem);
void stream_query_finish(struct stream_query *query);

/* Reads a time from 0 to max_ms: a number of milliseconds, or of ms, s or m
 * when it says so. False: it is none. */
bool stream_query_read_time(struct slice text, uint32_t max_ms, uint32_t *ms);

/* Cuts the next item off a list divided by commas. False: that was all. */
bool stream_query_next_item(struct slice *list, struct slice *item);

#endif
