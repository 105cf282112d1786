/* receipts: counts of clients, on their way back. See receipts.h. */
#include "broker/hub/receipts.h"

#include <assert.h>

#include "broker/hub/publisher.h"

/* A position that is not known yet. */
#define NOT_PLACED UINT64_MAX

static struct receipt *
receipt_at(struct receipts *receipts, size_t index)
{
	return &receipts->open[(receipts->first + index) % BOARD_TALLIES];
}

/* Answers, but does not send yet: whom, or NULL when it has gone. */
static struct publisher *
answer_first(struct receipts *receipts, struct board *board)
{
	struct receipt *first = receipt_at(receipts, 0);
	struct publisher *publisher = first->publisher;

	if (publisher != NULL) {
		struct board_counts counts =
		    board_tally_sum(board, first->number);

		if (first->detail == BOARD_ALL_COUNTS)
			publisher_receipt_counts(publisher, first->seq, &counts,
			    board_unread(board, first->position));
		else
			publisher_receipt(
			    publisher, first->seq, counts.written);
	}
	board_close_receipt(board, first->number);
	receipts->first = (receipts->first + 1) % BOARD_TALLIES;
	receipts->count--;
	return publisher;
}

void
receipts_init(struct receipts *receipts, uint32_t last_number)
{
	*receipts = (struct receipts){.last_number = last_number};
}

bool
receipts_room(const struct receipts *receipts, size_t more)
{
	return receipts->count + more < BOARD_TALLIES;
}

uint32_t
receipts_open(struct receipts *receipts, struct publisher *publisher,
    uint64_t seq, enum board_detail detail, uint64_t deadline_ms)
{
	assert(receipts->count < BOARD_TALLIES);
	if (++receipts->last_number == 0)
		receipts->last_number = 1;
	receipts->count++;
	*receipt_at(receipts, receipts->count - 1) = (struct receipt){
	    .number = receipts->last_number,
	    .publisher = publisher,
	    .seq = seq,
	    .detail = detail,
	    .position = NOT_PLACED,
	    .deadline_ms = deadline_ms,
	};
	return receipts->last_number;
}

void
receipts_placed(struct receipts *receipts, uint64_t position)
{
	for (size_t i = receipts->count; i > 0; i--) {
		struct receipt *receipt = receipt_at(receipts, i - 1);

		if (receipt->position != NOT_PLACED)
			break;
		receipt->position = position;
	}
}

bool
receipts_answer(struct receipts *receipts, struct board *board, uint64_t now_ms)
{
	struct publisher *told = NULL;

	while (receipts->count > 0) {
		const struct receipt *first = receipt_at(receipts, 0);
		struct publisher *publisher;

		if (first->position == NOT_PLACED)
			break;
		if (board_unread(board, first->position) > 0 &&
		    now_ms < first->deadline_ms)
			break;
		publisher = answer_first(receipts, board);
		if (publisher == NULL)
			continue;
		/* What follows each other goes out together. */
		if (told != NULL && told != publisher)
			publisher_flush(told);
		told = publisher;
	}
	if (told != NULL)
		publisher_flush(told);
	return receipts->count > 0;
}

void
receipts_drop(struct receipts *receipts, const struct publisher *gone)
{
	for (size_t i = 0; i < receipts->count; i++) {
		struct receipt *receipt = receipt_at(receipts, i);

		if (receipt->publisher == gone)
			receipt->publisher = NULL;
	}
}
