/*
 * handed: events of which somebody wants to know how many clients they were
 * handed to.
 *
 *	events   [ settled | settled | unsettled | unsettled ]
 *
 * A receipt is answered when each worker says that it has read past the event.
 * So a worker says that only when the event was written to every stream that
 * is to get it and can: those at the head, and those that are on their way
 * there through the window. Who is further behind, or whose socket is full, is
 * not waited for, but counts as long as the receipt is open.
 *
 * If all counts are wanted, the event is settled then: streams that lag behind
 * it are counted, and those that do not take it. Until the receipt is closed,
 * that is kept true: whatever streams come, change, get the event or go.
 */
#ifndef SSEMUX_WORKER_CURSOR_HANDED_H
#define SSEMUX_WORKER_CURSOR_HANDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/board.h"

struct event;
struct record;
struct subscriber;
struct worker;

/* An event whose receipt is open, and where in the ring it begins. */
struct handed_event {
	uint64_t cursor;
	uint64_t position;
	uint32_t receipt;
	struct record *record; /* without the data, if all counts are wanted;
				* else NULL */
};

struct handed {
	struct handed_event events[BOARD_TALLIES]; /* a queue, as a ring */
	size_t first;
	size_t count;
	size_t settled;             /* of these, the first ones */
	uint64_t walks;             /* so far, of settling */
	uint64_t reported;          /* position: said to be read */
	struct subscriber *awaited; /* who is to get one, and can go on */
};

/* A stream's place in the list of those that are waited for. */
struct handed_node {
	struct subscriber *previous;
	struct subscriber *next;
	uint64_t cursor; /* of the newest event that it is to get; 0: none */
	bool counted;    /* between handed_enter() and handed_exit() */
};

/* The worker has taken an event with a receipt out of the ring, where it began
 * at that position; 0: out of the store. */
void handed_note(struct worker *worker, uint32_t receipt,
    const struct event *event, uint64_t position);

/* A stream that is not at the head is to get such an event. */
void handed_await(
    struct worker *worker, struct subscriber *subscriber, uint64_t cursor);

/* The event of this receipt was written to a stream. */
void handed_written(struct worker *worker, uint32_t receipt);

/* A stream that was to get this event gets another of its key instead: it
 * counts as one that does not take it. */
void handed_passed_over(struct worker *worker, uint64_t cursor);

/*
 * The stream counts from here on, and up to here. Whatever decides which events
 * it gets is changed in between; said twice, either is the same as said once.
 */
void handed_enter(struct worker *worker, struct subscriber *subscriber);
void handed_exit(struct worker *worker, struct subscriber *subscriber);

/* The stream is about to be destroyed. */
void handed_leave(struct worker *worker, struct subscriber *subscriber);

/* Is an event not settled yet? */
bool handed_waits(const struct worker *worker);

/* All up to that position of the ring is read: says so, but for what still
 * waits for a stream. To be called with the same again when streams got on. */
void handed_report(struct worker *worker, uint64_t position);

/* At the worker's end. */
void handed_finish(struct worker *worker);

#endif
