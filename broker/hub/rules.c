/* rules: the blocks that name a peer, and what they allow. See rules.h. */
#include "broker/hub/rules.h"

#include <stdint.h>
#include <stdlib.h>

#include "broker/shared/config.h"
#include "protocol/event.h"

void
rules_init_all(struct rules *rules)
{
	*rules = (struct rules){.everything = true};
}

static bool
in_group(const struct rules_peer *peer, uint32_t id)
{
	if (peer->gid == id)
		return true;
	for (size_t i = 0; i < peer->group_count; i++) {
		if (peer->groups[i] == id)
			return true;
	}
	return false;
}

static bool
names_peer(const struct config_publisher *block, const struct rules_peer *peer)
{
	switch (block->kind) {
	case CONFIG_PUBLISHER_USER:
		return peer->uid == block->id;
	case CONFIG_PUBLISHER_GROUP:
		return in_group(peer, block->id);
	}
	return false;
}

int
rules_init(struct rules *rules, const struct config *config,
    const struct rules_peer *peer)
{
	*rules = (struct rules){.count = 0};
	if (config->publisher_count == 0 || peer->uid == 0) {
		rules_init_all(rules);
		return 0;
	}
	rules->blocks =
	    calloc(config->publisher_count, sizeof(rules->blocks[0]));
	if (rules->blocks == NULL)
		return -1;
	for (size_t i = 0; i < config->publisher_count; i++) {
		const struct config_publisher *block = &config->publishers[i];

		if (!names_peer(block, peer))
			continue;
		rules->blocks[rules->count++] = block;
		rules->admin |= block->admin;
	}
	return 0;
}

void
rules_finish(struct rules *rules)
{
	free(rules->blocks);
	*rules = (struct rules){.count = 0};
}

static bool
block_allows(const struct config_publisher *block, struct slice channel)
{
	for (size_t i = 0; i < block->channels.count; i++) {
		if (event_pattern_covers(
			slice_of_text(block->channels.items[i]), channel))
			return true;
	}
	return false;
}

bool
rules_allow_channel(const struct rules *rules, struct slice channel)
{
	if (rules->everything)
		return true;
	for (size_t i = 0; i < rules->count; i++) {
		if (block_allows(rules->blocks[i], channel))
			return true;
	}
	return false;
}

bool
rules_allow_resync(const struct rules *rules, struct slice channel)
{
	return rules->admin || rules_allow_channel(rules, channel);
}

bool
rules_allow_commands(const struct rules *rules)
{
	return rules->everything || rules->admin;
}
