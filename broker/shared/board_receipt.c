/*
 * board_receipt: which receipts the hub has open, for workers to see; and what
 * these have counted, for the hub. See board.h.
 *
 * An entry is written while its number is 0, and read with its number before
 * and after.
 */
#include "broker/shared/board.h"

#define LAGGING_SHIFT 32

static const struct board_page *
page_at(const struct board *board, size_t index)
{
	const char *first = (const char *)board->pages;

	return (
	    const struct board_page *)(const void *)(first +
						     index * board->page_bytes);
}

static const struct board_page *
hub_page(const struct board *board)
{
	return page_at(board, BOARD_HUB);
}

void
board_open_receipt(struct board *board, uint32_t receipt, uint64_t cursor,
    enum board_detail detail)
{
	struct board_receipt *entry =
	    &board->own->receipts[receipt % BOARD_TALLIES];

	atomic_store(&entry->number, 0);
	atomic_store(&entry->cursor, cursor);
	atomic_store(&entry->detail, (uint32_t)detail);
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

bool
board_receipt_detailed(const struct board *board, uint32_t receipt)
{
	const struct board_receipt *entry =
	    &hub_page(board)->receipts[receipt % BOARD_TALLIES];

	return board_receipt_open(board, receipt) &&
	       atomic_load(&entry->detail) == BOARD_ALL_COUNTS &&
	       board_receipt_open(board, receipt);
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

/* --- counts --- */

/* The own tally of a receipt, which begins with nothing. */
static struct board_tally *
own_tally(struct board *board, uint32_t receipt)
{
	struct board_tally *tally =
	    &board->own->tallies[receipt % BOARD_TALLIES];

	if (atomic_load_explicit(&tally->receipt, memory_order_relaxed) !=
	    receipt) {
		atomic_store(&tally->receipt, 0);
		atomic_store(&tally->handed, 0);
		atomic_store(&tally->filtered, 0);
		atomic_store(&tally->receipt, receipt);
	}
	return tally;
}

static uint64_t
moved(uint64_t count, int64_t by)
{
	return by < 0 && (uint64_t)-by > count ? 0 : count + (uint64_t)by;
}

/* A page has one writer, so a plain load and store are enough. */
static void
move(struct board_tally *tally, uint32_t written, int64_t lagging)
{
	uint64_t handed =
	    atomic_load_explicit(&tally->handed, memory_order_relaxed);
	uint64_t lag = moved(handed >> LAGGING_SHIFT, lagging);

	handed = (handed & UINT32_MAX) + written;
	atomic_store_explicit(&tally->handed, lag << LAGGING_SHIFT | handed,
	    memory_order_release);
}

void
board_tally(struct board *board, uint32_t receipt, uint32_t clients)
{
	move(own_tally(board, receipt), clients, 0);
}

void
board_tally_late(struct board *board, uint32_t receipt)
{
	move(own_tally(board, receipt), 1, -1);
}

void
board_tally_rest(
    struct board *board, uint32_t receipt, int64_t lagging, int64_t filtered)
{
	struct board_tally *tally = own_tally(board, receipt);
	uint64_t out =
	    moved(atomic_load_explicit(&tally->filtered, memory_order_relaxed),
		filtered);

	atomic_store_explicit(
	    &tally->filtered, (uint32_t)out, memory_order_relaxed);
	move(tally, 0, lagging);
}

void
board_forget_rest(struct board_page *ended)
{
	for (size_t i = 0; i < BOARD_TALLIES; i++) {
		struct board_tally *tally = &ended->tallies[i];

		atomic_store(&tally->filtered, 0);
		atomic_store(
		    &tally->handed, atomic_load(&tally->handed) & UINT32_MAX);
	}
}

size_t
board_unread(const struct board *board, uint64_t position)
{
	size_t workers = 0;

	for (size_t i = BOARD_FIRST_WORKER; i < board->page_count; i++)
		workers += board_alive(board, i) &&
			   atomic_load_explicit(&page_at(board, i)->read_at,
			       memory_order_acquire) < position;
	return workers;
}

struct board_counts
board_tally_sum(const struct board *board, uint32_t receipt)
{
	struct board_counts counts = {.written = 0};

	for (size_t i = BOARD_FIRST_WORKER; i < board->page_count; i++) {
		const struct board_tally *tally =
		    &page_at(board, i)->tallies[receipt % BOARD_TALLIES];
		uint64_t handed;

		if (atomic_load_explicit(
			&tally->receipt, memory_order_acquire) != receipt)
			continue;
		handed =
		    atomic_load_explicit(&tally->handed, memory_order_acquire);
		counts.written += handed & UINT32_MAX;
		counts.lagging += handed >> LAGGING_SHIFT;
		counts.filtered += atomic_load(&tally->filtered);
	}
	return counts;
}
