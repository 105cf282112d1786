/*
 * rules: what a publisher may do, by who runs it; from the configuration's
 * [publisher user NAME] and [publisher group NAME] blocks.
 *
 * A peer may publish to the channels of all blocks that name its user or one of
 * its groups, and is an administrator when one of them says so. Whom no block
 * names may do nothing. Without any block, whoever can open the socket may do
 * everything; root may always. Pure.
 */
#ifndef SSEMUX_HUB_RULES_H
#define SSEMUX_HUB_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "protocol/slice.h"

struct config;
struct config_publisher;

/* Who is at the other end; as it was when it connected. */
struct rules_peer {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary ones */
	size_t group_count;
};

/* What one peer may do. */
struct rules {
	bool everything;
	bool admin;
	const struct config_publisher **blocks; /* those that name it */
	size_t count;
};

/* For who needs no rule: a worker, whose clients have rules of their own. */
void rules_init_all(struct rules *rules);

/* For a peer; the configuration must outlive the rules. 0 or -1: no memory. */
int rules_init(struct rules *rules, const struct config *config,
    const struct rules_peer *peer);
void rules_finish(struct rules *rules);

/* May it publish on this channel; and send a resync there, as administrators
 * may everywhere? */
bool rules_allow_channel(const struct rules *rules, struct slice channel);
bool rules_allow_resync(const struct rules *rules, struct slice channel);

/* May it withdraw channels from users? */
bool rules_allow_commands(const struct rules *rules);

#endif
