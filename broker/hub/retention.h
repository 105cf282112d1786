/*
 * retention: what the [channel PATTERN] blocks say of one channel. Pure.
 */
#ifndef SSEMUX_HUB_RETENTION_H
#define SSEMUX_HUB_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/shared/config.h"

/* Nothing is ever due then. */
#define RETENTION_NEVER UINT64_MAX

/* What is kept of a channel. */
struct retention {
	enum config_keep keep;
	bool exempt; /* bounded by itself, whatever other channels do */
	uint64_t max_age_ms;
	uint64_t max_events;
	uint64_t max_bytes;
};

/* The rules of a channel. False: it has none of its own, and is kept as the
 * section history says. */
bool retention_find(struct retention *retention, const struct config *config,
    struct slice channel);

/* Is an event past these rules that was accepted then, when the channel has so
 * many events and bytes, this one included? */
bool retention_over(const struct retention *retention, uint64_t accepted_ms,
    uint64_t now_ms, uint64_t events, uint64_t bytes);

/* When a channel must be looked at whose oldest event is from then: 0 is at
 * once. events is not 0. */
uint64_t retention_due(const struct retention *retention, uint64_t oldest_ms,
    uint64_t events, uint64_t bytes);

/* A number that changes with the rules; 0: there are none. */
uint64_t retention_fingerprint(const struct config *config);

#endif
