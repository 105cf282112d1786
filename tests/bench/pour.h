/*
 * pour: how a crowd's publisher publishes, and when all have it.
 */
#ifndef SSEMUX_BENCH_POUR_H
#define SSEMUX_BENCH_POUR_H

#include "tests/bench/plan.h"
#include "tests/bench/target.h"

struct pour {
	const struct plan *plan;
	struct plan_shared *shared;
	struct target *target;
	uint64_t *numbers;  /* the last one of each channel */
	uint32_t *readers;  /* of each channel */
	uint64_t published; /* events in all */
	uint64_t expected;  /* deliveries in all */
};

void pour_init(struct pour *pour, const struct plan *plan,
    struct plan_shared *shared, struct target *target);

/* So many events per second, for so many seconds. */
void pour_paced(struct pour *pour, double rate, double seconds);

/* Each when all have the one before; so many, and no longer than that. */
void pour_steady(struct pour *pour, uint64_t events, double seconds);

/* As fast as it goes. */
void pour_burst(struct pour *pour, uint64_t events);

/* The same, on a channel that nobody has. */
void pour_nobody(struct pour *pour, uint64_t events);

#endif
