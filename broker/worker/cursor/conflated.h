/*
 * conflated: which events a stream did not get because a later one of the same
 * key took their place: the newest of a worker's decisions, bounded, for those
 * who ask why somebody did not get an event. Pure.
 */
#ifndef SSEMUX_WORKER_CURSOR_CONFLATED_H
#define SSEMUX_WORKER_CURSOR_CONFLATED_H

#include <stddef.h>
#include <stdint.h>

#include "broker/worker/roster.h"

enum { CONFLATED_NOTES = 4096 };

struct conflated_note {
	char id[ROSTER_ID_LEN]; /* of the stream */
	uint64_t cursor;        /* of the event that it did not get */
	uint64_t replaced_by;   /* the cursor of a later one */
};

/* Zeroed, it is empty; it has no memory until there is something to note. */
struct conflated {
	struct conflated_note *notes; /* a ring; NULL: none yet */
	uint64_t count;               /* ever */
};

void conflated_finish(struct conflated *conflated);

/* Notes it, in place of the oldest note when there are many. Without memory
 * nothing is noted. */
void conflated_note(struct conflated *conflated, const char id[ROSTER_ID_SIZE],
    uint64_t cursor, uint64_t replaced_by);

/* The cursor of the event that took its place for the stream of this id; 0:
 * there is no such note, or not any more. */
uint64_t conflated_find(
    const struct conflated *conflated, struct slice id, uint64_t cursor);

#endif
