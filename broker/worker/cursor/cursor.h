/*
 * cursor: how subscribers get on in the log. The one room that knows live from
 * slow from returning:
 *
 *	at the head	    events as they appear in the ring
 *	behind, in window   the worker's window
 *	older than that	    the store, in short steps
 *	older than history  "resync" for the channels that lost events, then on
 *
 * At the head, a stream with an interval waits for its end, see hold.h.
 *
 * A subscriber whose socket is full keeps its place and nothing else: of the
 * event that is half written it remembers which one, and how much is out.
 */
#ifndef SSEMUX_WORKER_CURSOR_CURSOR_H
#define SSEMUX_WORKER_CURSOR_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

struct subscriber;
struct worker;

/* The window has a new entry, and the hash of its channel is this: to be
 * written to whoever is at the head and wants it. */
void cursor_deliver(struct worker *worker, uint64_t entry, uint32_t hash);

/* Writes this turn's deliveries: one write per subscriber. */
void cursor_flush(struct worker *worker);

/* The subscriber, whose socket was full or who is new, can go on. */
void cursor_resume(struct worker *worker, struct subscriber *subscriber);

/*
 * Lets those who are behind go on, in turns, for a short while. True when
 * somebody is left who could go on.
 */
bool cursor_catch_up(struct worker *worker);

/* The window was emptied while subscribers stood at `cursor`, its head then:
 * all who were at the head read on from there. */
void cursor_fall_back(struct worker *worker, uint64_t cursor);

/*
 * Control events were appended to what the connection sends next, or to what
 * the subscriber is owed: sends them now when it is at the head or HELD, else
 * they go before its next step. False: the subscriber was destroyed.
 */
bool cursor_say(struct worker *worker, struct subscriber *subscriber);

/* Does not let one who waits for the end of an interval wait for it. False: the
 * subscriber was destroyed. */
bool cursor_release(struct worker *worker, struct subscriber *subscriber);

/* The subscriber, wherever it is, may have gone back, see rewind.h: it reads on
 * from there, and is told "live" anew. */
void cursor_rewound(struct worker *worker, struct subscriber *subscriber);

/* A heartbeat to one who is at the head or waits for the end of an interval;
 * nothing for anybody else. */
void cursor_heartbeat(struct worker *worker, struct subscriber *subscriber);

#endif
