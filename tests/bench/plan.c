/* plan: who has which channels. See plan.h. */
#include "tests/bench/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t
part_of(const struct plan *plan)
{
	return plan->channels / plan->per_subscriber;
}

static size_t
place_in_part(const struct plan *plan, size_t subscriber, size_t j)
{
	size_t part = part_of(plan);

	return (subscriber + j * (subscriber / part)) % part;
}

size_t
plan_channel(const struct plan *plan, size_t subscriber, size_t j)
{
	return j * part_of(plan) + place_in_part(plan, subscriber, j);
}

long
plan_slot(const struct plan *plan, size_t subscriber, size_t channel)
{
	size_t part = part_of(plan);
	size_t j = channel / part;

	if (j >= plan->per_subscriber ||
	    channel % part != place_in_part(plan, subscriber, j))
		return -1;
	return (long)j;
}

uint64_t
plan_now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) == -1)
		abort();
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void
plan_fail(const char *what)
{
	if (errno != 0)
		fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	else
		fprintf(stderr, "crowd: %s\n", what);
	exit(1);
}
