/* survivors: the last event of each key. See survivors.h. */
#include "broker/worker/cursor/survivors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Twice as many as there may be events: there is always a free one. */
enum { PLACES = 2 * SURVIVORS_MAX };

_Static_assert((PLACES & (PLACES - 1)) == 0, "places are found by a mask");

struct survivors *
survivors_create(const unsigned char secret[SIPHASH_KEY_BYTES])
{
	struct survivors *survivors = calloc(1, sizeof(*survivors));

	if (survivors == NULL)
		return NULL;
	memcpy(survivors->secret, secret, SIPHASH_KEY_BYTES);
	survivors->events = calloc(SURVIVORS_MAX, sizeof(struct survivor));
	survivors->places = calloc(PLACES, sizeof(struct survivors_place));
	survivors->text = malloc(SURVIVORS_TEXT_MAX);
	if (survivors->events == NULL || survivors->places == NULL ||
	    survivors->text == NULL) {
		survivors_destroy(survivors);
		return NULL;
	}
	survivors_begin(survivors);
	return survivors;
}

void
survivors_destroy(struct survivors *survivors)
{
	if (survivors == NULL)
		return;
	free(survivors->events);
	free(survivors->places);
	free(survivors->text);
	free(survivors);
}

void
survivors_begin(struct survivors *survivors)
{
	survivors->count = survivors->text_used = 0;
	if (++survivors->list != 0)
		return;
	/* The number has come round: what is left of old lists goes. */
	memset(survivors->places, 0, PLACES * sizeof(survivors->places[0]));
	survivors->list = 1;
}

bool
survivors_full(const struct survivors *survivors)
{
	return survivors->count == SURVIVORS_MAX;
}

void
survivors_add(struct survivors *survivors, uint64_t cursor, uint64_t number)
{
	assert(!survivors_full(survivors));
	survivors->events[survivors->count++] =
	    (struct survivor){.cursor = cursor, .number = number};
}

static bool
same_key(const struct survivor *event, struct slice channel, struct slice key)
{
	return slice_equal(event->key, key) &&
	       slice_equal(event->channel, channel);
}

/* The place of that channel and key: where it is, or may be put. */
static struct survivors_place *
place_of(struct survivors *survivors, struct slice channel, struct slice key)
{
	size_t at = siphash(survivors->secret, key) +
		    31 * siphash(survivors->secret, channel);
	struct survivors_place *place;

	for (;; at++) {
		place = &survivors->places[at & (PLACES - 1)];
		if (place->list != survivors->list ||
		    same_key(&survivors->events[place->index], channel, key))
			return place;
	}
}

void
survivors_add_keyed(struct survivors *survivors, uint64_t cursor,
    uint64_t number, struct slice channel, struct slice key)
{
	struct survivors_place *place = place_of(survivors, channel, key);
	uint32_t index = (uint32_t)survivors->count;

	survivors_add(survivors, cursor, number);
	survivors->events[index].channel = channel;
	survivors->events[index].key = key;
	if (place->list == survivors->list)
		survivors->events[place->index].replaced_by = cursor;
	*place = (struct survivors_place){survivors->list, index};
}

bool
survivors_keep(struct survivors *survivors, struct slice *name)
{
	char *copy = survivors->text + survivors->text_used;

	if (name->len > SURVIVORS_TEXT_MAX - survivors->text_used)
		return false;
	if (name->len > 0)
		memcpy(copy, name->bytes, name->len);
	survivors->text_used += name->len;
	*name = slice_of(copy, name->len);
	return true;
}
