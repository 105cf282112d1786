/* progress: a write, and what it changes. See progress.h. */
#include "broker/worker/cursor/progress.h"

#include <sysexits.h>

#include "broker/shared/log.h"
#include "broker/worker/connection.h"
#include "broker/worker/cursor/place.h"
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

enum step
progress_write(struct worker *worker, struct subscriber *subscriber)
{
	const struct outgoing *outgoing = &worker->outgoing;
	struct outgoing_sent sent;
	enum outgoing_result result =
	    outgoing_write(outgoing, subscriber->fd, &sent);

	if (result == OUTGOING_GONE) {
		/* What it was about to get, it has not got. */
		subscriber->cursor = outgoing->frames[0].cursor - 1;
		place_move(worker, subscriber, SUBSCRIBER_BLOCKED);
		connection_destroy(subscriber->connection);
		return STEP_GONE;
	}
	worker_count(worker, METRIC_WRITES, 1);
	worker_count(worker, METRIC_DELIVERIES, sent.frames);
	tally_receipts(worker, outgoing, sent.frames);
	subscriber_was_written(subscriber);
	/* What lies between two of its events is not its own. */
	subscriber->cursor = sent.frames > 0
				 ? outgoing->frames[sent.frames - 1].cursor
				 : outgoing->frames[0].cursor - 1;
	subscriber->partial = sent.partial;
	subscriber->partial_bytes = (uint32_t)sent.partial_bytes;
	if (result == OUTGOING_ALL)
		return STEP_AGAIN;
	place_block(worker, subscriber);
	return STEP_BLOCKED;
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
	if (worker->outgoing.frame_count > 0)
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

enum added
progress_add_entry(struct worker *worker, struct subscriber *subscriber,
    uint64_t number, uint64_t *pin)
{
	uint64_t cursor = window_entry(&worker->window, number)->cursor;
	struct frame frame;
	enum window_got got;
	uint32_t receipt;

	if (outgoing_full(&worker->outgoing))
		return NOT_ADDED;
	got = window_frame(
	    &worker->window, number, subscriber->shape, pin, &frame);
	if (got == WINDOW_WAIT)
		return NOT_ADDED;
	if (frame.bytes == NULL)
		log_fatal(EX_OSERR, "no memory for one event");
	outgoing_add(&worker->outgoing, cursor,
	    frame_part(&frame, subscriber->http_minor),
	    progress_already_sent(subscriber, cursor));
	receipt = window_receipt(
	    &worker->window, window_entry(&worker->window, number));
	if (receipt != 0)
		outgoing_want_receipt(&worker->outgoing, receipt);
	return got == WINDOW_ALONE ? ADDED_LAST : ADDED;
}
