/*
 * ring: the newest events, in memory that the hub writes and workers read.
 *
 *	position 0 ........ tail ............. head ........>
 *	          let go     | records, whole   | being written
 *
 * Positions count bytes since the ring was made and never wrap; a record's
 * place in memory is its position modulo the size. One writer, any number of
 * readers, no lock: the writer never waits for a reader. A reader that falls
 * behind by more than the ring finds out that it was lapped and reads what it
 * missed from the store.
 *
 * Writing: 1. tail moves past what will be overwritten, 2. the record is
 * written, 3. head moves: from then on the record is visible.
 * Reading: 1. head is read, 2. the record is copied, 3. tail is read: only
 * when it has not passed the record's start is the copy good.
 */
#ifndef SSEMUX_SHARED_RING_H
#define SSEMUX_SHARED_RING_H

#include <stddef.h>
#include <stdint.h>

#include "broker/shared/record.h"

struct ring_header;

struct ring {
	struct ring_header *header;
	char *data;
	size_t size; /* bytes for records, a power of two */
};

/*
 * Makes the memory for at least `size` bytes of records and maps it for the
 * writer; *fd gets a descriptor from which readers map it, and from which
 * nobody can map it for writing any more. 0, or -1 with errno.
 */
int ring_create(struct ring *ring, size_t size, int *fd);

/* Maps the ring of fd for reading only. 0, or -1 with errno: EPROTO when it is
 * of another layout. */
int ring_map_reader(struct ring *ring, int fd);

void ring_unmap(struct ring *ring);

/* The cursor of the newest event that is visible for certain; 0 when there was
 * none yet. */
uint64_t ring_last_cursor(const struct ring *ring);

/* --- the writer --- */

/*
 * After a writer has died, wherever in its work: forgets what it had not made
 * visible. Events above ring_last_cursor() are to be written again; some may
 * be visible already, and readers pass over what they have had.
 */
void ring_take_over(struct ring *ring);

/* Empties the ring: events up to this cursor can be had from the store only. */
void ring_skip_to(struct ring *ring, uint64_t cursor);

/* The size of the largest record that it takes. */
size_t ring_record_max(const struct ring *ring);

/* Copies a record in; it is visible after ring_publish(), or sooner. */
void ring_write(struct ring *ring, const struct record *record);

/* Makes all that was written visible; returns the head's position. */
uint64_t ring_publish(struct ring *ring);

/* --- a reader --- */

/* Where a reader stands. */
struct ring_reader {
	uint64_t at;     /* position of the next record */
	uint64_t cursor; /* of the event before it */
};

/* Stands before the oldest record of the ring. While the writer writes, the
 * cursor may be that of a newer event: what follows up to it is passed over. */
void ring_attach(const struct ring *ring, struct ring_reader *reader);

enum ring_read {
	RING_RECORD, /* *size is the size of the next record's block */
	RING_EMPTY,  /* all visible records have been read */
	RING_LAPPED, /* the next record is gone */
};

/* Is there another record, and how large? */
enum ring_read ring_next_size(
    const struct ring *ring, struct ring_reader *reader, size_t *size);

/* Moves the reader behind the next record without copying it; as
 * ring_copy_next(). */
enum ring_read ring_skip_next(
    const struct ring *ring, struct ring_reader *reader, size_t size);

/*
 * Copies the next record, whose size ring_next_size() gave, to an aligned
 * address and moves the reader behind it. RING_RECORD, or RING_LAPPED when it
 * was overwritten meanwhile (then what was copied means nothing, and the
 * reader has not moved).
 */
enum ring_read ring_copy_next(
    const struct ring *ring, struct ring_reader *reader, void *to, size_t size);

#endif
