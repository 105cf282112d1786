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

#include "broker/shared/sse.h"
#include "broker/worker/channels.h"

struct config_stream;
struct connection;
struct worker;

/* Where a subscriber is in its turn; see cursor.c. */
enum subscriber_place {
	SUBSCRIBER_AT_HEAD,  /* gets events as they appear */
	SUBSCRIBER_RUNNABLE, /* in the list of those who can go on */
	SUBSCRIBER_BLOCKED,  /* waits for its socket to take more */
};

enum {
	SUBSCRIBER_ID_BYTES = 16,
	SUBSCRIBER_ID_TEXT = 23, /* 22 characters of base64url, NUL */
};

struct subscriber {
	struct connection *connection;
	struct subscriber *previous; /* while RUNNABLE */
	struct subscriber *next;
	uint64_t cursor;  /* all up to here is handled; at the head: stale */
	uint64_t partial; /* cursor of an event that is half written; or 0 */
	uint32_t partial_bytes;
	uint32_t delivery_first; /* of this turn, see delivery.h */
	uint32_t delivery_last;
	uint64_t last_matched; /* so that two patterns give one delivery */
	uint64_t losses;       /* trimming steps whose losses it was told of */
	enum subscriber_place place;
	const struct config_stream *block;
	unsigned shape; /* its number in config->shapes */
	bool owes_live; /* "live" is to be sent at the head */
	bool ends;      /* the stream ends at the head */
	bool ended;     /* the end was said, and is being sent */
	char id[SUBSCRIBER_ID_TEXT];
	size_t member_count;
	struct channels_member members[];
};

/* What a stream was asked to be. */
struct subscriber_request {
	const struct slice *patterns; /* valid, none twice */
	size_t pattern_count;
	uint64_t cursor;
	uint64_t losses; /* trimming steps whose losses are no concern of it */
	const struct config_stream *block;
	unsigned shape; /* its number in config->shapes */
	bool ends;      /* after catching up */
};

/*
 * Makes a subscriber with its subscriptions, RUNNABLE, on a connection. NULL:
 * no memory.
 */
struct subscriber *subscriber_create(struct worker *worker,
    struct connection *connection, const struct subscriber_request *request);
void subscriber_destroy(struct worker *worker, struct subscriber *subscriber);

/* Fills patterns, which has room for member_count, with what it is subscribed
 * to. */
void subscriber_patterns(
    const struct subscriber *subscriber, struct slice *patterns);

/* Does one of its subscriptions cover the channel? */
bool subscriber_wants(
    const struct subscriber *subscriber, struct slice channel);

#endif
