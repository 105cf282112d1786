/*
 * pull: a page of a stream's events as JSON, for clients that ask instead of
 * waiting: GET on the path of a stream, by who prefers application/json.
 *
 *	{"events":[..],"cursor":"MS-SEQ","more":false,"resync":[],"refused":[]}
 *
 * Who asks, for what, and from where is settled as for a stream (opening.h);
 * the events are those that a stream would get, from the window or the store.
 *
 * Pages are answered at the end of a turn, one after the other, for a short
 * while per turn, so that streams go on beside any number of them; and after
 * the turn has learnt what was withdrawn from whom.
 */
#ifndef SSEMUX_WORKER_STREAM_PULL_H
#define SSEMUX_WORKER_STREAM_PULL_H

#include <stdbool.h>
#include <stddef.h>

struct connection;
struct http_request;
struct worker;

/* Requests that wait for their turn. Zeroed, there are none. */
struct pulls {
	struct pull *first;
	struct pull *last;
	size_t bytes; /* of answers that are going out */
};

/* Lets the request, for a path that is a stream, wait for its turn. */
void pull_await(
    struct connection *connection, const struct http_request *request);

/* Answers those that wait, for a while. True: some are left. */
bool pull_turn(struct worker *worker);

/* The connection's answer was sent, or it is closed. */
void pull_sent(struct connection *connection);

#endif
