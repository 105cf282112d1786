/*
 * patterns: a list of channel patterns that owns its texts, each once. Pure.
 */
#ifndef SSEMUX_WORKER_CURSOR_PATTERNS_H
#define SSEMUX_WORKER_CURSOR_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/slice.h"

enum { PATTERNS_MAX = 4096 }; /* in one list */

/* Zeroed, it is empty. */
struct patterns {
	struct slice *list;
	size_t count;
	size_t size; /* entries there is memory for */
};

void patterns_finish(struct patterns *patterns);

/* Adds a copy of a valid pattern; nothing happens when it is there already.
 * 0, or -1 with errno: ENOMEM, or E2BIG when there are PATTERNS_MAX. */
int patterns_add(struct patterns *patterns, struct slice pattern);

/* Takes just this pattern out; was it there? */
bool patterns_remove(struct patterns *patterns, struct slice pattern);

/* Does one of them cover all that this valid pattern covers? */
bool patterns_cover(const struct patterns *patterns, struct slice pattern);

#endif
