/*
 * roster: finds a stream by its id.
 *
 *	id = worker (2 characters), slot (4), random (18), in base64url
 *	     (RFC 4648, section 5)
 *
 * The random part, 108 bits, is what makes it unguessable; the rest says where
 * to look: which worker has the stream, and where in its table.
 */
#ifndef SSEMUX_WORKER_ROSTER_H
#define SSEMUX_WORKER_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

struct subscriber;

enum {
	ROSTER_ID_LEN = 24,
	ROSTER_ID_SIZE = ROSTER_ID_LEN + 1,
	ROSTER_RANDOM_BYTES = 252, /* of 14 ids; up to 256 come in one piece */
};

#define ROSTER_NO_SLOT UINT32_MAX

/* Zeroed, it is empty. */
struct roster {
	struct subscriber **streams; /* by slot; NULL: free */
	uint32_t *free;              /* slots that are free, as a stack */
	uint32_t free_count;
	uint32_t size;
	uint32_t random_count;
	uint8_t random[ROSTER_RANDOM_BYTES]; /* drawn, for ids to come */
};

void roster_finish(struct roster *roster);

/* Gives a stream of that worker (0-based) a slot and an id. 0, or -1: no
 * memory or no random numbers. */
int roster_add(struct roster *roster, size_t worker,
    struct subscriber *subscriber, uint32_t *slot, char id[ROSTER_ID_SIZE]);
/* Nothing happens for ROSTER_NO_SLOT. */
void roster_remove(struct roster *roster, uint32_t slot);

/* The worker that an id names; SIZE_MAX: it is none. */
size_t roster_worker(struct slice id);

/* The stream in the slot that an id names; NULL: none. Its id is still to be
 * compared. */
struct subscriber *roster_find(const struct roster *roster, struct slice id);

#endif
