/*
 * ended: the streams that ended last, for who asks later what they got.
 *
 *	rows   | oldest | ... | newest |	a ring of ENDED_ROWS
 *
 * A row has the stream's user and the first of its channels in memory of its
 * own, ENDED_TEXT_BYTES at most: all of them together take 1 MiB at most, and
 * nothing while nobody has come and gone.
 */
#ifndef SSEMUX_WORKER_STREAM_ENDED_H
#define SSEMUX_WORKER_STREAM_ENDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/verdict.h"
#include "broker/worker/facts.h"
#include "broker/worker/roster.h"
#include "protocol/slice.h"

struct subscriber;
struct worker;

enum { ENDED_ROWS = 1024, ENDED_TEXT_BYTES = 768 };

struct ended_row {
	uint64_t opened;      /* the cursor it began with */
	uint64_t snapshot_to; /* up to here it may have got a snapshot */
	uint64_t reached;     /* all up to here was handled */
	uint64_t uncertain;   /* of events up to here, it is not sure what it
			       * got; UINT64_MAX: of all */
	uint64_t at_ms;       /* when it ended, Unix time */
	const char *reason;   /* static */
	bool conflates;       /* it was conflated */
	char *text;           /* user, address, channels, each with a NUL */
	uint32_t channels;    /* how many there are in the text */
	char id[ROSTER_ID_SIZE];
};

/* Zeroed, it is empty. */
struct ended {
	struct ended_row *rows; /* NULL: none yet */
	uint64_t count;         /* so far; the newest ENDED_ROWS are kept */
	uint64_t forgotten_ms;  /* when the newest that is not kept ended */
};

/* The stream is about to be destroyed. Without memory, it is forgotten. */
void ended_note(struct worker *worker, const struct subscriber *subscriber);
void ended_finish(struct ended *ended);

/* Calls take() for each that is kept, the oldest first. */
void ended_each(const struct ended *ended,
    void (*take)(const struct ended_row *row, void *context), void *context);

/* Whose it was; from which address. */
struct slice ended_user(const struct ended_row *row);
const char *ended_address(const struct ended_row *row);

void ended_facts(struct verdict_facts *facts, const struct worker *worker,
    const struct ended_row *row, const struct facts_event *about);

#endif
