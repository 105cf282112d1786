/*
 * hub_state: what the rooms of the hub share. For files of the hub only.
 */
#ifndef SSEMUX_HUB_HUB_STATE_H
#define SSEMUX_HUB_HUB_STATE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/hub/batch.h"
#include "broker/hub/commands.h"
#include "broker/hub/receipts.h"
#include "broker/hub/traces.h"
#include "broker/shared/heritage.h"
#include "protocol/message.h"

enum {
	RECEIPT_MS = 1000, /* longest wait for a stuck worker's count */
};

struct hub {
	struct heritage *heritage;
	const struct config *config;
	struct ev_loop *loop;
	struct store_writer *store;
	struct message_reader *reader;
	struct batch batch;
	struct receipts receipts;
	struct commands commands;
	struct traces traces;
	struct publisher *publishers; /* a doubly linked list, with links */
	struct publisher **links;     /* by worker: its newest; NULL: none */
	size_t publisher_count;       /* without links */
	bool draining;
	bool sweep;           /* a publisher may be ready to be destroyed */
	bool waiting;         /* a publisher may wait for the place of a
			       * receipt or a command */
	size_t untrimmed;     /* events committed since the last trim */
	size_t new_guests;    /* since publishers were last forgotten */
	uint64_t last_cursor; /* newest cursor given */
	uint64_t accept_warned_ms; /* when it was said that it fails; 0: never
				    */

	ev_io listener;
	ev_io bell;
	ev_io control;
	ev_prepare turn_end;
	ev_timer clock;
	ev_timer receipt_deadline;
	ev_idle more_to_trim;
	ev_signal terminate;
};

/* Counts in the hub's page of the board. */
void hub_count(struct hub *hub, enum metric metric, uint64_t amount);

/* The clock, in Unix milliseconds. */
uint64_t hub_now_ms(void);

/* Milliseconds of a clock that nobody sets. */
uint64_t hub_steady_ms(void);

#endif
