/*
 * traces: what became of an event, asked of all workers on behalf of an
 * administrator.
 *
 *	COMMAND trace --> traces --ASK--> worker 1, worker 2, ...
 *	DONE + text  <--  traces <-- ANSWER each, or TRACE_MS are over
 *
 * The text, see ssemux-protocol(7), names the workers that are missing in it.
 * Bounded: TRACES_MAX at once; TRACE_TEXT_BYTES of text.
 */
#ifndef SSEMUX_HUB_TRACES_H
#define SSEMUX_HUB_TRACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/buf.h"
#include "protocol/slice.h"

struct hub;
struct message;
struct publisher;

enum {
	TRACES_MAX = 16,
	TRACE_ROWS_MAX = 1000,
	TRACE_TEXT_BYTES = 768 * 1024,
};

enum trace_part_state { TRACE_ASKED, TRACE_ANSWERED, TRACE_MISSING };

/* What a worker says. */
struct trace_part {
	enum trace_part_state state;
	struct buf text;
};

struct trace {
	struct publisher *publisher; /* NULL: it has gone */
	uint64_t id;                 /* the publisher's */
	uint64_t number;             /* of the ASK; 0: the place is free */
	uint64_t deadline_ms;
	uint64_t cursor;
	size_t open;              /* parts that are ASKED */
	size_t count;             /* parts */
	struct trace_part *parts; /* by worker */
};

struct traces {
	struct trace open[TRACES_MAX];
	size_t count;
	uint64_t last_number;
};

/* Is there room for one more? */
bool traces_room(const struct traces *traces);

/* Asks all workers; there must be room. The command was checked. */
void traces_take(struct hub *hub, struct publisher *publisher,
    const struct message *message);

/* A worker answers; text len 0: it cannot. */
void traces_answer(
    struct hub *hub, size_t worker, uint64_t number, struct slice text);

/* A worker has gone: it answers nothing any more. */
void traces_lose(struct hub *hub, size_t worker);

/* Once per second: answers those that are due, whoever is late. */
void traces_tick(struct hub *hub);

/* The publisher is about to be destroyed. */
void traces_drop(struct traces *traces, const struct publisher *gone);
void traces_finish(struct traces *traces);

#endif
