/*
 * channels: who is subscribed to what; one look-up finds the subscribers of an
 * event, whatever the number of channels and connections.
 *
 *	"org:42:orders" -> node -> members: [owner, member] [owner, member] ..
 *	"org:42:*"	-> node -> members
 *	"*"		-> node -> members
 *
 * An event on org:42:orders asks for the exact name, for the prefix at each of
 * its colons, and for "*". Pure: an owner is a pointer that means nothing here.
 */
#ifndef SSEMUX_WORKER_CURSOR_CHANNELS_H
#define SSEMUX_WORKER_CURSOR_CHANNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

struct channels;
struct channels_node;

/* One subscription; held by its owner, at an address that changes with
 * channels_move() only. */
struct channels_member {
	struct channels_node *node; /* NULL: not subscribed */
	uint32_t position;          /* among the node's members */
	uint32_t serial; /* of the node: its address may come again */
};

/* NULL: no memory. */
struct channels *channels_create(void);
void channels_destroy(struct channels *channels);

/*
 * Subscribes the owner to a valid pattern (see event_pattern_valid()). The
 * pattern is copied. 0, or -1: no memory.
 */
int channels_subscribe(struct channels *channels, struct slice pattern,
    void *owner, struct channels_member *member);

/* Ends the subscription; nothing happens when there is none. */
void channels_unsubscribe(
    struct channels *channels, struct channels_member *member);

/* The subscription goes on under another address: *to takes the place of
 * *from. */
void channels_move(
    struct channels_member *to, const struct channels_member *from);

/* Are these two to the same pattern? The one may have ended since. */
static inline bool
channels_same(
    const struct channels_member *ended, const struct channels_member *member)
{
	return ended->node == member->node && ended->serial == member->serial;
}

/* The pattern of a subscription, as long as it lasts. */
struct slice channels_pattern(const struct channels_member *member);

/* By which a channel, or a pattern, is looked up. */
uint32_t channels_hash(struct slice pattern);

/* The hash of a subscription's pattern. */
uint32_t channels_member_hash(const struct channels_member *member);

/*
 * Calls found() for each subscription that covers the channel, whose hash is
 * channels_hash()'s; an owner with several of them is found several times.
 * found() must not subscribe or unsubscribe; it finds the beginning of its
 * owner in the processor's cache, see prefetch.h.
 */
void channels_match(struct channels *channels, struct slice channel,
    uint32_t hash, void (*found)(void *owner, void *context), void *context);

/* Calls take() for each pattern that is subscribed to, with the number of its
 * subscriptions. */
void channels_each(const struct channels *channels,
    void (*take)(struct slice pattern, size_t count, void *context),
    void *context);

/* How many different patterns are subscribed to. */
size_t channels_count(const struct channels *channels);

#endif
