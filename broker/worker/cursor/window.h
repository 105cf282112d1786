/*
 * window: the newest events as one worker keeps them, with their frames.
 *
 *	entries   | cursor, where its record is, where its frames are | ...
 *	marks     | hash of its channel | ...	(see sieve.h)
 *	records   | record | record | ...	(copied from the ring)
 *	frames	  | chunk | chunk | ...		(made when first wanted)
 *
 * Every event above `floor` and up to `head` is here, in order: who stands at
 * a cursor not below the floor misses nothing by reading on from here. A frame
 * is made once and its bytes serve every subscriber of that shape; frames
 * made one after the other lie one after the other.
 */
#ifndef SSEMUX_WORKER_CURSOR_WINDOW_H
#define SSEMUX_WORKER_CURSOR_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/record.h"
#include "broker/shared/sse.h"
#include "broker/worker/cursor/arena.h"
#include "broker/worker/cursor/frame.h"
#include "protocol/buf.h"

struct window_frame {
	uint64_t at;  /* position in the arena of frames */
	uint32_t len; /* 0: not made yet */
	uint32_t head_len;
};

struct window_entry {
	uint64_t cursor;
	uint64_t record_at;           /* position in the arena of records */
	struct window_frame frames[]; /* by number of shape */
};

struct window {
	char *entries;   /* a ring; its size is a power of two */
	uint16_t *marks; /* another one */
	size_t size;
	size_t entry_bytes; /* an entry with a frame for each shape */
	const struct sse_shape *shapes;
	size_t shape_count;
	uint64_t first; /* number of the oldest entry */
	uint64_t end;   /* number of the next entry */
	uint64_t floor; /* cursor: everything above is here */
	uint64_t head;  /* cursor of the newest event known */
	struct arena records;
	uint64_t reserved_at; /* by window_reserve(), for window_commit() */
	uint64_t reserved_tail;
	struct arena frames;
	struct buf scratch; /* a frame while it is made */
};

/* bytes: for records; half as much again for frames. The shapes are at least
 * one, and stay the caller's. 0, or -1: no memory. */
int window_init(struct window *window, size_t bytes, size_t events,
    const struct sse_shape *shapes, size_t shape_count);
void window_finish(struct window *window);

/* Empties the window: nothing up to this cursor is here. */
void window_reset(struct window *window, uint64_t cursor);

/*
 * Memory for a record of that size, letting go of old events; NULL when it is
 * larger than a window can hold. It counts after window_commit().
 */
void *window_reserve(struct window *window, size_t size);

/* Makes the record that was written to the reserved memory the newest entry;
 * returns the entry's number. The hash is that of its channel. */
uint64_t window_commit(struct window *window, uint32_t hash);

static inline struct window_entry *
window_entry(const struct window *window, uint64_t number)
{
	char *at = window->entries +
		   (number & (window->size - 1)) * window->entry_bytes;

	return (struct window_entry *)(void *)at;
}

/* Some bits of the hash of an entry's channel. */
static inline uint16_t
window_mark(const struct window *window, uint64_t number)
{
	return window->marks[number & (window->size - 1)];
}

struct event window_event(
    const struct window *window, const struct window_entry *entry);

/* The number of a receipt that is wanted for this event; 0: none. */
uint32_t window_receipt(
    const struct window *window, const struct window_entry *entry);

/* The number of the first entry above this cursor; window->end if none is. */
uint64_t window_find(const struct window *window, uint64_t cursor);

enum window_got {
	WINDOW_FRAME, /* the frame; valid while frames below pin are kept */
	WINDOW_ALONE, /* the frame, too large to keep: valid until the next
		       * call */
	WINDOW_WAIT,  /* would let go of frames at or above pin: use them up
		       * first */
};

/* The frame of an entry in the shape of that number. *pin is lowered to it;
 * UINT64_MAX: nothing is in use. */
enum window_got window_frame(struct window *window, uint64_t number,
    size_t shape, uint64_t *pin, struct frame *frame);

#endif
