/*
 * identity: under whose name a connection publishes, and how far that one's
 * numbers have come.
 *
 * A connection of the publisher socket has one, from its hello on. A worker's
 * link has one of its own, and at times that of a guest (see MESSAGE_AS).
 */
#ifndef SSEMUX_HUB_IDENTITY_H
#define SSEMUX_HUB_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/hub/store_write.h"
#include "protocol/message.h"

struct identity {
	char name[MESSAGE_PUBLISHER_MAX];
	size_t name_len; /* 0: nobody */
	struct store_publisher known;
	uint64_t stored_before; /* newest number stored when it was looked up */
	uint64_t offered;       /* newest number offered since it began */
};

/* Begins as that one, of whom the store knows so much; the name is valid. */
void identity_begin(struct identity *identity, struct slice name,
    const struct store_publisher *known);

struct slice identity_name(const struct identity *identity);

/* Notes the number of an event; false when that is not above the last. */
bool identity_offer(struct identity *identity, uint64_t seq);

#endif
