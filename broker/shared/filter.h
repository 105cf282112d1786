/*
 * filter: which events a stream takes, by their types and keys.
 *
 *	order.updated	this type
 *	order.*		every type that begins with "order."
 *	*		every type, and events without one
 *	!page.debug	not this type; not, with a star, those either
 *
 * A list takes a type that one of its patterns names and no "!" pattern
 * names. A list of "!" patterns alone takes everything else. Keys are named the
 * same way. Pure.
 */
#ifndef SSEMUX_SHARED_FILTER_H
#define SSEMUX_SHARED_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/slice.h"

enum { FILTER_PATTERNS_MAX = 64 }; /* in one list */

struct filter;

/* What of an event the patterns of a list name. */
enum filter_field { FILTER_TYPE, FILTER_KEY };

/* One list of patterns, each of them valid. */
struct filter_list {
	const struct slice *patterns;
	size_t count;
	/* Takes only what a pattern names, even if there is none: so for a list
	 * whose patterns come from claims that a token does not have. */
	bool closed;
	enum filter_field field;
};

bool filter_pattern_valid(struct slice pattern);

/*
 * Makes a filter that takes what each of the lists takes; patterns are copied.
 * A list without patterns that is not closed takes everything. NULL: no memory.
 */
struct filter *filter_create(const struct filter_list *lists, size_t count);

/* The same filter with other lists; a NULL among them keeps the list that was
 * in its place. They are as many as it was made of. NULL: no memory. */
struct filter *filter_renew(const struct filter *filter,
    const struct filter_list *const *lists, size_t count);
void filter_destroy(struct filter *filter);

/* Does nothing that it was made of hold anything back? */
bool filter_takes_all(const struct filter *filter);

/* Is an event of this type and key (len 0: it has none) to be sent? A NULL
 * filter lets everything pass. An EVENT_RESYNC is not to be asked about: it
 * always is. */
bool filter_passes(
    const struct filter *filter, struct slice type, struct slice key);

#endif
