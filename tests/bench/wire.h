/*
 * wire: the bytes of requests and of events, as plan.h describes them.
 */
#ifndef SSEMUX_BENCH_WIRE_H
#define SSEMUX_BENCH_WIRE_H

#include <netinet/in.h>

#include "tests/bench/plan.h"

enum { WIRE_REQUEST = 16384, WIRE_CHANNEL = 16 };

/* What an event's data begin with. */
struct wire_mark {
	size_t channel;
	uint64_t number;
	uint64_t time_ns;
};

/* Finds it in the start of an event's data; false: there is none. */
bool wire_read_mark(const char *data, struct wire_mark *mark);

/* Writes an event's data, filled up to so many bytes; returns how many. */
size_t wire_write_event(
    const struct wire_mark *mark, size_t bytes, char data[PLAN_EVENT_MAX]);

/* The same as the JSON of an order, whose values change from one to the next;
 * about 300 bytes. */
size_t wire_write_order(
    const struct wire_mark *mark, char data[PLAN_EVENT_MAX]);

/* Takes http://ADDRESS:PORT apart; returns the path behind it. Ends the
 * program when it is none. */
const char *wire_address(const char *url, struct sockaddr_in *address);

/* Writes a subscriber's request, and where it goes; returns its bytes. */
size_t wire_request(const struct plan *plan, size_t subscriber,
    struct sockaddr_in *to, char request[WIRE_REQUEST]);

#endif
