/* batch: events and answers of one turn. See batch.h. */
#include "broker/hub/batch.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/hub/publisher.h"
#include "broker/hub/store_write.h"
#include "protocol/cursor_id.h"

int
batch_init(struct batch *batch, size_t max_events)
{
	*batch = (struct batch){.size = max_events};
	buf_init(&batch->records, 0);
	batch->entries = calloc(max_events, sizeof(batch->entries[0]));
	return batch->entries == NULL ? -1 : 0;
}

void
batch_finish(struct batch *batch)
{
	free(batch->entries);
	buf_finish(&batch->records);
}

bool
batch_full(const struct batch *batch, size_t max_bytes)
{
	return batch->count == batch->size ||
	       buf_length(&batch->records) >= max_bytes;
}

void
batch_add(struct batch *batch, const struct batch_entry *entry)
{
	assert(batch->count < batch->size);
	batch->entries[batch->count++] = *entry;
	batch->events += entry->kind == BATCH_EVENT;
	batch->receipts += entry->receipt != BATCH_NO_RECEIPT;
	batch->writes +=
	    entry->kind == BATCH_EVENT || entry->kind == BATCH_FAREWELL;
}

int
batch_add_event(struct batch *batch, struct publisher *publisher, uint64_t seq,
    const struct event *event, enum batch_receipt receipt)
{
	size_t size = record_size(event);
	char *room = buf_reserve(&batch->records, size);

	if (room == NULL)
		return -1;
	batch_add(batch, &(struct batch_entry){
			     .kind = BATCH_EVENT,
			     .publisher = publisher,
			     .seq = seq,
			     .record = buf_length(&batch->records),
			     .receipt = receipt,
			 });
	record_write(room, event);
	buf_commit(&batch->records, size);
	return 0;
}

struct record *
batch_record(const struct batch *batch, const struct batch_entry *entry)
{
	/* Records are multiples of 8 bytes in memory from malloc: aligned. */
	return (struct record *)(void *)(batch->records.data + entry->record);
}

static int
store_entry(
    struct batch *batch, struct batch_entry *entry, struct store_writer *writer)
{
	struct identity *identity = publisher_identity(entry->publisher);
	struct store_publisher *known = &identity->known;

	if (entry->kind == BATCH_FAREWELL)
		return known->id == 0 ? 0
				      : store_forget_publisher(writer, known);
	if (known->id == 0 &&
	    store_make_publisher(writer, identity_name(identity), known) == -1)
		return -1;
	return store_add(writer, &(struct store_item){
				     .record = batch_record(batch, entry),
				     .publisher = known,
				     .seq = entry->seq,
				 });
}

static void
give_cursors(struct batch *batch, uint64_t last, uint64_t now_ms)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (entry->kind != BATCH_EVENT)
			continue;
		last = cursor_id_next(last, now_ms);
		entry->cursor = last;
		batch_record(batch, entry)->cursor = last;
	}
}

int
batch_store(struct batch *batch, struct store_writer *writer, uint64_t last,
    uint64_t now_ms)
{
	if (batch->writes == 0)
		return 0;
	give_cursors(batch, last, now_ms);
	if (store_begin(writer) == -1)
		return -1;
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (entry->kind != BATCH_EVENT && entry->kind != BATCH_FAREWELL)
			continue;
		if (store_entry(batch, entry, writer) == -1)
			goto fail;
	}
	if (store_commit(writer) == -1)
		goto fail;
	return 0;
fail:
	store_rollback(writer);
	return -1;
}

void
batch_clear(struct batch *batch)
{
	batch->count = batch->events = batch->writes = batch->receipts = 0;
	buf_clear(&batch->records);
}
