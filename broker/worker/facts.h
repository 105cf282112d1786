/*
 * facts: what is known of a stream and one event, for a verdict.
 */
#ifndef SSEMUX_WORKER_FACTS_H
#define SSEMUX_WORKER_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/shared/verdict.h"
#include "protocol/event.h"

struct subscriber;
struct worker;

/* An event that is asked about. */
struct facts_event {
	struct event event; /* cursor, and if known, all but the data */
	bool known;         /* else its cursor is all there is */
	bool stored;        /* it is in the store */
	bool in_window;     /* it is in the worker's window */
};

/* Up to where the stream has handled everything, what was put off aside. */
uint64_t facts_position(
    const struct worker *worker, const struct subscriber *subscriber);

/* The stream is about to lose a channel, or to get other rules: what it has got
 * so far may not follow from these any more. */
void facts_note_change(
    const struct worker *worker, struct subscriber *subscriber);

/* Was the event passed over on the stream of this id, which is conflated? If
 * that may be forgotten, it is not sure. */
void facts_find_conflated(struct verdict_facts *facts,
    const struct worker *worker, const char *id, const struct event *event);

/* What is known now, between two turns of the worker. */
void facts_find(struct verdict_facts *facts, const struct worker *worker,
    const struct subscriber *subscriber, const struct facts_event *about);

#endif
