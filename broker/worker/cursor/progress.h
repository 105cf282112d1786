/*
 * progress: one write to one subscriber, and how far that brings it.
 */
#ifndef SSEMUX_WORKER_CURSOR_PROGRESS_H
#define SSEMUX_WORKER_CURSOR_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct outgoing;
struct subscriber;
struct worker;

/* What became of a subscriber's step. */
enum step {
	STEP_AGAIN,   /* it can go on */
	STEP_BLOCKED, /* its socket is full */
	STEP_HELD,    /* it waits for the end of an interval */
	STEP_AT_HEAD,
	STEP_GONE, /* it was destroyed */
};

/*
 * Writes what worker->outgoing holds, at least one frame, and notes in the
 * subscriber how far it got: STEP_AGAIN, STEP_BLOCKED or STEP_GONE.
 */
enum step progress_write(struct worker *worker, struct subscriber *subscriber);

/* The same after a write of it that somebody else has done; `written` is how
 * many bytes went out, or -errno. */
enum step progress_settle(
    struct worker *worker, struct subscriber *subscriber, ssize_t written);

/*
 * The same for what a step collected, which may be nothing; everything up to
 * `reached` is handled then. A stream whose half-written event is not what the
 * write begins with is of no use any more: STEP_GONE.
 */
enum step progress_finish_step(
    struct worker *worker, struct subscriber *subscriber, uint64_t reached);

/* How much of this event the subscriber has already, in bytes. */
size_t progress_already_sent(
    const struct subscriber *subscriber, uint64_t cursor);

enum added {
	ADDED,
	ADDED_LAST, /* added; write before the next is added */
	NOT_ADDED,  /* write, then add it again */
};

/* Adds an entry of the window to worker->outgoing. *pin: see window_frame();
 * UINT64_MAX before the first of a write. */
enum added progress_add_entry(struct worker *worker,
    struct subscriber *subscriber, uint64_t number, uint64_t *pin);

/* What a stretch of the window comes to. */
struct stretch {
	struct outgoing *outgoing; /* frames are added to it */
	uint64_t pin;              /* of these; UINT64_MAX: there are none */
	uint64_t next;             /* number of the first entry behind it */
	uint64_t reached;          /* cursor: everything up to here is in it */
	uint64_t begun;            /* cursor of an event of which some bytes */
	size_t begun_bytes;        /* are out already; 0: of none */
	bool full;                 /* to be written before more is added */
	bool alone; /* it ends with a frame that is not kept, see window.h */
};

/* Adds what the subscriber wants of the entries up to that cursor, of which it
 * looks at so many at most. */
void progress_stretch(struct worker *worker,
    const struct subscriber *subscriber, struct stretch *stretch,
    uint64_t until, uint64_t most);

#endif
