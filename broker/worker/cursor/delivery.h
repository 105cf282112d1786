/*
 * delivery: who gets what in this turn.
 *
 *	subscriber -> delivery -> delivery -> ...	(entries of the window)
 *
 * Lists of numbers in one array that is emptied every turn: nothing is kept
 * per subscriber between turns. When the array is full, what it holds is
 * written first.
 */
#ifndef SSEMUX_WORKER_CURSOR_DELIVERY_H
#define SSEMUX_WORKER_CURSOR_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct subscriber;

#define DELIVERY_NONE UINT32_MAX

struct delivery {
	uint32_t entry; /* number of the window's entry, from `base` */
	uint32_t next;  /* index of the subscriber's next; DELIVERY_NONE */
};

struct deliveries {
	struct delivery *list;
	size_t size;
	size_t count;
	uint64_t base;
	struct subscriber **subscribers; /* who has any */
	size_t subscriber_count;
};

/* Room for `size` deliveries. 0, or -1: no memory. */
int deliveries_init(struct deliveries *deliveries, size_t size);
void deliveries_finish(struct deliveries *deliveries);

/* Empties it; entries are numbered from base. */
void deliveries_begin(struct deliveries *deliveries, uint64_t base);

/* Is there no room for that many more? */
bool deliveries_full(const struct deliveries *deliveries, size_t more);

/* Adds an entry to the list of a subscriber, which remembers its first and
 * last; *first is DELIVERY_NONE before. There must be room. */
void deliveries_add(struct deliveries *deliveries,
    struct subscriber *subscriber, uint32_t *first, uint32_t *last,
    uint64_t entry);

/* The entry of a delivery. */
uint64_t deliveries_entry(const struct deliveries *deliveries, uint32_t index);

#endif
