/*
 * commit: what was staged becomes events. See commit.h.
 *
 * The order is fixed: the store, the ring, the bells, the answers.
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
	bell_ring_sleepers(&hub->heritage->board, hub->heritage->worker_bells,
	    hub->heritage->workers);
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

/* Nothing was stored: whoever sent something sends it again later. */
static void
fail_batch(struct hub *hub)
{
	hub_count(hub, METRIC_STORE_FAILURES, 1);
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
	} else {
		if (batch->events > 0) {
			put_in_ring(hub);
			hub_count(hub, METRIC_BATCHES, 1);
			hub_count(hub, METRIC_EVENTS_ACCEPTED, batch->events);
			hub->untrimmed += batch->events;
		}
		answer_all(hub);
	}
	batch_clear(batch);
}
