/* progress: a write, and what it changes. See progress.h. */
#include "broker/worker/cursor/progress.h"

#include <sysexits.h>

#include "broker/shared/log.h"
#include "broker/worker/connection.h"
#include "broker/worker/cursor/packing.h"
#include "broker/worker/cursor/place.h"
#include "broker/worker/cursor/sieve.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

static void
tally_receipts(
    struct worker *worker, const struct outgoing *outgoing, size_t frames)
{
	if (!outgoing->receipts)
		return;
	for (size_t i = 0; i < frames; i++) {
		uint32_t receipt = outgoing->frames[i].receipt;

		/* A late one has been answered without this. */
		if (receipt != 0 && board_receipt_open(worker->board, receipt))
			handed_written(worker, receipt);
	}
}

/* What was written of worker->outgoing changes where it stands. */
static enum step
settle(struct worker *worker, struct subscriber *subscriber,
    enum outgoing_result result, const struct outgoing_sent *sent)
{
	const struct outgoing *outgoing = &worker->outgoing;

	if (result == OUTGOING_GONE) {
		/* What it was about to get, it has not got. */
		subscriber->cursor = outgoing->frames[0].cursor - 1;
		place_move(worker, subscriber, SUBSCRIBER_BLOCKED);
		connection_destroy(subscriber->connection);
		return STEP_GONE;
	}
	worker_count(worker, METRIC_WRITES, 1);
	worker_count(worker, METRIC_DELIVERIES, sent->frames);
	tally_receipts(worker, outgoing, sent->frames);
	subscriber_was_written(subscriber);
	/* What lies between two of its events is not its own. */
	subscriber->cursor = sent->frames > 0
				 ? outgoing->frames[sent->frames - 1].cursor
				 : outgoing->frames[0].cursor - 1;
	subscriber->partial = sent->partial;
	subscriber->partial_bytes = (uint32_t)sent->partial_bytes;
	if (result == OUTGOING_ALL)
		return STEP_AGAIN;
	place_block(worker, subscriber);
	return STEP_BLOCKED;
}

enum step
progress_settle(
    struct worker *worker, struct subscriber *subscriber, ssize_t written)
{
	struct outgoing_sent sent;
	enum outgoing_result result =
	    outgoing_settle(&worker->outgoing, written, &sent);

	return settle(worker, subscriber, result, &sent);
}

enum step
progress_write(struct worker *worker, struct subscriber *subscriber)
{
	struct outgoing_sent sent;
	enum outgoing_result result;

	if (subscriber->compressed)
		return packing_write(worker, subscriber);
	result = outgoing_write(&worker->outgoing, subscriber->fd, &sent);
	return settle(worker, subscriber, result, &sent);
}

/* A half-written event that is gone cannot be finished: the stream is of no
 * use any more. The client comes back with the cursor before it. */
static enum step
give_up(struct worker *worker, struct subscriber *subscriber)
{
	worker_count(worker, METRIC_STREAMS_LOST, 1);
	subscriber->reason = "lost";
	connection_destroy(subscriber->connection);
	return STEP_GONE;
}

/* Is the write about to go on with something else than the half-written
 * event? */
static bool
lost_partial(const struct worker *worker, const struct subscriber *subscriber,
    uint64_t reached)
{
	const struct outgoing *outgoing = &worker->outgoing;

	if (subscriber->partial == 0)
		return false;
	if (outgoing->frame_count > 0)
		return outgoing->frames[0].cursor != subscriber->partial;
	return reached >= subscriber->partial;
}

enum step
progress_finish_step(
    struct worker *worker, struct subscriber *subscriber, uint64_t reached)
{
	enum step step = STEP_AGAIN;

	if (lost_partial(worker, subscriber, reached))
		return give_up(worker, subscriber);
	if (worker->outgoing.frame_count > 0 || subscriber->compressed)
		step = progress_write(worker, subscriber);
	if (step == STEP_AGAIN)
		subscriber->cursor = reached;
	return step;
}

size_t
progress_already_sent(const struct subscriber *subscriber, uint64_t cursor)
{
	return subscriber->partial == cursor ? subscriber->partial_bytes : 0;
}

static enum added
add_entry(struct worker *worker, struct outgoing *outgoing,
    const struct subscriber *subscriber, uint64_t number, uint64_t *pin,
    size_t skip)
{
	const struct window_entry *entry =
	    window_entry(&worker->window, number);
	struct frame frame;
	enum window_got got;
	uint32_t receipt;

	if (outgoing_full(outgoing))
		return NOT_ADDED;
	got = window_frame(
	    &worker->window, number, subscriber->shape, pin, &frame);
	if (got == WINDOW_WAIT)
		return NOT_ADDED;
	if (frame.bytes == NULL)
		log_fatal(EX_OSERR, "no memory for one event");
	outgoing_add(outgoing, entry->cursor,
	    frame_part(&frame, subscriber->http_minor), skip);
	receipt = window_receipt(&worker->window, entry);
	if (receipt != 0)
		outgoing_want_receipt(outgoing, receipt);
	return got == WINDOW_ALONE ? ADDED_LAST : ADDED;
}

enum added
progress_add_entry(struct worker *worker, struct subscriber *subscriber,
    uint64_t number, uint64_t *pin)
{
	uint64_t cursor = window_entry(&worker->window, number)->cursor;

	if (subscriber->compressed)
		return packing_add_entry(worker, subscriber, number);
	return add_entry(worker, &worker->outgoing, subscriber, number, pin,
	    progress_already_sent(subscriber, cursor));
}

/* Everything up to that cursor was looked at. There need be no entry for it:
 * the window's head may be an event that the store had let go. */
static void
reach(struct stretch *stretch, uint64_t cursor)
{
	if (cursor > stretch->reached)
		stretch->reached = cursor;
}

void
progress_stretch(struct worker *worker, const struct subscriber *subscriber,
    struct stretch *stretch, uint64_t until, uint64_t most)
{
	const struct window *window = &worker->window;
	uint64_t begin = stretch->next;
	uint64_t end = window_find(window, until);
	uint64_t stop = end < begin + most ? end : begin + most;
	struct sieve sieve;

	sieve_make(&sieve, subscriber, stop > begin ? stop - begin : 0);
	for (; stretch->next < stop && !stretch->full; stretch->next++) {
		const struct window_entry *entry =
		    window_entry(window, stretch->next);
		enum added added;
		struct event event;

		if (!sieve_passes(&sieve, window, stretch->next))
			continue;
		event = window_event(window, entry);
		if (!subscriber_wants(subscriber, &event))
			continue;
		added = add_entry(worker, stretch->outgoing, subscriber,
		    stretch->next, &stretch->pin,
		    entry->cursor == stretch->begun ? stretch->begun_bytes : 0);
		stretch->full = added != ADDED;
		stretch->alone = added == ADDED_LAST;
		if (added == NOT_ADDED)
			break;
	}
	if (stretch->next == end)
		reach(stretch, until);
	else if (stretch->next > begin)
		reach(stretch, window_entry(window, stretch->next - 1)->cursor);
}
