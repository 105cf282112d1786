/*
 * record: one accepted event as a block of bytes, as it lies in the ring and
 * in a worker's window.
 *
 *	| struct record | channel | type | key | data | padding to 8 bytes |
 *
 * No pointers: the block means the same wherever it is copied to.
 */
#ifndef SSEMUX_SHARED_RECORD_H
#define SSEMUX_SHARED_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/event.h"

enum {
	RECORD_ALIGNMENT = 8,
	/* What a record may be longer than its event's data. */
	RECORD_OVERHEAD_MAX =
	    24 + EVENT_CHANNEL_MAX + EVENT_TYPE_MAX + EVENT_KEY_MAX + 8,
};

struct record {
	uint64_t cursor;
	uint32_t size; /* of the whole block, a multiple of 8 */
	uint32_t data_len;
	uint8_t kind; /* enum event_kind */
	uint8_t channel_len;
	uint8_t type_len;
	uint8_t key_len;
	uint32_t receipt; /* number of a wanted receipt; 0: none is wanted */
};

/* The size of the block that this event makes, in bytes. */
size_t record_size(const struct event *event);

/* Writes the event's block, record_size() bytes, to an aligned address. */
struct record *record_write(void *to, const struct event *event);

/* The event in a block; its slices point into the block. */
struct event record_event(const struct record *record);

/*
 * Whether a block of at most `room` bytes, copied from memory that another
 * process writes, holds together: its lengths fit in its size.
 */
bool record_plausible(const struct record *record, size_t room);

#endif
