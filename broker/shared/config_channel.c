/* config_channel: the block of a channel. See config_channel.h. */
#include "broker/shared/config_channel.h"

#include <stdlib.h>

#include "broker/shared/config_block.h"
#include "broker/shared/config_loader.h"
#include "protocol/event.h"

static int
compare_patterns(const void *a, const void *b)
{
	const struct config_channel *one = a, *other = b;
	size_t len = one->pattern.len < other->pattern.len ? one->pattern.len
							   : other->pattern.len;
	int order = memcmp(one->pattern.bytes, other->pattern.bytes, len);

	if (order != 0 || one->pattern.len == other->pattern.len)
		return order;
	return one->pattern.len < other->pattern.len ? -1 : 1;
}

static const struct config_channel *
find_pattern(const struct config *config, struct slice pattern)
{
	const struct config_channel wanted = {.pattern = pattern};

	return bsearch(&wanted, config->channels, config->channel_count,
	    sizeof(wanted), compare_patterns);
}

/* The block of the longest "prefix:*", or of "*". */
static const struct config_channel *
find_prefix(const struct config *config, struct slice channel)
{
	const struct config_channel *found = NULL;
	char pattern[EVENT_CHANNEL_MAX + 2];

	if (channel.len > EVENT_CHANNEL_MAX)
		return NULL;
	memcpy(pattern, channel.bytes, channel.len);
	for (size_t len = channel.len; found == NULL && len > 0; len--) {
		if (pattern[len - 1] != ':')
			continue;
		pattern[len] = '*';
		found = find_pattern(config, slice_of(pattern, len + 1));
	}
	return found != NULL ? found : find_pattern(config, slice_of("*", 1));
}

const struct config_channel *
config_channel_find(const struct config *config, struct slice channel)
{
	const struct config_channel *found;

	if (config->channel_count == 0)
		return NULL;
	found = find_pattern(config, channel);
	return found != NULL ? found : find_prefix(config, channel);
}

bool
config_channel_latest(const struct config *config, struct slice pattern)
{
	/* The most exact block for all of the pattern, if one is. */
	const struct config_channel *found =
	    config_channel_find(config, pattern);

	if (found != NULL && found->keep == CONFIG_KEEP_LATEST)
		return true;
	for (size_t i = 0; i < config->channel_count; i++) {
		const struct config_channel *channel = &config->channels[i];

		if (channel->keep == CONFIG_KEEP_LATEST &&
		    event_pattern_covers_pattern(pattern, channel->pattern))
			return true;
	}
	return false;
}

/* What is let go at once has no bounds. */
static int
check_none(struct config_loader *loader, const struct config_channel *channel)
{
	static const size_t bounds[] = {CONFIG_CHANNEL_INDEX_max_age,
	    CONFIG_CHANNEL_INDEX_max_events, CONFIG_CHANNEL_INDEX_max_bytes};

	if (channel->keep != CONFIG_KEEP_NONE)
		return 0;
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		if (channel->block.lines[bounds[i]] != 0)
			return config_block_fail(loader,
			    &config_block_kinds[CONFIG_BLOCK_CHANNEL],
			    &channel->block, bounds[i],
			    "there is no such bound with keep = none");
	}
	return 0;
}

int
config_channel_settle(struct config_loader *loader)
{
	struct config *config = loader->config;

	for (size_t i = 0; i < config->channel_count; i++) {
		if (check_none(loader, &config->channels[i]) == -1)
			return -1;
		if (config->channels[i].conflate > 0)
			config->channels_conflate = true;
		if (config->channels[i].secret)
			config->channels_secret = true;
	}
	if (config->channel_count > 0)
		qsort(config->channels, config->channel_count,
		    sizeof(config->channels[0]), compare_patterns);
	return 0;
}
