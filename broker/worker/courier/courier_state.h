/*
 * courier_state: what the courier is made of. For courier*.c only.
 *
 *	courier		the socket: greeting, reading, writing, losing it
 *	courier_events	what is to be published, until it is answered
 *	courier_asks	questions and answers
 */
#ifndef SSEMUX_WORKER_COURIER_COURIER_STATE_H
#define SSEMUX_WORKER_COURIER_COURIER_STATE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/worker/courier/courier.h"
#include "broker/worker/courier/courier_parcel.h"
#include "protocol/buf.h"
#include "protocol/message.h"

enum {
	/* Bytes put into words ahead of the socket. */
	COURIER_OUT_AHEAD = 262144,
	COURIER_ID_TEXT = 35, /* "+w", 32 hexadecimal digits, NUL */
};

/* A list of events that somebody waits for. */
struct errand {
	void (*answered)(
	    const struct courier_result *results, size_t count, void *context);
	void *context;
	size_t count;
	size_t open; /* results that are not complete */
	struct courier_result results[];
};

struct ask {
	struct ask *next;
	uint64_t id;
	uint64_t deadline_ms; /* of the steady clock */
	bool sent;
	uint32_t peer;   /* MESSAGE_PEER_ALL: all others */
	struct buf text; /* until it is sent */
	void (*answered)(
	    const struct slice *answers, size_t count, void *context);
	void *context;
	size_t first; /* the worker of the first answer */
	size_t count;
	size_t open;
	struct {
		bool open;
		struct buf text;
	} answers[];
};

enum courier_link_state {
	COURIER_AWAY,     /* no link, or no greeting yet: nothing is sent */
	COURIER_GREETING, /* said hello */
	COURIER_READY,
};

struct courier {
	struct worker *worker;
	char id[COURIER_ID_TEXT];

	/* the link */
	enum courier_link_state state;
	int fd; /* -1: none */
	ev_io control;
	ev_io readable;
	ev_io writable;
	ev_timer hello_again;
	struct buf in;
	struct buf out;
	struct message_reader *reader;

	/* events: waiting for an answer, the first ones sent; then for the
	 * count of clients */
	struct parcels unanswered;
	struct parcels uncounted;
	struct parcel *unsent; /* first of those not sent on this link */
	char speaks_for[COURIER_IDENTITY_MAX];
	size_t speaks_for_len;
	size_t events; /* in both */
	size_t bytes;
	uint64_t last_seq; /* given to an event of the worker itself */

	/* questions */
	struct ask *asks;
	size_t ask_count;
	size_t ask_bytes;
	uint64_t last_ask; /* id */
	ev_timer ask_due;
};

/* --- courier.c --- */

uint64_t courier_steady_ms(void);

/* --- courier_events.c --- */

void events_start(struct courier *courier);
void events_finish(struct courier *courier);

/* A new link, a new hub: all that is unanswered is to be sent anew, and no
 * count will come. May call answered(). */
void events_rewind(struct courier *courier);

/* Puts into words what may be sent. */
void events_fill(struct courier *courier);

/* Takes an ACK, an ERROR with a number, a RECEIPT. -1: it makes no sense. */
int events_take_ack(struct courier *courier, const struct message *message);
int events_take_error(struct courier *courier, const struct message *message);
int events_take_receipt(struct courier *courier, const struct message *message);

/* What was sent and not answered is refused: sending it again would end the
 * same. */
void events_refuse_sent(struct courier *courier, struct fault fault);

/* --- courier_asks.c --- */

int asks_start(struct courier *courier);
void asks_finish(struct courier *courier);
void asks_fill(struct courier *courier);

/* Calls those whose answers are complete, or whose time is up. */
void asks_settle(struct courier *courier);

/* The link is lost: what was asked is not answered any more. */
void asks_lose(struct courier *courier);

/* Takes an ASK: answers it; an ANSWER. */
void asks_take_ask(struct courier *courier, const struct message *message);
void asks_take_answer(struct courier *courier, const struct message *message);

#endif
