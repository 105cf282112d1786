/*
 * courier: a worker's link to the hub: events that came over HTTP, and talk
 * with other workers.
 *
 *	publish.c, poke.c --courier_publish()--> courier == link ==> hub
 *	core --courier_ask()--> courier == link ==> hub == link ==> courier
 *						--> asked_answer()
 *
 * What is to be published is kept until the hub has answered it. When the hub
 * ends, the supervisor hands over a link to the next one; everything without
 * an answer is sent again under its numbers, so that it is stored once. While
 * there is no hub, things wait, as long as whoever waits for them does.
 */
#ifndef SSEMUX_WORKER_COURIER_COURIER_H
#define SSEMUX_WORKER_COURIER_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/event.h"
#include "protocol/message.h"

struct courier;
struct worker;

/* Makes worker->courier, before the worker is confined. 0, or -1: no memory. */
int courier_start(struct worker *worker);

/* Frees it; nobody is told anything any more. */
void courier_finish(struct worker *worker);

/* Is there a hub that listens? */
bool courier_connected(const struct worker *worker);

/* Sends what is to be sent, as far as the link takes it; at the end of each
 * turn of the loop. */
void courier_flush(struct worker *worker);

/* --- publishing --- */

enum {
	COURIER_IDENTITY_MAX = MESSAGE_PUBLISHER_MAX,
	COURIER_NOT_COUNTED = -1,
};

/* One event to be published; everything is copied. */
struct courier_event {
	struct event event; /* checked with event_check() */
	/*
	 * Who it is of, and its number there: an event with the same identity
	 * and number was stored at most once, whichever worker sent it. Of an
	 * identity, numbers rise within one list. len 0: of the worker itself,
	 * which numbers its own events.
	 */
	struct slice identity;
	uint64_t seq;
};

/* What became of it. */
struct courier_result {
	struct fault fault; /* REFUSAL_NONE: it is stored */
	uint64_t cursor;
	bool duplicate; /* an earlier try had stored it */
	/* How many clients it was handed to, when that was asked for;
	 * COURIER_NOT_COUNTED: the hub ended before it could say, or it is a
	 * duplicate. */
	int64_t notified;
	/* The rest of what the hub says then, if that was asked for. */
	struct message_counts counts;
	uint64_t late; /* workers that had not said */
};

enum courier_receipts {
	COURIER_NO_RECEIPTS,
	COURIER_RECEIPTS, /* notified */
	COURIER_COUNTS,   /* and the others */
};

struct courier_list {
	const struct courier_event *events;
	size_t count;
	enum courier_receipts receipts;
	/* Called once, when each event is answered, never from inside
	 * courier_publish(). Results are in the order of the events, and valid
	 * until it returns; the errand is gone then. */
	void (*answered)(
	    const struct courier_result *results, size_t count, void *context);
	void *context;
};

struct errand;

/* Takes the events, all or none. NULL with errno: EAGAIN, too many wait
 * (http.publish_events, http.publish_bytes); ENOMEM. */
struct errand *courier_publish(
    struct worker *worker, const struct courier_list *list);

/* Nobody waits for it any more: answered() will not be called. What the hub
 * has not been sent is not published. */
void courier_forget(struct worker *worker, struct errand *errand);

/* --- asking other workers --- */

#define COURIER_ALL SIZE_MAX

/* A question to a worker, or all. */
struct courier_question {
	size_t worker;     /* 0-based; COURIER_ALL: each, also the one asking */
	struct slice json; /* an object whose "ask" says what; copied; at most
			    * MESSAGE_TALK_MAX bytes. See asked.h. */
	uint64_t timeout_ms;
	/*
	 * Called once, never from inside courier_ask(). By worker, or one when
	 * one was asked: JSON text, or len 0 when none came: it has ended, did
	 * not answer in time, or does not know the question. A worker that ends
	 * or is not there counts as answered at once.
	 */
	void (*answered)(
	    const struct slice *answers, size_t count, void *context);
	void *context;
};

struct ask;

/* NULL with errno: EAGAIN, too many questions are open; ENOMEM. */
struct ask *courier_ask(
    struct worker *worker, const struct courier_question *question);

/* Nobody waits for the answers any more: answered() will not be called. */
void courier_stop_asking(struct worker *worker, struct ask *ask);

#endif
