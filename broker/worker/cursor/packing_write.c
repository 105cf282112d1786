/*
 * packing_write: packs from the store, and the write to a stream. See
 * packing.h.
 */
#include <sysexits.h>

#include "broker/shared/log.h"
#include "broker/worker/connection.h"
#include "broker/worker/cursor/packed.h"
#include "broker/worker/cursor/packing.h"
#include "broker/worker/cursor/packing_state.h"
#include "broker/worker/cursor/packs.h"
#include "broker/worker/cursor/place.h"
#include "broker/worker/cursor/volley.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum { TEXT_OVERHEAD = 32 }; /* bytes of a piece and its chunk */

/* Adds the texts from `first` up to `end` as one pack. */
static void
add_texts(struct worker *worker, const struct subscriber *subscriber,
    const struct packing_text *first, const struct packing_text *end)
{
	struct packing *packing = worker->packing;
	enum coding coding = subscriber->packed->coding;
	struct packing_frame *frame =
	    &packing->frames[worker->outgoing.frame_count];
	size_t at = buf_length(&packing->pieces);
	struct frame chunk;
	struct slice text;

	*frame = (struct packing_frame){
	    .first = first->cursor, .events = (uint32_t)(end - first)};
	buf_clear(&packing->text);
	for (const struct packing_text *one = first; one < end; one++) {
		buf_append(&packing->text, one->text.bytes, one->text.len);
		if (one->receipt != 0)
			packing->receipts[packing->receipt_count++] =
			    one->receipt;
	}
	text = slice_of(buf_bytes(&packing->text), buf_length(&packing->text));
	chunk = packs_append(
	    packing->packs, coding, &packing->pieces, text, slice_of(NULL, 0));
	if (buf_failed(&packing->text))
		log_fatal(EX_OSERR, "no memory for one event");
	chunk.bytes = buf_bytes(&packing->pieces) + at;
	frame->bytes = frame_part(&chunk, subscriber->http_minor);
	frame->receipts_end = packing->receipt_count;
	if (subscriber->packed->sums)
		coder_sum_add(coding, &frame->sum, text);
	else
		frame->sum.bytes = (uint32_t)text.len;
	outgoing_add(&worker->outgoing, end[-1].cursor, frame->bytes, 0);
}

/* Room for all pieces, so that they stay where they are. */
static void
reserve_pieces(
    struct packing *packing, const struct packing_text *texts, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += texts[i].text.len + texts[i].text.len / 1024 +
			 TEXT_OVERHEAD;
	buf_clear(&packing->pieces);
	if (buf_reserve(&packing->pieces, bytes) == NULL)
		log_fatal(EX_OSERR, "no memory for one event");
}

/* The end of the first pack that begins here: a secret, or all up to the next
 * one, as far as a pack goes. */
static const struct packing_text *
find_end(const struct packing_text *first, const struct packing_text *end)
{
	const struct packing_text *last = first;
	size_t bytes = first->text.len;

	while (!first->secret && ++last < end && !last->secret &&
	       bytes < PACKS_TEXT_MAX)
		bytes += last->text.len;
	return first->secret ? first + 1 : last;
}

void
packing_add_texts(struct worker *worker, struct subscriber *subscriber,
    const struct packing_text *texts, size_t count)
{
	const struct packing_text *end = texts + count;

	packing_begin_write(worker, subscriber);
	packing_earn_reading(worker, subscriber, count);
	reserve_pieces(worker->packing, texts, count);
	while (texts < end) {
		const struct packing_text *next = find_end(texts, end);

		add_texts(worker, subscriber, texts, next);
		texts = next;
	}
}

/* --- the write --- */

/* So many packs are out, or on their way. */
static void
note_sent(struct worker *worker, struct subscriber *subscriber, size_t count)
{
	const struct packing *packing = worker->packing;
	struct packed *packed = subscriber->packed;
	size_t events = 0, text_bytes = 0, receipts;

	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct packing_frame *frame = &packing->frames[i];

		events += frame->events;
		text_bytes += frame->sum.bytes;
		if (packed->sums)
			coder_sum_join(
			    packed->coding, &packed->sum, &frame->sum);
	}
	packed->last = packing->frames[count - 1].of;
	receipts = packing->frames[count - 1].receipts_end;
	for (size_t i = 0; i < receipts; i++) {
		/* A late one has been answered without this. */
		if (board_receipt_open(worker->board, packing->receipts[i]))
			handed_written(worker, packing->receipts[i]);
	}
	worker_count(worker, METRIC_DELIVERIES, events);
	worker_count(worker, METRIC_PACKS_WRITTEN, count);
	worker_count(worker, METRIC_PACKED_TEXT_BYTES, text_bytes);
	worker_count(worker, METRIC_PACKED_BYTES,
	    worker->outgoing.frames[count - 1].end);
}

/* Copies the rest of the pack that went out in part. */
static void
keep_rest(struct worker *worker, struct subscriber *subscriber,
    const struct outgoing_sent *sent)
{
	struct slice bytes = worker->packing->frames[sent->frames].bytes;

	buf_append(&subscriber->connection->out,
	    bytes.bytes + sent->partial_bytes, bytes.len - sent->partial_bytes);
	subscriber->rest = true;
}

/* Notes what was written. *reached is moved as far. */
static void
note_written(struct worker *worker, struct subscriber *subscriber,
    const struct outgoing_sent *sent, uint64_t *reached)
{
	size_t count = sent->frames;

	if (sent->partial != 0) {
		keep_rest(worker, subscriber, sent);
		count++;
	}
	worker_count(worker, METRIC_WRITES, 1);
	note_sent(worker, subscriber, count);
	subscriber_was_written(subscriber);
	if (count > 0)
		*reached = worker->outgoing.frames[count - 1].cursor;
}

enum outgoing_result
packing_write_texts(
    struct worker *worker, struct subscriber *subscriber, uint64_t *reached)
{
	struct outgoing_sent sent;
	enum outgoing_result result =
	    outgoing_write(&worker->outgoing, subscriber->fd, &sent);

	if (result != OUTGOING_GONE)
		note_written(worker, subscriber, &sent, reached);
	return result;
}

/* What was written changes where it stands. */
static enum step
settle(struct worker *worker, struct subscriber *subscriber,
    enum outgoing_result result, const struct outgoing_sent *sent)
{
	/* What lies between two of its events is not its own; and what it was
	 * about to get, it has not got. */
	subscriber->cursor = worker->packing->frames[0].first - 1;
	if (result == OUTGOING_GONE) {
		place_move(worker, subscriber, SUBSCRIBER_BLOCKED);
		connection_destroy(subscriber->connection);
		return STEP_GONE;
	}
	note_written(worker, subscriber, sent, &subscriber->cursor);
	if (result == OUTGOING_ALL)
		return STEP_AGAIN;
	place_block(worker, subscriber);
	return STEP_BLOCKED;
}

static enum step
write_once(struct worker *worker, struct subscriber *subscriber)
{
	struct outgoing_sent sent;
	enum outgoing_result result;

	if (worker->outgoing.frame_count == 0)
		return STEP_AGAIN;
	result = outgoing_write(&worker->outgoing, subscriber->fd, &sent);
	return settle(worker, subscriber, result, &sent);
}

bool
packing_gather(struct worker *worker, struct subscriber *subscriber,
    struct packing_frame *frame)
{
	struct packing *packing = worker->packing;

	if (!packing_add_waiting(worker, subscriber) ||
	    worker->outgoing.frame_count != 1 || packing->receipt_count > 0)
		return false;
	*frame = packing->frames[0];
	if (packing->pin < packing->packs->pinned)
		packing->packs->pinned = packing->pin;
	return true;
}

void
packing_settle(struct worker *worker, struct subscriber *subscriber,
    const struct packing_frame *frame, ssize_t written)
{
	struct outgoing_sent sent;
	enum outgoing_result result =
	    outgoing_settle(&worker->outgoing, written, &sent);

	worker->packing->frames[0] = *frame;
	settle(worker, subscriber, result, &sent);
}

void
packing_release(struct worker *worker)
{
	if (worker->packing != NULL)
		worker->packing->packs->pinned = UINT64_MAX;
}

enum step
packing_write(struct worker *worker, struct subscriber *subscriber)
{
	struct packing *packing = worker->packing;
	enum step step;
	bool all;

	do {
		all = packing_add_waiting(worker, subscriber);
		step = write_once(worker, subscriber);
		if (!all && step == STEP_AGAIN) {
			/* Perhaps there is no room for what was gathered. */
			volley_fire(worker);
			outgoing_begin(&worker->outgoing);
			packing_begin_write(worker, subscriber);
		}
	} while (!all && step == STEP_AGAIN);
	packing->bits = 0;
	packing->aside_count = 0;
	return step;
}
