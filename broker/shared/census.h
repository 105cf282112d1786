/*
 * census: how many connections an address has, and how many streams a user, in
 * memory that all workers may read.
 *
 *	| worker 1's region | worker 2's region | ...		one memfd
 *	  version, buckets -> entries {key, count, next}
 *
 * Each region is written by its worker alone, and cleared by the supervisor
 * when that worker has ended; a count is the sum over the regions. A reader
 * that a writer disturbs looks again. Who enters first and then asks sees every
 * other one that did so before: a limit that is held that way is never passed.
 *
 * Keys are hashes, with a key of this broker's own: nobody can choose what
 * collides, and no name stands in shared memory.
 */
#ifndef SSEMUX_SHARED_CENSUS_H
#define SSEMUX_SHARED_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/siphash.h"
#include "protocol/slice.h"

struct census_region;

enum census_kind {
	CENSUS_ADDRESS, /* connections of an address */
	CENSUS_USER,    /* streams of a user */
	CENSUS_KINDS,
};

struct census {
	const char *regions;       /* of all workers */
	struct census_region *own; /* the one that this process may write */
	size_t region_count;
	size_t region_bytes;
	uint32_t buckets; /* of each region; a power of two */
	uint32_t entries;
	unsigned char key[SIPHASH_KEY_BYTES];
};

/*
 * Makes the census of so many workers, each with so many different keys at
 * most, mapped whole for writing; *fd gets a descriptor from which it can be
 * mapped for reading. 0, or -1 with errno.
 */
int census_create(struct census *census, size_t workers, size_t keys, int *fd);

/* In a child: keeps write access to the region of that worker, 0-based, or to
 * none, CENSUS_NO_REGION. 0, or -1 with errno. */
int census_confine(struct census *census, int fd, size_t worker);
#define CENSUS_NO_REGION SIZE_MAX

/* In the supervisor: that worker has ended; it counts no more. */
void census_owner_ended(struct census *census, size_t worker);

/* The key of an address or of a user. Keep it for census_leave(). Never 0. */
uint64_t census_key(
    const struct census *census, enum census_kind kind, struct slice name);

/* In a worker: one more, and one less. False: the region is full, and nothing
 * is counted. One that never entered must not leave. */
bool census_enter(struct census *census, uint64_t key);
void census_leave(struct census *census, uint64_t key);

/* How many there are with this key, over all workers. */
uint64_t census_count(const struct census *census, uint64_t key);

#endif
