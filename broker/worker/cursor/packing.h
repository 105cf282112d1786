/*
 * packing: writes of packs to streams that are compressed, in place of those
 * of progress.h, which calls it for streams that have `packed`.
 *
 * Of a pack that went out in part, the rest is copied to what the connection
 * sends next: so such a stream has no half-written event, and where it stands
 * is behind all that is in the pack.
 */
#ifndef SSEMUX_WORKER_CURSOR_PACKING_H
#define SSEMUX_WORKER_CURSOR_PACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/worker/cursor/outgoing.h"
#include "broker/worker/cursor/progress.h"
#include "protocol/slice.h"

struct packing;
struct subscriber;
struct worker;

/* What a worker has for its writes. NULL: no memory. */
struct packing *packing_create(struct worker *worker);
void packing_destroy(struct packing *packing);

/* Is an event on this channel secret? See packs.h. */
bool packing_is_secret(const struct worker *worker, struct slice channel);

/* This turn's deliveries are about to be written. Without compression,
 * nothing. */
void packing_begin_turn(struct worker *worker);

/* A turn of those who are behind begins. Without compression, nothing. */
void packing_begin_catch_up(struct worker *worker);

/*
 * Adds an entry of the window to what is written next; ADDED or NOT_ADDED, as
 * progress_add_entry(). The first one comes after outgoing_begin().
 */
enum added packing_add_entry(
    struct worker *worker, struct subscriber *subscriber, uint64_t number);

/*
 * Adds what the subscriber wants of the entries of the window from that number
 * on, up to the cursor `until`, of which it looks at so many at most. Returns
 * the cursor up to which all is in what is written next.
 */
uint64_t packing_stretch(struct worker *worker, struct subscriber *subscriber,
    uint64_t number, uint64_t until, int most);

/* An event that is not in the window. */
struct packing_text {
	uint64_t cursor;
	struct slice text;
	uint32_t receipt; /* that is wanted for it; 0: none */
	bool secret;
};

/* Adds all of a step from the store, OUTGOING_PIECES at most, to what is
 * written next. */
void packing_add_texts(struct worker *worker, struct subscriber *subscriber,
    const struct packing_text *texts, size_t count);

/*
 * Writes what was added, which may be nothing, and notes in the subscriber how
 * far it got: STEP_AGAIN, STEP_BLOCKED or STEP_GONE.
 */
enum step packing_write(struct worker *worker, struct subscriber *subscriber);

/* One write of what packing_add_texts() added; the subscriber's place and
 * cursor stay. *reached is moved to the last event that is on its way, if one
 * is. */
enum outgoing_result packing_write_texts(
    struct worker *worker, struct subscriber *subscriber, uint64_t *reached);

#endif
