/*
 * snapshot: channels as they are. See snapshot.h.
 *
 * A step reads a bounded number of rows and ends with one write. Of an event
 * that went out in part, the rest is copied to what the connection sends next:
 * it may be gone from the store when the socket takes more.
 */
#include "broker/worker/cursor/snapshot.h"

#include <stdlib.h>

#include "broker/shared/config_channel.h"
#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/cursor/frame.h"
#include "broker/worker/cursor/packing.h"
#include "broker/worker/cursor/place.h"
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/cursor/stream_start.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum {
	ROWS_PER_STEP = 512,
	BYTES_PER_STEP = 262144,
};

/* --- which --- */

static void
destroy(struct snapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	patterns_finish(&snapshot->patterns);
	patterns_finish(&snapshot->had);
	free(snapshot);
}

/* Sorts the members into new ones and those that were there. 0 or -1. */
static int
fill(struct snapshot *snapshot, const struct config *config,
    const struct subscriber *subscriber, uint32_t first)
{
	for (uint32_t i = 0; i < subscriber->member_count; i++) {
		struct slice pattern =
		    channels_pattern(&subscriber->members[i]);
		struct patterns *list =
		    i < first ? &snapshot->had : &snapshot->patterns;

		if (!config_channel_latest(config, pattern) ||
		    (i >= first && patterns_cover(&snapshot->had, pattern)))
			continue;
		if (patterns_add(list, pattern) == -1)
			return -1;
	}
	return 0;
}

static void
append(struct subscriber *subscriber, struct snapshot *snapshot)
{
	struct snapshot **last = &subscriber->snapshots;

	while (*last != NULL)
		last = &(*last)->next;
	*last = snapshot;
}

int
snapshot_begin(struct worker *worker, struct subscriber *subscriber,
    uint32_t first, const struct stream_start *start)
{
	struct snapshot *snapshot;

	if (!start->snapshot || worker->config->channel_count == 0)
		return 0;
	snapshot = calloc(1, sizeof(*snapshot));
	if (snapshot == NULL ||
	    fill(snapshot, worker->config, subscriber, first) == -1) {
		destroy(snapshot);
		return -1;
	}
	if (snapshot->patterns.count == 0) {
		destroy(snapshot);
		return 0;
	}
	snapshot->to = subscriber->snapshot_to = start->cursor;
	append(subscriber, snapshot);
	worker_count(worker, METRIC_SNAPSHOTS, 1);
	return 0;
}

void
snapshot_drop(struct subscriber *subscriber, struct slice pattern)
{
	bool had = true;

	for (struct snapshot *snapshot = subscriber->snapshots;
	     snapshot != NULL; snapshot = snapshot->next) {
		/* Not all of it, or what comes later would not leave it out. */
		if (!had)
			patterns_remove(&snapshot->had, pattern);
		had = had && !patterns_remove(&snapshot->patterns, pattern);
	}
}

size_t
snapshot_count(const struct subscriber *subscriber)
{
	size_t count = 0;

	for (const struct snapshot *snapshot = subscriber->snapshots;
	     snapshot != NULL; snapshot = snapshot->next)
		count++;
	return count;
}

static void
finish_first(struct subscriber *subscriber)
{
	struct snapshot *snapshot = subscriber->snapshots;

	subscriber->snapshots = snapshot->next;
	destroy(snapshot);
}

void
snapshot_finish(struct subscriber *subscriber)
{
	while (subscriber->snapshots != NULL)
		finish_first(subscriber);
}

/* --- a step --- */

/* What a step collects, in worker->catch_up. */
struct collected {
	struct worker *worker;
	struct subscriber *subscriber;
	struct sse_shape shape;
	struct buf block; /* an event, while it is made */
	struct {
		uint64_t cursor;
		size_t end; /* where it ends in the buffer */
		bool secret;
	} events[OUTGOING_PIECES];
	size_t count;
};

static bool
is_wanted(const struct subscriber *subscriber, const struct event *event)
{
	return event->kind != EVENT_RESYNC &&
	       !patterns_cover(&subscriber->snapshots->had, event->channel) &&
	       subscriber_lets_pass(subscriber, event);
}

static bool
collect(const struct event *event, void *context)
{
	struct collected *collected = context;
	const struct subscriber *subscriber = collected->subscriber;
	struct buf *buf = &collected->worker->catch_up;

	if (collected->count == OUTGOING_PIECES ||
	    buf_length(buf) >= BYTES_PER_STEP)
		return false;
	if (!is_wanted(subscriber, event))
		return true;
	buf_clear(&collected->block);
	sse_append_event(&collected->block, event, &collected->shape);
	buf->failed |= buf_failed(&collected->block);
	if (subscriber->http_minor > 0 && !subscriber->compressed)
		frame_append_chunk(buf, &collected->block);
	else
		buf_append(buf, buf_bytes(&collected->block),
		    buf_length(&collected->block));
	collected->events[collected->count].cursor = event->cursor;
	collected->events[collected->count].secret =
	    subscriber->compressed &&
	    packing_is_secret(collected->worker, event->channel);
	collected->events[collected->count++].end = buf_length(buf);
	return true;
}

/* 0 or -1. */
static int
read_store(struct collected *collected, uint64_t *reached)
{
	struct worker *worker = collected->worker;
	const struct snapshot *snapshot = collected->subscriber->snapshots;
	const struct store_request request = {
	    .patterns = snapshot->patterns.list,
	    .pattern_count = snapshot->patterns.count,
	    .after = snapshot->at,
	    .until = snapshot->to,
	    .rows = ROWS_PER_STEP,
	    .latest = true,
	};
	int result;

	buf_clear(&worker->catch_up);
	buf_init(&collected->block, 0);
	result = store_read_begin(worker->store);
	if (result == 0) {
		result = store_read_events(
		    worker->store, &request, collect, collected, reached);
		store_read_end(worker->store);
	}
	buf_finish(&collected->block);
	return buf_failed(&worker->catch_up) ? -1 : result;
}

static void
add_events(const struct collected *collected)
{
	struct outgoing *outgoing = &collected->worker->outgoing;
	const char *bytes = buf_bytes(&collected->worker->catch_up);
	size_t at = 0;

	outgoing_begin(outgoing);
	for (size_t i = 0; i < collected->count; i++) {
		size_t end = collected->events[i].end;

		outgoing_add(outgoing, collected->events[i].cursor,
		    slice_of(bytes + at, end - at), 0);
		at = end;
	}
}

/* Copies the rest of the event that went out in part. */
static void
keep_rest(struct collected *collected, const struct outgoing_sent *sent)
{
	const char *bytes = buf_bytes(&collected->worker->catch_up);
	size_t begin =
	    sent->frames > 0 ? collected->events[sent->frames - 1].end : 0;
	size_t end = collected->events[sent->frames].end;

	begin += sent->partial_bytes;
	buf_append(&collected->subscriber->connection->out, bytes + begin,
	    end - begin);
	collected->subscriber->rest = true;
}

/* One write of what was collected, of which what is begun is finished later.
 * *reached is moved to the last event that is on its way. */
static enum outgoing_result
write_events(struct collected *collected, uint64_t *reached)
{
	struct worker *worker = collected->worker;
	struct subscriber *subscriber = collected->subscriber;
	struct outgoing_sent sent;
	enum outgoing_result result;

	add_events(collected);
	result = outgoing_write(&worker->outgoing, subscriber->fd, &sent);
	if (result == OUTGOING_GONE)
		return result;
	if (sent.frames > 0)
		*reached = collected->events[sent.frames - 1].cursor;
	if (sent.partial != 0) {
		keep_rest(collected, &sent);
		*reached = sent.partial;
	}
	worker_count(worker, METRIC_WRITES, 1);
	worker_count(worker, METRIC_DELIVERIES, sent.frames);
	subscriber_was_written(subscriber);
	return result;
}

/* The same for a stream that is compressed. */
static enum outgoing_result
write_packed(struct collected *collected, uint64_t *reached)
{
	struct worker *worker = collected->worker;
	const char *bytes = buf_bytes(&worker->catch_up);
	struct packing_text texts[OUTGOING_PIECES];
	size_t at = 0;

	for (size_t i = 0; i < collected->count; i++) {
		size_t end = collected->events[i].end;

		texts[i] = (struct packing_text){
		    .cursor = collected->events[i].cursor,
		    .text = slice_of(bytes + at, end - at),
		    .secret = collected->events[i].secret,
		};
		at = end;
	}
	outgoing_begin(&worker->outgoing);
	packing_add_texts(
	    worker, collected->subscriber, texts, collected->count);
	return packing_write_texts(worker, collected->subscriber, reached);
}

/* Writes what was collected; all up to `reached` was read. */
static enum step
hand_out(struct collected *collected, struct subscriber *subscriber,
    uint64_t reached)
{
	struct snapshot *snapshot = subscriber->snapshots;
	enum outgoing_result result =
	    subscriber->compressed ? write_packed(collected, &snapshot->at)
				   : write_events(collected, &snapshot->at);

	switch (result) {
	case OUTGOING_GONE:
		connection_destroy(subscriber->connection);
		return STEP_GONE;
	case OUTGOING_ALL:
		snapshot->at = reached;
		return STEP_AGAIN;
	case OUTGOING_PART:
		break;
	}
	place_block(collected->worker, subscriber);
	return STEP_BLOCKED;
}

static enum step
say(struct subscriber *subscriber, struct snapshot *snapshot)
{
	struct buf list;

	snapshot->said = true;
	buf_init(&list, 0);
	for (size_t i = 0; i < snapshot->patterns.count; i++)
		control_list_add(&list, snapshot->patterns.list[i]);
	control_snapshot(subscriber, &list);
	buf_finish(&list);
	return STEP_AGAIN;
}

static enum step
fail(struct worker *worker, struct subscriber *subscriber)
{
	worker_count(worker, METRIC_STORE_FAILURES, 1);
	control_bye(worker, subscriber->connection, "store");
	connection_end_stream(subscriber->connection);
	return STEP_GONE;
}

enum step
snapshot_step(struct worker *worker, struct subscriber *subscriber)
{
	struct snapshot *snapshot = subscriber->snapshots;
	struct collected collected = {
	    .worker = worker,
	    .subscriber = subscriber,
	    .shape = worker->config->shapes[subscriber->shape],
	};
	uint64_t reached = snapshot->to;

	if (snapshot->patterns.count > 0 && !snapshot->said)
		return say(subscriber, snapshot);
	if (snapshot->patterns.count == 0 || snapshot->at >= snapshot->to) {
		finish_first(subscriber);
		return STEP_AGAIN;
	}
	collected.shape.snapshot = true;
	worker_count(worker, METRIC_STORE_READS, 1);
	if (read_store(&collected, &reached) == -1)
		return fail(worker, subscriber);
	if (collected.count > 0)
		return hand_out(&collected, subscriber, reached);
	snapshot->at = reached;
	return STEP_AGAIN;
}
