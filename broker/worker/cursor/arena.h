/*
 * arena: a byte queue whose blocks lie in one piece.
 *
 *	position 0 ... tail ............ head ...>
 *	       let go   | blocks           | free |
 *
 * Positions never wrap; a block's place is its position modulo the size. Blocks
 * are let go from the old end, by moving the tail.
 */
#ifndef SSEMUX_WORKER_CURSOR_ARENA_H
#define SSEMUX_WORKER_CURSOR_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
	char *bytes;
	size_t size;
	size_t alignment; /* of blocks, a power of two */
	uint64_t head;
	uint64_t tail;
};

/* size is rounded down to the alignment, at most 8. 0, or -1: no memory. */
int arena_init(struct arena *arena, size_t size, size_t alignment);
void arena_finish(struct arena *arena);

/*
 * Where a block of len bytes (at most a quarter of the size) will lie; *tail
 * gets where the tail must be for that. Nothing is changed.
 */
uint64_t arena_plan(const struct arena *arena, size_t len, uint64_t *tail);

/* Takes the block that arena_plan() found; the tail moves with it. */
char *arena_take(
    struct arena *arena, uint64_t position, size_t len, uint64_t tail);

static inline char *
arena_at(const struct arena *arena, uint64_t position)
{
	return arena->bytes + position % arena->size;
}

#endif
