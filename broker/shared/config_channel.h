/*
 * config_channel: the [channel PATTERN] block that a channel has.
 */
#ifndef SSEMUX_SHARED_CONFIG_CHANNEL_H
#define SSEMUX_SHARED_CONFIG_CHANNEL_H

#include "broker/shared/config.h"

struct config_loader;

/*
 * The block of a channel: the one of its name, else that of the longest prefix
 * that covers it, else that of "*". NULL: it has none. It stays the
 * configuration's.
 */
const struct config_channel *config_channel_find(
    const struct config *config, struct slice channel);

/* May there be channels under this valid pattern that keep the latest event of
 * each key? */
bool config_channel_latest(const struct config *config, struct slice pattern);

/* Orders the blocks, so that one is found, and refuses contradictions. For
 * config_settle.c. 0; or -1, and the error is written. */
int config_channel_settle(struct config_loader *loader);

#endif
