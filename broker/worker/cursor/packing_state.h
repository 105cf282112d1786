/*
 * packing_state: a write of packs while it is put together. For packing*.c
 * and volley.c only.
 */
#ifndef SSEMUX_WORKER_CURSOR_PACKING_STATE_H
#define SSEMUX_WORKER_CURSOR_PACKING_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/worker/cursor/coder.h"
#include "broker/worker/cursor/outgoing.h"
#include "broker/worker/cursor/packed.h"
#include "protocol/buf.h"
#include "protocol/slice.h"

struct packs;
struct subscriber;
struct worker;

/* A pack of the write that is being put together. */
struct packing_frame {
	struct slice bytes;
	uint64_t first;        /* cursor of its first event */
	struct pack_events of; /* none: from the store, or secret */
	uint32_t events;
	size_t receipts_end; /* those up to here are of it, or of ones before */
	struct coder_sum sum;
};

enum { ASIDE_MAX = 64 };

struct packing {
	struct packs *packs;
	/* Events that wait, few of a span, see packing_aside.c. */
	uint64_t aside[ASIDE_MAX]; /* entries */
	size_t aside_count;
	size_t aside_bytes; /* of their records */
	/* What waits to become packs: events of one span. */
	uint64_t span;
	uint64_t bits;
	size_t bytes;           /* of their records */
	uint64_t for_beginners; /* credit, in this turn of those behind */
	bool cuts;              /* into blocks, see packs.h, in this turn */
	/* The write. */
	uint64_t pin;
	struct pack_events last; /* what stands before the next pack */
	bool alone;              /* nothing can be added */
	struct packing_frame frames[OUTGOING_FRAMES];
	uint32_t receipts[OUTGOING_FRAMES];
	size_t receipt_count;
	struct buf pieces; /* that are nobody else's */
	struct buf text;
};

/* The write is to be put together from here on. */
void packing_begin_write(struct worker *worker, struct subscriber *subscriber);

/* So many events were read from the store: that earns credit, see packing.c. */
void packing_earn_reading(
    struct worker *worker, const struct subscriber *subscriber, size_t events);

/*
 * For volley.h: is what was added one pack that can be written later, and
 * nothing else? Then it is kept until packing_release(), unless it is alone:
 * that is to be copied. And *frame and
 * worker->outgoing are what packing_settle() needs.
 */
bool packing_gather(struct worker *worker, struct subscriber *subscriber,
    struct packing_frame *frame);

/* What send(2) said of it, or -errno, is noted. */
void packing_settle(struct worker *worker, struct subscriber *subscriber,
    const struct packing_frame *frame, ssize_t sent);
void packing_release(struct worker *worker);

/* Sets aside what waits, if it is little. False: it is to become a pack. */
bool packing_set_aside(struct worker *worker);

/* Are these events set aside as they lie far apart, so that few others have
 * just them? */
bool packing_is_far_apart(const struct packing *packing);

/* Adds all that was set aside as one pack; there is nothing else in the
 * write. */
void packing_add_aside(
    struct worker *worker, const struct subscriber *subscriber);

/* Notes that receipts are wanted for these events. */
void packing_add_receipts(struct worker *worker, const struct pack_events *of);

/* Adds what waits to become packs. False: the write has no room for all. */
bool packing_add_waiting(struct worker *worker, struct subscriber *subscriber);

#endif
