/*
 * receipts: publishers that asked how many clients an event was handed to.
 *
 * A wanted receipt gets a number, which goes into the event's record. Each
 * worker tallies under that number to how many streams it has written the
 * event whole, and says how far in the ring it has come; when all live workers
 * are past the event, the sum of the tallies is the answer, with those of
 * workers that have died since. If all counts are wanted, each worker also
 * says, when it comes past the event, how many streams lag behind it or do not
 * take it, and keeps that true until the receipt is closed. Bounded:
 * BOARD_TALLIES open at once, in order; an event that wants one more has to
 * wait.
 */
#ifndef SSEMUX_HUB_RECEIPTS_H
#define SSEMUX_HUB_RECEIPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/board.h"

struct publisher;

struct receipt {
	uint32_t number;
	struct publisher *publisher; /* NULL: it has gone */
	uint64_t seq;
	enum board_detail detail;
	uint64_t position;    /* of the ring, behind the event */
	uint64_t deadline_ms; /* answered then with what was counted */
};

struct receipts {
	struct receipt open[BOARD_TALLIES]; /* a queue, as a ring */
	size_t first;
	size_t count;
	uint32_t last_number;
};

/* Begins without any. Numbers go on from last_number, which must not be near
 * one that a hub before has used: a worker may still count under that. */
void receipts_init(struct receipts *receipts, uint32_t last_number);

/* Is there room for one more, when so many are to be opened anyway? */
bool receipts_room(const struct receipts *receipts, size_t more);

/* Opens a receipt, for which there must be room; its position is set later,
 * for all that have none yet, with receipts_placed(). Returns its number. */
uint32_t receipts_open(struct receipts *receipts, struct publisher *publisher,
    uint64_t seq, enum board_detail detail, uint64_t deadline_ms);
void receipts_placed(struct receipts *receipts, uint64_t position);

/* Answers those that are complete or due. True while some are open. */
bool receipts_answer(
    struct receipts *receipts, struct board *board, uint64_t now_ms);

/* The publisher is about to be destroyed. */
void receipts_drop(struct receipts *receipts, const struct publisher *gone);

#endif
