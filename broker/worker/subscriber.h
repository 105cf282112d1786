/*
 * subscriber: one event stream: a connection, channels, and a cursor.
 *
 * Nothing in it grows with events. Where it stands in the log, and how it gets
 * on, is for cursor.h alone.
 */
#ifndef SSEMUX_WORKER_SUBSCRIBER_H
#define SSEMUX_WORKER_SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/address.h"
#include "broker/shared/sse.h"
#include "broker/worker/cursor/channels.h"
#include "broker/worker/cursor/handed.h"
#include "broker/worker/cursor/hold.h"
#include "broker/worker/cursor/prefetch.h"
#include "broker/worker/roster.h"

struct authority;
struct config_stream;
struct connection;
struct filter;
struct grants;
struct packed;
struct patterns;
struct permit;
struct rewind;
struct snapshot;
struct worker;

/* Where a subscriber is in its turn; see cursor.c. */
enum subscriber_place {
	SUBSCRIBER_AT_HEAD,  /* gets events as they appear */
	SUBSCRIBER_HELD,     /* waits for the end of an interval */
	SUBSCRIBER_RUNNABLE, /* in the list of those who can go on */
	SUBSCRIBER_BLOCKED,  /* waits for its socket to take more */
};

struct subscriber {
	/* What an event that is handed out touches. Nearly all that this costs
	 * besides the system call is waiting for memory, so it lies together,
	 * and is asked for in time: see prefetch.h. */
	uint64_t cursor; /* all up to here is handled; at the head: stale */
	uint64_t last_matched; /* so that two patterns give one delivery */
	uint64_t partial;      /* cursor of the half-written event; or 0 */
	uint32_t partial_bytes;
	uint32_t delivery_first; /* of this turn, see delivery.h */
	uint32_t delivery_last;
	uint32_t hold_ms;      /* its own interval, see hold.h; 0: none */
	uint32_t last_write_s; /* when it last got something */
	int fd;                /* its connection's */
	unsigned shape;        /* its number in config->shapes */
	enum subscriber_place place;
	uint8_t http_minor; /* its connection's */
	bool picky;         /* subscriber_takes() is to be asked */
	bool alone;         /* what is half written is finished by itself */
	bool compressed;    /* it has `packed` */

	struct connection *connection;
	struct packed *packed;       /* or NULL */
	struct subscriber *previous; /* while RUNNABLE */
	struct subscriber *next;
	uint64_t opened;     /* the cursor it began with */
	uint64_t changed_at; /* up to here it may have got what its channels and
			      * rules do not tell any more; 0: nothing */
	const char *reason;  /* static: why it ends; NULL: its client left */
	uint32_t slot;       /* in the worker's roster */
	uint64_t losses;     /* trimming steps whose losses it was told of */
	uint64_t lost_to;    /* no event up to there that the store let go
			      * comes any more, for it was said to be lost */
	struct handed_node handed; /* while an event for it is counted */
	struct hold hold;
	uint64_t user_key; /* under which it is counted, see limits.h */
	const struct config_stream *block;
	struct permit *permit; /* NULL: of nobody */
	struct filter *filter; /* NULL: every event */
	struct rewind *rewind; /* NULL: its channels are all at its cursor */
	struct snapshot *snapshots; /* the first comes next; NULL: none */
	uint64_t snapshot_to; /* the last one that it got, or is to get, goes
			       * up to here; 0: none ever */
	struct buf *owed;     /* control events that wait for the end of a
			       * half-written event; NULL: none */
	bool rest;            /* what its connection sends next begins with the
			       * rest of a pack, or of a snapshot's event */
	uint32_t untold;      /* bytes of control events that were said since
			       * all that had been was sent */
	bool owes_live;       /* "live" is to be sent at the head */
	bool withdrawn;       /* something was in the midst of an event, which
			       * may be of that: it is not finished alone */
	bool ends;            /* the stream ends at the head */
	bool ended;           /* the end was said, and is being sent */
	uint32_t member_count;
	struct channels_member *members;
	char id[ROSTER_ID_SIZE];
};

_Static_assert(offsetof(struct subscriber, connection) <= PREFETCH_BYTES,
    "what is asked for in time is all that a delivery touches");

/* What a stream was asked to be. */
struct subscriber_request {
	const struct slice *patterns; /* valid, none twice */
	size_t pattern_count;
	uint64_t cursor;
	uint64_t losses; /* trimming steps whose losses are no concern of it */
	const struct config_stream *block;
	unsigned shape;        /* its number in config->shapes */
	uint32_t window_ms;    /* events are held so long; 0: not */
	uint32_t conflate_ms;  /* the same, and of a key the last goes out */
	bool ends;             /* after catching up */
	struct filter *filter; /* NULL: none; it becomes the subscriber's, also
				* when that cannot be made */
	uint64_t
	    user_key; /* of limits_enter_user(); is the subscriber's, too */
	const struct grants *grants;
	const struct authority *authority; /* NULL: of nobody */
};

/*
 * Makes a subscriber with its subscriptions, RUNNABLE, on a connection. NULL:
 * no memory.
 */
struct subscriber *subscriber_create(struct worker *worker,
    struct connection *connection, const struct subscriber_request *request);
void subscriber_destroy(struct worker *worker, struct subscriber *subscriber);

/* Something was written to it: no heartbeat is due for a while. */
void subscriber_was_written(struct subscriber *subscriber);

/* Whose it is: the user of its token; of nobody's, the client's address, which
 * is written into the text. */
struct slice subscriber_user(
    const struct subscriber *subscriber, char text[ADDRESS_TEXT_SIZE]);

/* Was all that this channel or pattern covers closed to it? */
bool subscriber_is_closed(
    const struct subscriber *subscriber, struct slice pattern);

/*
 * Is an event on one of its channels for it? Not when its filter does not let
 * it pass, or that part of a channel was revoked. To be asked when it is
 * `picky`.
 */
bool subscriber_takes(
    const struct subscriber *subscriber, const struct event *event);

/* The same for an event of a snapshot, which stands beside the stream's way
 * through the log; see snapshot.h. */
bool subscriber_lets_pass(
    const struct subscriber *subscriber, const struct event *event);

/* Does one of its subscriptions cover all that the pattern covers? */
bool subscriber_covers(
    const struct subscriber *subscriber, struct slice pattern);

/* Does one of its subscriptions cover the channel, and is the event for it? */
bool subscriber_wants(
    const struct subscriber *subscriber, const struct event *event);

/* What is half written, if anything is, is to be finished by itself, for what
 * comes with it is about to change. */
void subscriber_finish_alone(struct subscriber *subscriber);

/* Access was withdrawn: what is half written is finished only if it is among
 * what the stream still gets, however that changes until then. */
void subscriber_finish_granted(struct subscriber *subscriber);

/* Before a step: forgets either, when it is finished. */
void subscriber_settle_half(struct subscriber *subscriber);

/* Where a control event is to be appended: to what its connection sends next,
 * or, in the midst of an event, to what it is owed. */
struct buf *subscriber_outlet(struct subscriber *subscriber);

/* So much was said to it. */
void subscriber_note_said(struct subscriber *subscriber, size_t bytes);

/* All was sent that its connection had to send. */
void subscriber_note_sent(struct subscriber *subscriber);

/* Has its client so much before it of what it was told, and does not read it,
 * that nothing more is to be said? */
bool subscriber_is_deaf(const struct subscriber *subscriber);

/* What it is owed can be sent: appends it to what its connection sends next.
 * Nothing happens in the midst of an event. */
void subscriber_pay(struct subscriber *subscriber);

/* The number of its subscription to just this pattern; member_count: none. */
size_t subscriber_find(
    const struct subscriber *subscriber, struct slice pattern);

/* Subscribes it to one more pattern, which is not among its own; see rewind.h
 * for where that begins. 0, or -1: no memory. */
int subscriber_add(
    struct worker *worker, struct subscriber *subscriber, struct slice pattern);

/* Ends subscription i; another one takes its place. The rest of `picky` is
 * settled with subscriber_settle(). */
void subscriber_drop(
    struct worker *worker, struct subscriber *subscriber, size_t i);

/* Works out `picky`, after filter or permit have changed. */
void subscriber_settle(struct subscriber *subscriber);

/*
 * Closes those of the patterns that touch its channels: no event on them is
 * for it any more. It has a permit. 0, or -1: no memory, or too many.
 */
int subscriber_close(
    struct subscriber *subscriber, const struct patterns *revoked);

#endif
