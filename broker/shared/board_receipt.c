/*
 * board_receipt: which receipts the hub has open, for workers to see. See
 * board.h.
 *
 * An entry is written while its number is 0, and read with its number before
 * and after.
 */
#include "broker/shared/board.h"

static const struct board_page *
hub_page(const struct board *board)
{
	const char *first = (const char *)board->pages;

	return (const struct board_page *)(const void *)(first +
							 BOARD_HUB *
							     board->page_bytes);
}

void
board_open_receipt(struct board *board, uint32_t receipt, uint64_t cursor)
{
	struct board_receipt *entry =
	    &board->own->receipts[receipt % BOARD_TALLIES];

	atomic_store(&entry->number, 0);
	atomic_store(&entry->cursor, cursor);
	atomic_store(&entry->number, receipt);
}

void
board_close_receipt(struct board *board, uint32_t receipt)
{
	struct board_receipt *entry =
	    &board->own->receipts[receipt % BOARD_TALLIES];

	if (atomic_load(&entry->number) == receipt)
		atomic_store(&entry->number, 0);
}

void
board_close_receipts(struct board *board)
{
	for (size_t i = 0; i < BOARD_TALLIES; i++)
		atomic_store(&board->own->receipts[i].number, 0);
}

bool
board_receipt_open(const struct board *board, uint32_t receipt)
{
	return atomic_load_explicit(
		   &hub_page(board)->receipts[receipt % BOARD_TALLIES].number,
		   memory_order_acquire) == receipt;
}

/* The cursor of an entry; 0: it is not open. */
static uint64_t
read_entry(const struct board_receipt *entry, uint32_t *number)
{
	uint64_t cursor;

	*number = atomic_load(&entry->number);
	cursor = atomic_load(&entry->cursor);
	return *number != 0 && atomic_load(&entry->number) == *number ? cursor
								      : 0;
}

uint64_t
board_oldest_receipt(const struct board *board)
{
	const struct board_receipt *entries = hub_page(board)->receipts;
	uint64_t oldest = UINT64_MAX;
	uint32_t number;

	for (size_t i = 0; i < BOARD_TALLIES; i++) {
		uint64_t cursor = read_entry(&entries[i], &number);

		if (cursor != 0 && cursor < oldest)
			oldest = cursor;
	}
	return oldest;
}

uint32_t
board_receipt_of(const struct board *board, uint64_t cursor)
{
	const struct board_receipt *entries = hub_page(board)->receipts;
	uint32_t number;

	for (size_t i = 0; i < BOARD_TALLIES; i++) {
		if (read_entry(&entries[i], &number) == cursor)
			return number;
	}
	return 0;
}
