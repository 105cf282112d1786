/*
 * packed: a stream that is compressed: where it begins and ends, and what it is
 * told on the way. Its events are for packing.h.
 *
 *	head | said | pack | pack | said | ...		see coder.h
 *
 * There is no compressor for it, and nothing in here grows.
 */
#ifndef SSEMUX_WORKER_CURSOR_PACKED_H
#define SSEMUX_WORKER_CURSOR_PACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/worker/cursor/coder.h"

struct buf;
struct subscriber;

/* Events of the window, of one span; see packs.h. */
struct pack_events {
	uint64_t span; /* number of its entries / PACKS_SPAN */
	uint64_t bits; /* which of them; 0: none */
};

/* Of a subscriber. */
struct packed {
	enum coding coding;
	struct pack_events last; /* the pack that it got last; none, when it
				  * got something else */
	struct coder_sum sum;    /* of all it got, if it is to end properly */
	bool sums;
};

/* The subscriber's stream, whose head was appended to its connection, has this
 * coding from here on. 0, or -1: no memory. */
int packed_begin(struct subscriber *subscriber, enum coding coding);

/* All was said: appends what ends the stream. */
void packed_end(struct subscriber *subscriber);

/* Appends what it is told to what its connection sends next. */
void packed_say(struct subscriber *subscriber, const struct buf *block);

#endif
