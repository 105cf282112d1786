/* tally: what came of what was published. See tally.h. */
#include "tests/bench/tally.h"

/* A time's place: 64 for each power of two. */
static size_t
place_of(uint64_t ns)
{
	int power;

	if (ns < 64)
		return (size_t)ns;
	power = 63 - __builtin_clzll(ns);
	return (size_t)(power - 5) * 64 + (size_t)((ns >> (power - 6)) & 63);
}

/* The longest time that has this place. */
static uint64_t
time_of(size_t place)
{
	int power = (int)(place / 64) + 5;

	if (place < 64)
		return place;
	return ((place % 64 + 65) << (power - 6)) - 1;
}

static void
raise_to(struct tally_slot *slot, uint64_t number)
{
	uint64_t step = number - slot->last;

	slot->seen = step < 64 ? slot->seen << step : 0;
	slot->last = number;
}

bool
tally_take(struct tally *tally, struct tally_slot *slot, uint64_t number)
{
	uint64_t bit;

	tally->events++;
	if (number > slot->last) {
		tally->missing += number - slot->last - 1;
		tally->fresh++;
		raise_to(slot, number);
		slot->seen |= 1;
		return true;
	}
	bit =
	    slot->last - number < 64 ? UINT64_C(1) << (slot->last - number) : 0;
	if (bit == 0 || (slot->seen & bit) != 0) {
		tally->doubled++;
		return false;
	}
	slot->seen |= bit;
	if (number <= slot->settled) {
		tally->late++;
		return false;
	}
	tally->fresh++;
	tally->swapped++;
	tally->missing--;
	return true;
}

void
tally_settle(struct tally *tally, struct tally_slot *slot, uint64_t number)
{
	if (number > slot->settled)
		slot->settled = number;
	if (number <= slot->last)
		return;
	tally->missing += number - slot->last;
	raise_to(slot, number);
}

void
tally_time(struct tally *tally, uint64_t then_ns, uint64_t now_ns,
    uint64_t earliest_ns)
{
	uint64_t ns = now_ns - then_ns;

	if (then_ns > now_ns || then_ns < earliest_ns) {
		tally->untimely++;
		return;
	}
	tally->times[place_of(ns)]++;
	if (ns > tally->longest)
		tally->longest = ns;
}

void
tally_add(struct tally *tally, const struct tally *other)
{
	tally->events += other->events;
	tally->fresh += other->fresh;
	tally->missing += other->missing;
	tally->doubled += other->doubled;
	tally->swapped += other->swapped;
	tally->late += other->late;
	tally->strays += other->strays;
	tally->untimely += other->untimely;
	tally->bytes += other->bytes;
	if (other->longest > tally->longest)
		tally->longest = other->longest;
	for (size_t i = 0; i < TALLY_TIMES; i++)
		tally->times[i] += other->times[i];
}

uint64_t
tally_faults(const struct tally *tally)
{
	return tally->missing + tally->doubled + tally->swapped + tally->late +
	       tally->strays + tally->untimely;
}

uint64_t
tally_quantile(const struct tally *tally, uint64_t of_1000)
{
	uint64_t all = 0, wanted, so_far = 0;

	for (size_t i = 0; i < TALLY_TIMES; i++)
		all += tally->times[i];
	if (all == 0)
		return 0;
	wanted = (all * of_1000 + 999) / 1000;
	for (size_t i = 0; i < TALLY_TIMES; i++) {
		so_far += tally->times[i];
		if (so_far >= wanted)
			return time_of(i) < tally->longest ? time_of(i)
							   : tally->longest;
	}
	return tally->longest;
}
