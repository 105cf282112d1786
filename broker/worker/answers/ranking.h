/*
 * ranking: counts by name, and the names with the largest. Pure.
 */
#ifndef SSEMUX_WORKER_ANSWERS_RANKING_H
#define SSEMUX_WORKER_ANSWERS_RANKING_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

struct ranking_entry;

/* Zeroed, it is empty. */
struct ranking {
	struct ranking_entry *entries; /* a hash table, by name */
};

void ranking_finish(struct ranking *ranking);

/* Adds to the count of a name. 0, or -1: no memory. */
int ranking_add(struct ranking *ranking, struct slice name, uint64_t count);

/* How many names there are. */
size_t ranking_size(const struct ranking *ranking);

/* Calls take() for the `most` names with the largest counts, the largest first,
 * those with the same count by name. */
void ranking_top(struct ranking *ranking, size_t most,
    void (*take)(struct slice name, uint64_t count, void *context),
    void *context);

#endif
