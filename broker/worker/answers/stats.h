/*
 * stats: GET /stats and the stats paths of stream blocks: the caller's own
 * numbers, and everything for an administrator.
 */
#ifndef SSEMUX_WORKER_ANSWERS_STATS_H
#define SSEMUX_WORKER_ANSWERS_STATS_H

#include "protocol/slice.h"

struct buf;
struct config_stream;
struct connection;
struct http_request;
struct worker;

/* Answers now, or for an administrator when the other workers have answered.
 * block is the one whose path it is; NULL for /stats. */
void stats_answer(struct connection *connection,
    const struct http_request *request, const struct config_stream *block);

/* Another worker wants to know what this one does. Appends that. */
void stats_asked(struct worker *worker, struct slice json, struct buf *answer);

#endif
