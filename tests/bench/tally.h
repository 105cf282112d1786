/*
 * tally: which numbers of a channel a subscriber has had, what was missing,
 * doubled or out of order, and how long events took. Pure.
 */
#ifndef SSEMUX_BENCH_TALLY_H
#define SSEMUX_BENCH_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TALLY_TIMES = 59 * 64 };

struct tally {
	uint64_t events;   /* whatever came, doubled ones too */
	uint64_t fresh;    /* each once */
	uint64_t missing;  /* numbers that have not come, so far */
	uint64_t doubled;  /* numbers that came once more */
	uint64_t swapped;  /* numbers that came behind a higher one */
	uint64_t late;     /* numbers that came when they were given up */
	uint64_t strays;   /* of channels that were not asked for */
	uint64_t untimely; /* published in the future, or before what was
			    * published in this time */
	uint64_t bytes;    /* read from the socket, heads included */
	uint64_t longest;  /* ns */
	uint32_t times[TALLY_TIMES];
};

/* One channel of one subscriber; begins as all zeros, before number 1. */
struct tally_slot {
	uint64_t last;    /* the highest number so far */
	uint64_t seen;    /* bit i: last - i has come */
	uint64_t settled; /* numbers up to this one were given up */
};

/* Counts it. True: it came for the first time, and is not late. */
bool tally_take(struct tally *tally, struct tally_slot *slot, uint64_t number);

/* Nothing up to this number will come any more: what has not is missing. Comes
 * it yet, it is late, and stays missing. */
void tally_settle(
    struct tally *tally, struct tally_slot *slot, uint64_t number);

/* An event took from then until now; all were published at `earliest_ns` or
 * later. Times of one clock. */
void tally_time(struct tally *tally, uint64_t then_ns, uint64_t now_ns,
    uint64_t earliest_ns);

/* All that is wrong with it. */
uint64_t tally_faults(const struct tally *tally);

/* Adds all that `other` has. */
void tally_add(struct tally *tally, const struct tally *other);

/* So many of 1,000 events took that long or less, in ns, within 2 %. */
uint64_t tally_quantile(const struct tally *tally, uint64_t of_1000);

#endif
