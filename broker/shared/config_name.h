/*
 * config_name: finds sections and settings by name, and the name that may have
 * been meant when there is none. Only config*.c look here.
 */
#ifndef SSEMUX_SHARED_CONFIG_NAME_H
#define SSEMUX_SHARED_CONFIG_NAME_H

#include <stdbool.h>

#include "broker/shared/config_block.h"

bool config_name_is_section(struct slice section);

/* The setting of config.def; NULL when there is none. */
const struct config_setting *config_name_find(
    struct slice section, struct slice key);

/* The key of a kind of block; NULL when there is none. */
const struct config_setting *config_name_find_in_block(
    const struct config_block_kind *kind, struct slice key);

/* The section whose name is nearly this, or the form of the block that begins
 * nearly so; NULL when none is. */
const char *config_name_near_section(struct slice section);

/*
 * The setting that may have been meant: one of this section (kind NULL) or of
 * this kind of block with nearly this key, else any other with just this key;
 * NULL when none is.
 */
const struct config_setting *config_name_near(
    const struct config_block_kind *kind, struct slice section,
    struct slice key);

#endif
