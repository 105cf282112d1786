/*
 * publish_request: what a POST /publish asks for, from its body and its query.
 * Pure: bytes in, events out.
 *
 * Data that are a JSON value are cut out of the body and stay byte for byte
 * what they were.
 */
#ifndef SSEMUX_WORKER_HTTP_PUBLISH_REQUEST_H
#define SSEMUX_WORKER_HTTP_PUBLISH_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/buf.h"
#include "protocol/event.h"

enum {
	PUBLISH_ID_MAX = 255, /* bytes of an event's id */
	PUBLISH_WHY_BYTES = 128,
};

struct publish_event {
	struct event event;
	struct slice id;    /* len 0: none */
	struct fault fault; /* REFUSAL_NONE: event_check() has passed */
};

struct publish_request {
	struct publish_event *events;
	size_t count;
	bool list;    /* a list is answered with a list */
	bool receipt; /* how many clients each was handed to is asked for */
	struct buf text;
	char why[PUBLISH_WHY_BYTES]; /* a sentence, in ASCII */
};

struct publish_limits {
	size_t events; /* in one list */
	size_t data;   /* bytes of an event */
};

/* What the query says; decoded. */
struct publish_query {
	struct slice channel; /* bytes NULL: not given; the body is JSON */
	struct slice type;
	struct slice key;
	struct slice id;
	struct slice receipt;
};

enum publish_read {
	PUBLISH_READ,      /* each event is good, or says why it is not */
	PUBLISH_BAD,       /* it cannot be understood; see why */
	PUBLISH_MANY,      /* more events than the limit */
	PUBLISH_NO_MEMORY, /* there is none */
};

/*
 * Reads a body that is an event, or a list of events, as JSON. The request's
 * slices point into the body and into the request. publish_finish() is to be
 * called whatever the answer is.
 */
enum publish_read publish_read_json(struct publish_request *request,
    struct slice body, const struct publish_limits *limits);

/* The same of a body that is the data of one event, whose other parts are in
 * the query. */
enum publish_read publish_read_raw(struct publish_request *request,
    struct slice body, const struct publish_query *query,
    enum event_meaning meaning, const struct publish_limits *limits);

void publish_finish(struct publish_request *request);

#endif
