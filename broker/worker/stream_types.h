/*
 * stream_types: which types of events a stream takes: those of its block,
 * filled from the claims of its token, and of these the ones it asked for.
 */
#ifndef SSEMUX_WORKER_STREAM_TYPES_H
#define SSEMUX_WORKER_STREAM_TYPES_H

#include "protocol/slice.h"

struct auth_token;
struct config_stream;
struct filter;
struct subscriber;

/*
 * Makes the filter; *filter is NULL when every type is taken. The token may be
 * NULL: no claims. asked: a list divided by commas; len 0: all. 0; or -1 with
 * errno: EINVAL when that list is none, else there is no memory, or more
 * patterns than PATTERNS_MAX.
 */
int stream_types_make(struct filter **filter, const struct config_stream *block,
    const struct auth_token *token, struct slice asked);

/* The stream has a new token, whose claims may name other types; what was asked
 * for stays. 0, or -1: no memory, and nothing was changed. */
int stream_types_renew(
    struct subscriber *subscriber, const struct auth_token *token);

#endif
