/* sieve: what is not for a stream. See sieve.h. */
#include "broker/worker/cursor/sieve.h"

#include <string.h>

#include "broker/worker/cursor/window.h"
#include "broker/worker/subscriber.h"
#include "protocol/event.h"

static void
set_bit(struct sieve *sieve, uint32_t hash)
{
	hash %= SIEVE_BITS;
	sieve->bits[hash / 64] |= UINT64_C(1) << hash % 64;
}

static bool
has_bit(const struct sieve *sieve, uint32_t hash)
{
	hash %= SIEVE_BITS;
	return (sieve->bits[hash / 64] >> hash % 64 & 1) != 0;
}

static void
add(struct sieve *sieve, const struct channels_member *member)
{
	struct slice pattern = channels_pattern(member);

	if (pattern.bytes[pattern.len - 1] != '*')
		set_bit(sieve, channels_member_hash(member));
	else if (pattern.len == 1 || sieve->prefix_count == SIEVE_PREFIXES)
		sieve->open = true;
	else
		sieve->prefixes[sieve->prefix_count++] = pattern;
}

void
sieve_make(
    struct sieve *sieve, const struct subscriber *subscriber, uint64_t events)
{
	/* What is half written is finished, whatever its channel. */
	sieve->open = subscriber->alone || events < SIEVE_EVENTS;
	if (sieve->open)
		return;
	sieve->prefix_count = 0;
	memset(sieve->bits, 0, sizeof(sieve->bits));
	for (uint32_t i = 0; i < subscriber->member_count && !sieve->open; i++)
		add(sieve, &subscriber->members[i]);
}

static bool
is_below_prefix(
    const struct sieve *sieve, const struct window *window, uint64_t number)
{
	struct event event = window_event(window, window_entry(window, number));

	for (size_t i = 0; i < sieve->prefix_count; i++) {
		if (event_pattern_covers(sieve->prefixes[i], event.channel))
			return true;
	}
	return false;
}

bool
sieve_passes(
    const struct sieve *sieve, const struct window *window, uint64_t number)
{
	if (sieve->open || has_bit(sieve, window_mark(window, number)))
		return true;
	return sieve->prefix_count > 0 &&
	       is_below_prefix(sieve, window, number);
}
