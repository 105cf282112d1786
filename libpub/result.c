/*
 * result: from the queue to the caller's function, or to the
 * ssemux_pub_send() that waits. See result.h.
 *
 * The caller's function may add events to the queue, so an entry is out of
 * the queue, or safely in the list of receipts, before it is told about.
 */
#include "libpub/result.h"

#include <stdlib.h>

#include "libpub/failure.h"

static void
tell(struct ssemux_pub *pub, const struct ssemux_pub_result *result)
{
	if (pub->on_result == NULL)
		return;
	pub->telling = true;
	pub->on_result(result, pub->context);
	pub->telling = false;
}

/* The result that ends an event: to who waits for it, else to the function. */
static void
settle(struct ssemux_pub *pub, uint64_t number,
    const struct ssemux_pub_result *result, const struct failure *failure)
{
	struct watch *watch = &pub->watch;

	if (watch->number != number) {
		tell(pub, result);
		return;
	}
	watch->settled = true;
	watch->outcome = result->outcome;
	memcpy(watch->cursor, result->cursor, strlen(result->cursor) + 1);
	if (failure != NULL)
		watch->failure = *failure;
}

void
result_tell_acked(struct ssemux_pub *pub, const struct message *ack)
{
	struct entry *front = pub->queue.unacked.first;
	uint64_t number = front->number;
	char text[CURSOR_ID_TEXT_SIZE] = "";
	struct ssemux_pub_result result = {
	    .outcome = SSEMUX_PUB_ACKED,
	    .ticket = front->ticket,
	    .cursor = text,
	    .duplicate = ack->duplicate,
	    .code = "",
	    .field = "",
	    .text = "",
	};

	if (ack->cursor != 0)
		cursor_id_format(ack->cursor, text);
	if ((front->flags & (uint32_t)MESSAGE_FLAGS_RECEIPT) != 0) {
		front->cursor = ack->cursor;
		/* The broker sends no receipt for what it had before. */
		front->receipt_is_in = ack->duplicate;
		front->receipt = queue_receipt_lost;
		queue_move_to_receipts(&pub->queue);
	} else {
		free(queue_take_front(&pub->queue));
	}
	settle(pub, number, &result, NULL);
}

/* REFUSED or LOST. */
static void
tell_front_ended(struct ssemux_pub *pub, enum ssemux_pub_outcome outcome,
    const struct failure *failure)
{
	struct entry *front = queue_take_front(&pub->queue);
	struct ssemux_pub_result result = {
	    .outcome = outcome,
	    .ticket = front->ticket,
	    .cursor = "",
	    .code = failure->code,
	    .field = failure->field,
	    .text = failure->text,
	};

	settle(pub, front->number, &result, failure);
	free(front);
}

void
result_tell_refused(struct ssemux_pub *pub, const struct failure *failure)
{
	tell_front_ended(pub, SSEMUX_PUB_REFUSED, failure);
}

void
result_tell_lost(struct ssemux_pub *pub)
{
	/* A copy, as the function may make a call that fails. And no more
	 * than there are now, should it go on publishing. */
	struct failure failure = pub->failure;
	size_t count = pub->queue.unacked_events;

	for (; count > 0; count--)
		tell_front_ended(pub, SSEMUX_PUB_LOST, &failure);
}

void
result_tell_receipts(struct ssemux_pub *pub)
{
	struct entry *entry;

	while ((entry = queue_take_receipt(&pub->queue)) != NULL) {
		char text[CURSOR_ID_TEXT_SIZE] = "";
		struct ssemux_pub_result result = {
		    .outcome = SSEMUX_PUB_RECEIPT,
		    .ticket = entry->ticket,
		    .cursor = text,
		    .notified = entry->receipt.notified,
		    .matched = entry->receipt.matched,
		    .lagging = entry->receipt.lagging,
		    .filtered = entry->receipt.filtered,
		    .late = entry->receipt.late,
		    .code = "",
		    .field = "",
		    .text = "",
		};

		if (entry->cursor != 0)
			cursor_id_format(entry->cursor, text);
		tell(pub, &result);
		free(entry);
	}
}

void
result_tell_own_refusals(struct ssemux_pub *pub)
{
	const struct entry *front;

	while ((front = queue_front_refused(&pub->queue)) != NULL) {
		struct fault fault = {front->refusal, "data"};
		struct failure failure;

		failure_set_fault(
		    &failure, failure_number_of(fault.refusal), &fault);
		/* One that was sent to a broker which takes less by now may
		 * have been stored by that one. */
		tell_front_ended(pub,
		    front->seq == 0 ? SSEMUX_PUB_REFUSED : SSEMUX_PUB_LOST,
		    &failure);
	}
}
