/*
 * snapshot: what channels are like that keep the latest event of each key, for
 * who knows nothing of them yet: of each key the last event up to the head of
 * that moment, in the order of the log. Then the stream goes on from there.
 *
 *	snapshot   |e...e.e..ee.....e| to
 *	stream			     |...... head
 *
 * It is read from the store alone, where a superseded event is gone, beside the
 * stream's own way: the stream waits at its cursor. What supersedes an event
 * before it was read is above `to`, and so comes by that way. Events carry no
 * id, so whoever comes back with one has had all of its snapshots.
 */
#ifndef SSEMUX_WORKER_CURSOR_SNAPSHOT_H
#define SSEMUX_WORKER_CURSOR_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/worker/cursor/patterns.h"
#include "broker/worker/cursor/progress.h"

struct stream_start;
struct subscriber;
struct worker;

struct snapshot {
	struct snapshot *next;
	struct patterns patterns; /* what it is of */
	struct patterns had; /* but not this, which the stream had before */
	uint64_t at;         /* all up to here is sent */
	uint64_t to;
	bool said; /* that it comes */
};

/*
 * The members from `first` on are new: when the start is one with a snapshot,
 * they get one up to there, as far as channels under them keep the latest, and
 * what the stream had does not cover them. 0, or -1: no memory.
 */
int snapshot_begin(struct worker *worker, struct subscriber *subscriber,
    uint32_t first, const struct stream_start *start);

/* The stream leaves this pattern. */
void snapshot_drop(struct subscriber *subscriber, struct slice pattern);

/* How many it is still to get. */
size_t snapshot_count(const struct subscriber *subscriber);

/* A step of the first of the stream's snapshots, not in the midst of an event:
 * STEP_AGAIN, STEP_BLOCKED or STEP_GONE. */
enum step snapshot_step(struct worker *worker, struct subscriber *subscriber);

/* Forgets them all. */
void snapshot_finish(struct subscriber *subscriber);

#endif
