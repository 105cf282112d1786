/*
 * rewind: a channel that is added to a live stream may begin in the past. The
 * stream goes back there, and on the way to where it was it hands out what is
 * new to it alone:
 *
 *		    since         position           head
 *	member a |................|                   |	 has what lies between
 *	member b      |...........|                   |	 its begin and its mark
 *	member c	   |      |                   |	 added: has nothing yet
 *			   +------+-- a, b and c .....
 *			    only c
 *
 * An event goes out when a member covers it, and none has it. What a stream
 * that was never changed has, is told by its cursor alone: it has no rewind.
 */
#ifndef SSEMUX_WORKER_CURSOR_REWIND_H
#define SSEMUX_WORKER_CURSOR_REWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/slice.h"

struct event;
struct stream_start;
struct subscriber;
struct worker;

/* What a member has: the events above begin, up to the mark; and those above
 * both, up to the stream's cursor. */
struct rewind_mark {
	uint64_t begin;
	uint64_t mark;
};

struct rewind {
	struct rewind_mark *marks; /* by member */
	uint32_t size;
	bool under_way; /* some mark is above the cursor */
	uint64_t to;    /* where to go, once the event that is half written is
			 * out; UINT64_MAX: nowhere */
	/* Losses that were told on the way, as trimming steps: */
	uint64_t unconcerned; /* before the first that counts */
	uint64_t losses;      /* up to here, */
	uint64_t told_at;     /* for steps up to this mark */
};

/*
 * The members from `first` on are new: they begin there, and the stream goes
 * back unless it is not that far yet; or a snapshot comes first. 0, or -1: no
 * memory, and the stream is of no use any more.
 */
int rewind_add(struct worker *worker, struct subscriber *subscriber,
    uint32_t first, const struct stream_start *start);

/* Member i goes, and the last one takes its place. */
void rewind_drop(struct subscriber *subscriber, uint32_t i);

/* Before a step: goes back when that was put off, and notes when the last mark
 * was passed. */
void rewind_step(struct subscriber *subscriber);

/* Is it on its way, so that rewind_wants() is to be asked? */
bool rewind_under_way(const struct subscriber *subscriber);

/* Does a member cover this event and begin before it, and has none it yet? */
bool rewind_wants(
    const struct subscriber *subscriber, const struct event *event);

/*
 * What a step from the store is to read: fills patterns, which has room for all
 * members, with those that have nothing newer than the cursor; their number, 0
 * included. *until, the newest that is wanted, is lowered to the next mark.
 */
uint32_t rewind_patterns(
    struct subscriber *subscriber, struct slice *patterns, uint64_t *until);

/* The trimming steps whose losses were told, for a step as rewind_patterns()
 * said. */
uint64_t *rewind_losses(struct subscriber *subscriber);

void rewind_finish(struct subscriber *subscriber);

#endif
