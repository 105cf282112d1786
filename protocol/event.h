/*
 * event: one thing that happened, on one channel; and what may be one.
 *
 *	channel	[A-Za-z0-9_.:~@/-]{1,200}, segments divided by ':'
 *	type	optional; one line of UTF-8, at most 200 bytes; not the name of
 *		a control event (connected, live, resync, subscribed,
 *		token-expiring, revoked, bye, ping, snapshot)
 *	key	optional; UTF-8, at most 200 bytes: the thing that changed
 *	data	text, JSON text, or bytes; at most as long as the broker allows
 *	cursor	its place in the log; 0 before it was accepted
 */
#ifndef SSEMUX_PROTOCOL_EVENT_H
#define SSEMUX_PROTOCOL_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/refusal.h"
#include "protocol/slice.h"

enum {
	EVENT_CHANNEL_MAX = 200, /* bytes */
	EVENT_TYPE_MAX = 200,    /* bytes */
	EVENT_KEY_MAX = 200,     /* bytes */
};

/* The numbers are stored and sent: never change one. */
enum event_kind {
	EVENT_TEXT = 0,   /* any UTF-8 text */
	EVENT_JSON = 1,   /* UTF-8 text that is one JSON value */
	EVENT_BYTES = 2,  /* anything */
	EVENT_RESYNC = 3, /* no data: subscribers must load this channel anew */
};

struct event {
	uint64_t cursor;
	struct slice channel;
	struct slice type; /* len 0: none */
	struct slice key;  /* len 0: none */
	struct slice data;
	enum event_kind kind;
};

/* How a publisher's text is meant. */
enum event_meaning {
	EVENT_GUESS,    /* JSON when it is a JSON object or array, else text */
	EVENT_AS_TEXT,  /* text, whatever it looks like */
	EVENT_AS_JSON,  /* JSON, and refused when it is not */
	EVENT_AS_BYTES, /* bytes */
};

bool event_channel_valid(struct slice channel);

/* A subscription: a channel, a prefix that ends in ":*", or "*". */
bool event_pattern_valid(struct slice pattern);

/* Does a valid pattern cover this channel? */
bool event_pattern_covers(struct slice pattern, struct slice channel);

/* Does a valid pattern cover every channel that another valid one covers? */
bool event_pattern_covers_pattern(struct slice wide, struct slice narrow);

/*
 * Checks channel, type, key and data of an event that a publisher offers and
 * settles its kind. data_max: the longest data taken, in bytes. The answer's
 * refusal is REFUSAL_NONE when the event may be accepted.
 */
struct fault event_check(
    struct event *event, enum event_meaning meaning, size_t data_max);

#endif
