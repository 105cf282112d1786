/*
 * wheel: what is due when, for very many things at once, in ticks: whole
 * seconds, or whatever its owner counts in.
 *
 *	slot:  0   1   2  ...  255		one slot per tick, as a ring;
 *	       |   |			each slot a doubly linked list of
 *	       n   n - n			nodes embedded in their owners
 *
 * Adding, removing and moving cost a few pointer writes, whatever the number
 * of nodes. Pure: the time arrives as an argument.
 */
#ifndef SSEMUX_WORKER_WHEEL_H
#define SSEMUX_WORKER_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

enum { WHEEL_SLOTS = 256 }; /* a node is due at most 255 ticks ahead */

struct wheel_node {
	struct wheel_node *previous; /* NULL: on no wheel */
	struct wheel_node *next;
};

struct wheel {
	struct wheel_node slots[WHEEL_SLOTS]; /* heads of circular lists */
	uint64_t now;                         /* turned up to here */
};

void wheel_init(struct wheel *wheel, uint64_t now);

/* Makes a node that is on no wheel. */
void wheel_node_init(struct wheel_node *node);

/* Puts the node, on no wheel or on this one, where it is due in due_in
 * ticks: 1 to 255, else the nearer of the two. */
void wheel_set(struct wheel *wheel, struct wheel_node *node, uint32_t due_in);

/* Takes the node off; nothing happens when it is on no wheel. */
void wheel_remove(struct wheel_node *node);

/* In how many ticks from now the first node is due, 1 to 255; 0: there is none.
 */
uint32_t wheel_next(const struct wheel *wheel);

/*
 * Turns the wheel to now and takes off every node that came due, calling
 * due() for each. due() may set or remove any node, its own included.
 */
void wheel_turn(struct wheel *wheel, uint64_t now,
    void (*due)(struct wheel_node *node, void *context), void *context);

#endif
