/* patterns: lists of patterns. See patterns.h. */
#include "broker/worker/cursor/patterns.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol/event.h"

enum { FIRST_SIZE = 4 };

void
patterns_finish(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		free((char *)(uintptr_t)patterns->list[i].bytes);
	free(patterns->list);
	*patterns = (struct patterns){.list = NULL};
}

static bool
holds(const struct patterns *patterns, struct slice pattern)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (slice_equal(patterns->list[i], pattern))
			return true;
	}
	return false;
}

static int
make_room(struct patterns *patterns)
{
	size_t size = patterns->size > 0 ? patterns->size * 2 : FIRST_SIZE;
	struct slice *list;

	if (patterns->count < patterns->size)
		return 0;
	list = realloc(patterns->list, size * sizeof(list[0]));
	if (list == NULL)
		return -1;
	patterns->list = list;
	patterns->size = size;
	return 0;
}

int
patterns_add(struct patterns *patterns, struct slice pattern)
{
	char *text;

	if (holds(patterns, pattern))
		return 0;
	if (patterns->count == PATTERNS_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (make_room(patterns) == -1)
		return -1;
	text = malloc(pattern.len);
	if (text == NULL)
		return -1;
	memcpy(text, pattern.bytes, pattern.len);
	patterns->list[patterns->count++] = slice_of(text, pattern.len);
	return 0;
}

bool
patterns_remove(struct patterns *patterns, struct slice pattern)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (!slice_equal(patterns->list[i], pattern))
			continue;
		free((char *)(uintptr_t)patterns->list[i].bytes);
		patterns->list[i] = patterns->list[--patterns->count];
		return true;
	}
	return false;
}

bool
patterns_cover(const struct patterns *patterns, struct slice pattern)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (event_pattern_covers_pattern(patterns->list[i], pattern))
			return true;
	}
	return false;
}
