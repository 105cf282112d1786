/* channels: the index from channels to subscribers. See channels.h. */
#include "broker/worker/cursor/channels.h"

#include <assert.h>
#include <stdlib.h>
#include <uthash.h>

#include "broker/worker/cursor/prefetch.h"
#include "protocol/event.h"

enum { AHEAD = 8 }; /* owners whose memory is fetched meanwhile */

struct place {
	void *owner;
	struct channels_member *member;
};

struct channels_node {
	UT_hash_handle hh;
	struct place *places;
	uint32_t count;
	uint32_t size;
	uint32_t serial;
	uint8_t pattern_len;
	char pattern[]; /* not terminated */
};

_Static_assert(EVENT_CHANNEL_MAX + 1 <= UINT8_MAX, "pattern_len is a byte");

struct channels {
	struct channels_node *nodes;
	struct channels_node *everything; /* the node of "*", looked up often */
	uint32_t made;                    /* nodes so far */
};

struct channels *
channels_create(void)
{
	return calloc(1, sizeof(struct channels));
}

static struct channels_node *
find_node(const struct channels *channels, struct slice pattern)
{
	struct channels_node *node;

	HASH_FIND(hh, channels->nodes, pattern.bytes, pattern.len, node);
	return node;
}

uint32_t
channels_hash(struct slice pattern)
{
	unsigned hash;

	HASH_VALUE(pattern.bytes, pattern.len, hash);
	return hash;
}

uint32_t
channels_member_hash(const struct channels_member *member)
{
	return member->node->hh.hashv;
}

static struct channels_node *
find_hashed(
    const struct channels *channels, struct slice pattern, uint32_t hash)
{
	struct channels_node *node;

	HASH_FIND_BYHASHVALUE(
	    hh, channels->nodes, pattern.bytes, pattern.len, hash, node);
	return node;
}

static struct channels_node *
make_node(struct channels *channels, struct slice pattern)
{
	struct channels_node *node = calloc(1, sizeof(*node) + pattern.len);

	if (node == NULL)
		return NULL;
	node->serial = channels->made++;
	node->pattern_len = (uint8_t)pattern.len;
	memcpy(node->pattern, pattern.bytes, pattern.len);
	HASH_ADD(hh, channels->nodes, pattern, pattern.len, node);
	if (slice_is(pattern, "*"))
		channels->everything = node;
	return node;
}

static void
destroy_node(struct channels *channels, struct channels_node *node)
{
	HASH_DEL(channels->nodes, node);
	if (channels->everything == node)
		channels->everything = NULL;
	free(node->places);
	free(node);
}

void
channels_destroy(struct channels *channels)
{
	struct channels_node *node = NULL, *next = NULL;

	if (channels == NULL)
		return;
	HASH_ITER (hh, channels->nodes, node, next) {
		destroy_node(channels, node);
	}
	free(channels);
}

static int
make_place(struct channels_node *node)
{
	uint32_t size = node->size > 0 ? node->size * 2 : 1;
	struct place *places;

	if (node->count < node->size)
		return 0;
	places = realloc(node->places, size * sizeof(places[0]));
	if (places == NULL)
		return -1;
	node->places = places;
	node->size = size;
	return 0;
}

int
channels_subscribe(struct channels *channels, struct slice pattern, void *owner,
    struct channels_member *member)
{
	struct channels_node *node = find_node(channels, pattern);

	if (node == NULL)
		node = make_node(channels, pattern);
	if (node == NULL)
		return -1;
	if (make_place(node) == -1) {
		if (node->count == 0)
			destroy_node(channels, node);
		return -1;
	}
	*member = (struct channels_member){node, node->count, node->serial};
	node->places[node->count++] = (struct place){owner, member};
	return 0;
}

void
channels_unsubscribe(struct channels *channels, struct channels_member *member)
{
	struct channels_node *node = member->node;
	struct place *last;

	if (node == NULL)
		return;
	last = &node->places[--node->count];
	node->places[member->position] = *last;
	last->member->position = member->position;
	member->node = NULL;
	if (node->count == 0)
		destroy_node(channels, node);
}

void
channels_move(struct channels_member *to, const struct channels_member *from)
{
	*to = *from;
	if (to->node != NULL)
		to->node->places[to->position].member = to;
}

struct slice
channels_pattern(const struct channels_member *member)
{
	assert(member->node != NULL);
	return slice_of(member->node->pattern, member->node->pattern_len);
}

static void
call_members(const struct channels_node *node,
    void (*found)(void *owner, void *context), void *context)
{
	if (node == NULL)
		return;
	for (uint32_t i = 0; i < node->count; i++) {
		if (i + AHEAD < node->count)
			prefetch_object(node->places[i + AHEAD].owner);
		found(node->places[i].owner, context);
	}
}

void
channels_match(struct channels *channels, struct slice channel, uint32_t hash,
    void (*found)(void *owner, void *context), void *context)
{
	char pattern[EVENT_CHANNEL_MAX + 1];

	call_members(find_hashed(channels, channel, hash), found, context);
	for (size_t i = 0; i < channel.len; i++) {
		pattern[i] = channel.bytes[i];
		if (channel.bytes[i] != ':')
			continue;
		pattern[i + 1] = '*';
		call_members(find_node(channels, slice_of(pattern, i + 2)),
		    found, context);
	}
	call_members(channels->everything, found, context);
}

size_t
channels_count(const struct channels *channels)
{
	return HASH_COUNT(channels->nodes);
}

void
channels_each(const struct channels *channels,
    void (*take)(struct slice pattern, size_t count, void *context),
    void *context)
{
	for (const struct channels_node *node = channels->nodes; node != NULL;
	     node = node->hh.next)
		take(slice_of(node->pattern, node->pattern_len), node->count,
		    context);
}
