/*
 * packs: what a worker has compressed, for all streams that take it.
 *
 *	window	| e e e . . e . e | e . . e e . . . |	spans of 64 entries
 *	pack	  ^ ^ ^     ^   ^			events of one span
 *
 * A pack is made of the events of one span that go to a stream in one write, in
 * one shape and one coding: streams that get just these events get the same
 * bytes. It is made when it is first wanted, kept as long as there is room, and
 *found again by the span and a bit for each of its entries, whatever a stream's
 *channels and filter are, and whether it is at the head or behind.
 *
 * Compressing may cost more than writing. So what is done for streams earns
 * credit for it, see packing.c; when that is spent, only what several streams
 * have asked for is compressed, and others get what is stored as it is.
 *
 * Who is behind begins and ends anywhere. So that those of a crowd get the same
 * packs all the same, what they get is cut into blocks: 2, 4, 8 entries and so
 * on, which begin at a multiple of their length.
 *
 * What stands right before a pack in its stream, its context, lets a small one
 * be much smaller. It is known for a stream whose last bytes were a pack, as
 * long as the window has the events of that: from them its text is made anew.
 * An event of a channel that is secret is in a pack of its own,
 * without context, and is no context: nobody learns from the length of it, or
 * of anything else, what it has in common with what others publish.
 */
#ifndef SSEMUX_WORKER_CURSOR_PACKS_H
#define SSEMUX_WORKER_CURSOR_PACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/worker/cursor/arena.h"
#include "broker/worker/cursor/coder.h"
#include "broker/worker/cursor/frame.h"
#include "broker/worker/cursor/packed.h"
#include "broker/worker/cursor/window.h"
#include "protocol/buf.h"

struct board;
struct config;

enum {
	PACKS_SPAN = 64,        /* entries */
	PACKS_TEXT_MAX = 32768, /* bytes; or one event */
	PACKS_CONTEXT = 8,      /* events at most that a context is of use for,
				 * or that are of use in one */
	PACKS_PLACES = 4096,    /* packs that can be found again */
};

/* What a pack is made of. */
struct pack_key {
	struct pack_events of;    /* at least one */
	struct pack_events after; /* the pack right before it; or none */
	unsigned shape;
	enum coding coding;
	bool stored; /* as it is */
};

struct pack {
	struct pack_key key;
	uint64_t at; /* position in the arena */
	uint32_t len;
	uint32_t head_len;
	uint32_t asked; /* so many times, in vain */
	bool receipts;  /* one is wanted for some event */
	bool summed;    /* sum is not of the text's length alone */
	struct coder_sum sum;
};

/* Which events of a span are of channels that are secret. */
struct pack_secrets {
	uint64_t span;
	uint64_t known;
	uint64_t secret;
};

struct packs {
	const struct config *config;
	const struct window *window;
	struct board *board;
	struct coder *coders[CODING_COUNT]; /* NULL: of those not in use */
	struct arena arena;
	struct pack *places;
	struct pack_secrets *secrets; /* NULL: there are none */
	size_t secrets_size;          /* a power of two */
	uint64_t credit;              /* bytes of text */
	uint64_t pinned; /* position: what is above is kept; UINT64_MAX: no
			  * matter */
	struct buf text;
	struct buf before; /* text of a context */
	struct buf piece;
	struct buf alone; /* the pack that was too large to keep */
};

/* The window stays the caller's. NULL: no memory. */
struct packs *packs_create(const struct config *config,
    const struct window *window, struct board *board);
void packs_destroy(struct packs *packs);

/* A turn begins, with so much credit for compressing, in bytes of text; of
 * what was left before, little is kept. For an event of few readers the time
 * counts more than the bytes. */
void packs_begin_turn(struct packs *packs, uint64_t credit, uint64_t readers);

/* How much credit a byte of text takes in this coding, which streams may have.
 */
unsigned packs_price(const struct packs *packs, enum coding coding);

/* Adds to the credit. */
void packs_earn(struct packs *packs, uint64_t credit);

/* Which of these entries, which are in the window, are secret. */
uint64_t packs_secret_bits(struct packs *packs, uint64_t span, uint64_t bits);

/* Of these entries, those in the longest block that begins with the first and
 * ends no later than the last of them. */
uint64_t packs_first_block(uint64_t bits);

/* Is an event on this channel secret? */
bool packs_is_secret(const struct packs *packs, struct slice channel);

enum packs_got {
	PACKS_FRAME, /* the pack, and its chunk; valid while what is below pin
		      * is kept */
	PACKS_ALONE, /* the same, too large to keep: valid until the next call
		      */
	PACKS_WAIT,  /* would let go of packs at or above pin: use them up
		      * first */
	PACKS_SPENT, /* would cost too much: ask for less */
};

/*
 * The pack of these entries, which are in the window. *pin is lowered to it;
 * UINT64_MAX: nothing is in use. What is stored is never SPENT.
 */
enum packs_got packs_get(struct packs *packs, const struct pack_key *key,
    uint64_t *pin, const struct pack **pack, struct frame *frame);

/* What the events hold of which packs_get() has just found the pack. Few want
 * to know, but it takes a tenth of the time that compressing does. */
struct coder_sum packs_sum(struct packs *packs, const struct pack *pack);

/* What is of use of the text of these events, which stand before a pack; empty,
 * if there are none or the window has not got them. Valid until the next
 * call. */
struct slice packs_before(
    struct packs *packs, const struct pack_events *after, unsigned shape);

/* Appends a piece, as a chunk, with a text that is nobody else's, behind that
 * other one. Its bytes are not filled in. */
struct frame packs_append(struct packs *packs, enum coding coding,
    struct buf *out, struct slice text, struct slice before);

#endif
