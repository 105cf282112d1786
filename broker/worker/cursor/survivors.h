/*
 * survivors: of a list of events, which ones go out when of several with the
 * same channel and key only the last is wanted.
 *
 *	added	a/1  b/1  a/2  c/-  a/1  c/-	(channel/key)
 *	left	     b/1  a/2  c/-  a/1  c/-
 *
 * Each that is left stays at its own place, so that cursors go up. Bounded, and
 * without a look at any clock or store: pure.
 */
#ifndef SSEMUX_WORKER_CURSOR_SURVIVORS_H
#define SSEMUX_WORKER_CURSOR_SURVIVORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/siphash.h"
#include "protocol/slice.h"

enum {
	SURVIVORS_MAX = 8192,        /* events in a list */
	SURVIVORS_TEXT_MAX = 524288, /* bytes of names that are copied */
};

struct survivor {
	uint64_t cursor;
	uint64_t number; /* whatever the caller finds it by */
	struct slice channel;
	struct slice key;
	uint64_t replaced_by; /* cursor of a later one; 0: it is left */
};

/* A place of the hash table; of an older list when its list is not this one. */
struct survivors_place {
	uint32_t list;
	uint32_t index;
};

struct survivors {
	unsigned char secret[SIPHASH_KEY_BYTES];
	struct survivor *events;
	size_t count;
	struct survivors_place *places;
	uint32_t list;
	char *text;
	size_t text_used;
};

/* The secret is for the hash table; publishers choose what is in there. NULL:
 * no memory. */
struct survivors *survivors_create(
    const unsigned char secret[SIPHASH_KEY_BYTES]);
void survivors_destroy(struct survivors *survivors);

/* Begins a new, empty list. */
void survivors_begin(struct survivors *survivors);

bool survivors_full(const struct survivors *survivors);

/* Adds an event that goes out in any case. There must be room. */
void survivors_add(
    struct survivors *survivors, uint64_t cursor, uint64_t number);

/* Adds an event that a later one replaces. Channel and key must stay where
 * they are until the next list; see survivors_keep(). There must be room. */
void survivors_add_keyed(struct survivors *survivors, uint64_t cursor,
    uint64_t number, struct slice channel, struct slice key);

/* Copies a name for as long as this list lasts, in place. False: there is no
 * room for it any more. */
bool survivors_keep(struct survivors *survivors, struct slice *name);

#endif
