/*
 * stream_filter: which events of its channels a stream takes: the types of its
 * block, filled from the claims of its token, and of these the types and keys
 * that it asked for.
 */
#ifndef SSEMUX_WORKER_STREAM_STREAM_FILTER_H
#define SSEMUX_WORKER_STREAM_STREAM_FILTER_H

#include <stdbool.h>

#include "broker/shared/filter.h"
#include "protocol/slice.h"

struct auth_token;
struct config_stream;
struct subscriber;
struct worker;

/* What was asked for of types, or of keys; slices are the caller's. Zeroed:
 * nothing was said. */
struct stream_wish {
	bool said; /* no patterns: all */
	size_t count;
	struct slice patterns[FILTER_PATTERNS_MAX];
};

/* Adds a pattern. False: it is none, or there are too many. */
bool stream_wish_add(struct stream_wish *wish, struct slice pattern);

/* Adds those of a list divided by commas; len 0: nothing was said. False as
 * above. */
bool stream_wish_read(struct stream_wish *wish, struct slice list);

/*
 * Makes the filter; *filter is NULL when every event is taken. The token may be
 * NULL: no claims. 0, or -1: no memory, or more patterns than PATTERNS_MAX.
 */
int stream_filter_make(struct filter **filter,
    const struct config_stream *block, const struct auth_token *token,
    const struct stream_wish *types, const struct stream_wish *keys);

/* The stream has a token whose claims may name other types; and what it asked
 * for is replaced by what is said now. 0, or -1: as above, and nothing was
 * changed. */
int stream_filter_renew(const struct worker *worker,
    struct subscriber *subscriber, const struct auth_token *token,
    const struct stream_wish *types, const struct stream_wish *keys);

#endif
