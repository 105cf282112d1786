/*
 * board: what each process says of itself, in memory that all may read.
 *
 *	| supervisor's page | hub's page | worker 1's page | worker 2's ... |
 *
 * Each page is written by its owner alone; only the supervisor, which made
 * the board, also writes a page whose owner has ended. The numbers go to
 * /stats and /metrics; `sleeping` is half of the bell (see bell.h); tallies
 * answer a publisher who asked how many clients an event was handed to. The
 * number of the newest revocation goes from the hub's page to the workers, and
 * shows on theirs when it has taken hold there.
 */
#ifndef SSEMUX_SHARED_BOARD_H
#define SSEMUX_SHARED_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric {
#define METRIC(name, text, kind, sentence) METRIC_##name,
#include "broker/shared/metrics.def"
#undef METRIC
	METRIC_COUNT
};

enum {
	BOARD_SUPERVISOR = 0,
	BOARD_HUB = 1,
	BOARD_FIRST_WORKER = 2,
	BOARD_TALLIES = 128,    /* receipts that may be open at once */
	BOARD_WITHDRAWALS = 32, /* revocations that may be open at once */
	BOARD_PAGE_BYTES = 8192,
};

struct board_tally {
	_Atomic uint32_t receipt; /* whose count this is */
	_Atomic uint32_t filtered;
	_Atomic uint64_t handed; /* written; and << 32, lagging: read as one,
				  * no stream is in both or in neither */
};

/* What a receipt counts; each is of streams. */
struct board_counts {
	uint64_t written;
	uint64_t lagging;  /* are to get it, and have not, yet */
	uint64_t filtered; /* have its channel, and do not take its type */
};

/* How much a receipt is to say. */
enum board_detail { BOARD_WRITTEN_ALONE, BOARD_ALL_COUNTS };

struct board_withdrawal {
	_Atomic uint64_t revocation; /* whose count this is */
	_Atomic uint64_t streams;
};

/* An event of which somebody wants to know how many clients it reaches. */
struct board_receipt {
	_Atomic uint32_t number; /* 0: none */
	_Atomic uint32_t detail; /* enum board_detail */
	_Atomic uint64_t cursor;
};

struct board_page {
	_Atomic uint32_t alive;      /* its process is ready */
	_Atomic uint32_t sleeping;   /* waits for its bell */
	_Atomic uint64_t read_at;    /* worker: handled up to this position */
	_Atomic uint64_t revocation; /* hub: the newest; worker: taken hold */
	_Atomic uint64_t metrics[METRIC_COUNT];
	struct board_tally tallies[BOARD_TALLIES];
	struct board_receipt receipts[BOARD_TALLIES]; /* hub: that are open */
	struct board_withdrawal withdrawals[BOARD_WITHDRAWALS];
};

struct board {
	const struct board_page *pages; /* BOARD_FIRST_WORKER + workers */
	struct board_page *own;         /* the one this process may write */
	size_t page_count;
	size_t page_bytes; /* of one page, as mapped */
};

/*
 * Makes the board of a broker with that many workers, mapped whole for
 * writing; *fd gets a descriptor from which it can be mapped for reading only.
 * 0, or -1 with errno. board->own is the supervisor's page.
 */
int board_create(struct board *board, size_t workers, int *fd);

/* In a child: keeps write access to page `own` alone. 0, or -1 with errno. */
int board_confine(struct board *board, int fd, size_t own);

/* In the supervisor: the owner of that page has ended; its gauges fall to 0,
 * its counters stay. */
void board_owner_ended(struct board *board, size_t page);

/* Of a page whose owner has ended: its streams are gone, and lag no more. */
void board_forget_rest(struct board_page *ended);

/* Counts in the own page. */
void board_add(struct board *board, enum metric metric, uint64_t amount);
void board_subtract(struct board *board, enum metric metric, uint64_t amount);
void board_set(struct board *board, enum metric metric, uint64_t value);

/* One page's number, and the sum over all pages. */
uint64_t board_get(const struct board *board, size_t page, enum metric metric);
uint64_t board_sum(const struct board *board, enum metric metric);

bool board_alive(const struct board *board, size_t page);
bool board_sleeping(const struct board *board, size_t page);

/* Says that this process is ready. */
void board_set_alive(struct board *board);

/* --- receipts --- */

/* In the hub, which keeps no two open whose numbers are equal modulo
 * BOARD_TALLIES: shows one that is open, with its event, before the event can
 * be read; and one that is not any more. */
void board_open_receipt(struct board *board, uint32_t receipt, uint64_t cursor,
    enum board_detail detail);
void board_close_receipt(struct board *board, uint32_t receipt);

/* In the hub, when it begins: none is open. */
void board_close_receipts(struct board *board);

/* Is it open? And are all counts wanted? */
bool board_receipt_open(const struct board *board, uint32_t receipt);
bool board_receipt_detailed(const struct board *board, uint32_t receipt);

/* The oldest event with an open receipt (UINT64_MAX: there is none), and the
 * number of the receipt of an event (0: it has none). */
uint64_t board_oldest_receipt(const struct board *board);
uint32_t board_receipt_of(const struct board *board, uint64_t cursor);

/* In a worker: the event was written to so many more streams. */
void board_tally(struct board *board, uint32_t receipt, uint32_t clients);

/* In a worker: it was written to one that was counted as lagging. */
void board_tally_late(struct board *board, uint32_t receipt);

/* In a worker: so many more streams (or fewer, below 0) lag behind that event,
 * so many do not take it. Neither falls below 0. */
void board_tally_rest(
    struct board *board, uint32_t receipt, int64_t lagging, int64_t filtered);

/* In a worker: everything up to this position of the ring was handed out. */
void board_set_read(struct board *board, uint64_t position);

/* In the hub: how many live workers have not handed out all that lies before
 * position. */
size_t board_unread(const struct board *board, uint64_t position);

/* In the hub: the sum of the tallies of this receipt; what was written also by
 * workers that have ended since. */
struct board_counts board_tally_sum(
    const struct board *board, uint32_t receipt);

/* --- revocations --- */

/* In the hub: this is the newest one in the store. In a worker: all up to this
 * one have taken hold. */
void board_set_revocation(struct board *board, uint64_t number);

/* The newest that the hub has shown; 0: none yet. */
uint64_t board_newest_revocation(const struct board *board);

/* In a worker: so many streams were told of this revocation. */
void board_withdraw(struct board *board, uint64_t number, uint64_t streams);

/* In the hub: in how many live workers this one has not taken hold; and how
 * many streams were told of it, in those in which it has. */
size_t board_unrevoked(const struct board *board, uint64_t number);
uint64_t board_withdrawn(const struct board *board, uint64_t number);

/* The name, kind ("counter" or "gauge") and sentence of a metric. */
const char *metric_name(enum metric metric);
const char *metric_kind(enum metric metric);
const char *metric_sentence(enum metric metric);

#endif
