/*
 * commit: what was staged becomes events. See commit.h.
 *
 * The order is fixed: the store, the ring, the answers. The bells of workers
 * that have streams ring before the answers, for events are for them; those of
 * workers without any ring last, for waking them takes longer than an answer,
 * and on few processors they run in the place of who waits for it.
 */
#include "broker/hub/commit.h"

#include "broker/hub/hub_state.h"
#include "broker/hub/publisher.h"
#include "broker/hub/store_write.h"
#include "broker/shared/bell.h"

static void
open_receipt(struct hub *hub, const struct batch_entry *entry,
    struct record *record, uint64_t deadline_ms)
{
	enum board_detail detail = entry->receipt == BATCH_COUNTS
				       ? BOARD_ALL_COUNTS
				       : BOARD_WRITTEN_ALONE;

	record->receipt = receipts_open(
	    &hub->receipts, entry->publisher, entry->seq, detail, deadline_ms);
	board_open_receipt(
	    &hub->heritage->board, record->receipt, record->cursor, detail);
}

static void
put_in_ring(struct hub *hub)
{
	struct ring *ring = &hub->heritage->ring;
	uint64_t deadline_ms = hub_steady_ms() + RECEIPT_MS;

	for (size_t i = 0; i < hub->batch.count; i++) {
		const struct batch_entry *entry = &hub->batch.entries[i];
		struct record *record;

		if (entry->kind != BATCH_EVENT)
			continue;
		record = batch_record(&hub->batch, entry);
		hub->last_cursor = record->cursor;
		if (entry->receipt != BATCH_NO_RECEIPT)
			open_receipt(hub, entry, record, deadline_ms);
		ring_write(ring, record);
	}
	receipts_placed(&hub->receipts, ring_publish(ring));
}

static void
answer(const struct batch_entry *entry)
{
	switch (entry->kind) {
	case BATCH_EVENT:
		publisher_ack(
		    entry->publisher, entry->seq, entry->cursor, false);
		break;
	case BATCH_DUPLICATE:
		publisher_ack(
		    entry->publisher, entry->seq, entry->cursor, true);
		break;
	case BATCH_REFUSAL:
		publisher_refuse(entry->publisher, entry->seq, entry->fault);
		break;
	case BATCH_FAREWELL:
		break;
	}
}

static void
answer_all(struct hub *hub)
{
	for (size_t i = 0; i < hub->batch.count; i++)
		answer(&hub->batch.entries[i]);
	for (size_t i = 0; i < hub->batch.count; i++)
		publisher_flush(hub->batch.entries[i].publisher);
}

/* What is stored becomes visible, and is answered. */
static void
show(struct hub *hub)
{
	const int *bells = hub->heritage->worker_bells;
	struct bell_sleepers sleepers;

	put_in_ring(hub);
	hub_count(hub, METRIC_BATCHES, 1);
	hub_count(hub, METRIC_EVENTS_ACCEPTED, hub->batch.events);
	hub->untrimmed += hub->batch.events;
	sleepers =
	    bell_find_sleepers(&hub->heritage->board, hub->heritage->workers);
	bell_ring_workers(bells, sleepers.serving);
	answer_all(hub);
	bell_ring_workers(bells, sleepers.idle);
}

/* Nothing was stored: whoever sent something sends it again later. When the
 * disk is full for the log alone, there is room for it then. */
static void
fail_batch(struct hub *hub)
{
	hub_count(hub, METRIC_STORE_FAILURES, 1);
	store_reserve_tend(hub->store);
	for (size_t i = 0; i < hub->batch.count; i++)
		publisher_end(hub->batch.entries[i].publisher,
		    (struct fault){REFUSAL_STORE, NULL});
}

void
hub_commit(struct hub *hub)
{
	struct batch *batch = &hub->batch;

	if (batch->count == 0)
		return;
	if (batch_store(batch, hub->store, hub->last_cursor, hub_now_ms()) ==
	    -1) {
		fail_batch(hub);
	} else if (batch->events > 0) {
		show(hub);
	} else {
		answer_all(hub);
	}
	batch_clear(batch);
}
