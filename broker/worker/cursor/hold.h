/*
 * hold: streams that do not get each event at once: with an interval of their
 * own (window, conflate), or that of a channel.
 *
 *	worker's clock	|----------|----------|----------|	intervals
 *	events		   a  b c	    d
 *	written			   abc		 d
 *
 * An event waits for the end of the interval in which it appears, and so does
 * what follows it; then the stream reads on from its cursor, as anybody who is
 * behind. The intervals of one length are the same for all streams, so one
 * wake serves all that wait for it. No stream has a list of what waits.
 *
 * What a stream reads in one go, to where the log's head was then (the fence),
 * is a round. What appears while it is at that, for its socket may be full, is
 * for the next, which does not begin in the same interval.
 */
#ifndef SSEMUX_WORKER_CURSOR_HOLD_H
#define SSEMUX_WORKER_CURSOR_HOLD_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/worker/wheel.h"

struct event;
struct subscriber;
struct worker;

enum { HOLD_MS_MAX = 60000 };

/* Of a subscriber. */
struct hold {
	struct wheel_node node; /* on the worker's wheel while HELD */
	uint64_t due_us;        /* while HELD: until then */
	uint64_t fence;         /* cursor: where its round ends */
	uint64_t round_us;      /* when that began */
	uint32_t waiting_ms;    /* the longest interval of what has come since;
				 * 0: nothing that waits */
	bool conflates;         /* see stride.h */
};

/* Of a worker. */
struct holds {
	struct wheel wheel;
	size_t count;   /* of HELD streams */
	uint64_t armed; /* tick the timer is set for; 0: it is not */
	ev_timer timer;
};

void holds_init(struct worker *worker);

/* Those whose time has come can go on. */
void holds_turn(struct worker *worker);

/* Before the loop sleeps: sees to it that it wakes in time. */
void holds_arm(struct worker *worker);
void holds_stop(struct worker *worker);

/* The end of the interval of so many ms in which this moment lies. */
uint64_t hold_interval_end(uint64_t moment_us, uint32_t interval_ms);

/* An event of its channels has appeared, and is to wait: a stream at the head
 * becomes HELD when the event is for it. */
void hold_event(struct worker *worker, struct subscriber *subscriber,
    const struct event *event, uint32_t interval_ms);

/* Must it wait before its next step, which is not in the midst of an event? It
 * is HELD then. */
bool hold_waits(struct worker *worker, struct subscriber *subscriber);

/* How far its steps may read: a cursor. No further than what is half written
 * while something is to be told behind that, or it is to read on elsewhere. */
uint64_t hold_reach(
    const struct worker *worker, const struct subscriber *subscriber);

/* For place.h: it comes on the wheel, it leaves it. */
void hold_enter(struct worker *worker, struct subscriber *subscriber);
void hold_leave(struct worker *worker, struct subscriber *subscriber);

#endif
