/*
 * streams: which stream of the configuration a path belongs to.
 */
#ifndef SSEMUX_WORKER_STREAM_STREAMS_H
#define SSEMUX_WORKER_STREAM_STREAMS_H

#include "protocol/slice.h"

struct config_stream;
struct worker;

/* The stream at this path; NULL: none. */
const struct config_stream *streams_find(
    const struct worker *worker, struct slice path);

/* The stream that has this path as its `poke`; NULL: none. */
const struct config_stream *streams_find_poke(
    const struct worker *worker, struct slice path);

/* The stream that has this path as its `stats`; NULL: none. */
const struct config_stream *streams_find_stats(
    const struct worker *worker, struct slice path);

/* The stream whose path, a slash and *id this is; NULL: none. */
const struct config_stream *streams_find_open(
    const struct worker *worker, struct slice path, struct slice *id);

#endif
