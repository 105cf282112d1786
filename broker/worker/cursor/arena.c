/* arena: a queue of blocks in one piece of memory each. See arena.h. */
#include "broker/worker/cursor/arena.h"

#include <assert.h>
#include <stdlib.h>

int
arena_init(struct arena *arena, size_t size, size_t alignment)
{
	*arena = (struct arena){
	    .size = size & ~(alignment - 1), .alignment = alignment};
	arena->bytes = malloc(arena->size);
	return arena->bytes == NULL ? -1 : 0;
}

void
arena_finish(struct arena *arena)
{
	free(arena->bytes);
	*arena = (struct arena){.size = 0};
}

uint64_t
arena_plan(const struct arena *arena, size_t len, uint64_t *tail)
{
	uint64_t mask = arena->alignment - 1;
	uint64_t position = (arena->head + mask) & ~mask;
	size_t to_end = arena->size - position % arena->size;
	uint64_t end;

	assert(len <= arena->size / 4);
	if (to_end < len)
		position += to_end;
	end = position + len;
	*tail = arena->tail;
	if (end > arena->tail + arena->size)
		*tail = end - arena->size;
	return position;
}

char *
arena_take(struct arena *arena, uint64_t position, size_t len, uint64_t tail)
{
	assert(position >= arena->head && tail >= arena->tail);
	arena->head = position + len;
	arena->tail = tail;
	return arena_at(arena, position);
}
