/*
 * batch: what arrived in a turn, until it is committed and answered.
 *
 *	entries:  event | duplicate | refusal | event | farewell ...
 *	records:  | record | ............... | record |
 *
 * Entries stand in the order in which publishers are answered. The batch knows
 * no socket: an answer is handed to the publisher it belongs to.
 */
#ifndef SSEMUX_HUB_BATCH_H
#define SSEMUX_HUB_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/ring.h"
#include "protocol/buf.h"
#include "protocol/refusal.h"

struct publisher;
struct store_writer;

enum batch_entry_kind {
	BATCH_EVENT,     /* to be stored */
	BATCH_DUPLICATE, /* stored long ago */
	BATCH_REFUSAL,   /* of one event */
	BATCH_FAREWELL,  /* the publisher's numbers may be forgotten */
};

/* Does the publisher want to know how many clients got the event; and how many
 * did not? */
enum batch_receipt { BATCH_NO_RECEIPT, BATCH_RECEIPT, BATCH_COUNTS };

struct batch_entry {
	enum batch_entry_kind kind;
	struct publisher *publisher;
	uint64_t seq;
	uint64_t cursor; /* of a duplicate; of an event once committed */
	size_t record;   /* event: where its record is in the buffer */
	enum batch_receipt receipt; /* event */
	struct fault fault;         /* refusal */
};

struct batch {
	struct batch_entry *entries;
	size_t count;
	size_t size;     /* entries there is memory for */
	size_t events;   /* entries that are events */
	size_t receipts; /* events whose publisher wants one */
	size_t writes;   /* entries that need the transaction */
	struct buf records;
};

/* A batch of at most max_events events. 0 or -1: no memory. */
int batch_init(struct batch *batch, size_t max_events);
void batch_finish(struct batch *batch);

/* True when no entry fits any more, or more than max_bytes are held: commit. */
bool batch_full(const struct batch *batch, size_t max_bytes);

/* Adds an event; copies it. Must not be called when the batch is full. 0 or
 * -1: no memory. */
int batch_add_event(struct batch *batch, struct publisher *publisher,
    uint64_t seq, const struct event *event, enum batch_receipt receipt);

/* Adds an answer that needs nothing of the event: entry is copied. */
void batch_add(struct batch *batch, const struct batch_entry *entry);

struct record *batch_record(
    const struct batch *batch, const struct batch_entry *entry);

/*
 * Gives cursors to the events, above last and at now_ms, and writes the batch
 * into the store in one transaction. 0; or -1, and nothing of it is stored.
 */
int batch_store(struct batch *batch, struct store_writer *writer, uint64_t last,
    uint64_t now_ms);

/* Empties the batch. */
void batch_clear(struct batch *batch);

#endif
