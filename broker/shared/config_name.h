/*
 * config_name: finds sections and settings by name, and the name that may have
 * been meant when there is none. Only config*.c look here.
 */
#ifndef SSEMUX_SHARED_CONFIG_NAME_H
#define SSEMUX_SHARED_CONFIG_NAME_H

#include <stdbool.h>

#include "broker/shared/config_value.h"

bool config_name_is_section(struct slice section);

/* NULL when there is none. */
const struct config_setting *config_name_find(
    struct slice section, struct slice key);

/* The section whose name is nearly this; NULL when none is. */
const char *config_name_near_section(struct slice section);

/* The setting that may have been meant: one of this section with nearly this
 * key, else one of another section with just this key; NULL when none is. */
const struct config_setting *config_name_near(
    struct slice section, struct slice key);

#endif
