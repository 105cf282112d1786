/*
 * commands: what publishers with that right withdraw from users, until it
 * holds everywhere.
 *
 * The order is fixed: the store, the number on the board, the bells; then the
 * workers read and say so; then the answer. So what was answered is never
 * forgotten, and no live worker hands out what it withdraws. Bounded:
 * BOARD_WITHDRAWALS open at once; a further one has to wait.
 */
#ifndef SSEMUX_HUB_COMMANDS_H
#define SSEMUX_HUB_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/board.h"

struct hub;
struct message;
struct publisher;

struct command {
	struct publisher *publisher; /* NULL: it has gone */
	uint64_t id;                 /* the publisher's */
	uint64_t number;             /* of its row in the store */
	uint64_t restored;           /* revocations taken back */
	uint64_t deadline_ms;        /* answered then, whoever is late */
};

struct commands {
	struct command open[BOARD_WITHDRAWALS]; /* a queue, as a ring */
	size_t first;
	size_t count;
};

/* At the start of a hub: shows the workers what is in the store. 0, or -1
 * (logged). */
int commands_start(struct hub *hub);

/* Is there room for one more? */
bool commands_room(const struct commands *commands);

/* Carries a command out; there must be room. What is against it is answered at
 * once. */
void commands_take(struct hub *hub, struct publisher *publisher,
    const struct message *message);

/* Answers those that hold everywhere, or are due. */
void commands_answer(struct hub *hub);

/* Once per second: forgets revocations that are too old to matter. */
void commands_tick(struct hub *hub);

/* The publisher is about to be destroyed. */
void commands_drop(struct commands *commands, const struct publisher *gone);

#endif
