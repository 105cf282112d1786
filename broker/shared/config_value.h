/*
 * config_value: the types of settings; what each takes, and says it takes.
 * Only config*.c look here.
 *
 * A type is a row of functions. A new enum needs its words and one line in
 * config_value.c, besides its C type in config.h.
 */
#ifndef SSEMUX_SHARED_CONFIG_VALUE_H
#define SSEMUX_SHARED_CONFIG_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "broker/shared/config.h"
#include "protocol/slice.h"

enum { CONFIG_EXPECTED_SIZE = 160 };

struct config_setting;

struct config_type {
	/* Reads text into the member, which holds nothing to be freed.
	 * 0; or -1 with errno EINVAL or ENOMEM, and nothing is kept. */
	int (*read)(const struct config_setting *setting, struct slice text,
	    void *member);
	/* Says what read() takes: "a whole number from 1 to 64". */
	void (*describe)(const struct config_setting *setting,
	    char expected[CONFIG_EXPECTED_SIZE]);
	void (*finish)(void *member); /* NULL: nothing to free */
	const char *const *words;     /* of an enum, with a NULL at the end */
};

enum config_reload { CONFIG_RELOAD_NO, CONFIG_RELOAD_YES };

/* One row of config.def. */
struct config_setting {
	const char *section;
	const char *key;
	const struct config_type *type;
	const char *preset;
	uint64_t min;
	uint64_t max;
	enum config_reload reload;
	const char *sentence;
	size_t offset;       /* of the member in struct config */
	size_t given_offset; /* of its _given */
};

enum {
#define SETTING(section, key, ...) CONFIG_INDEX_##section##_##key,
#include "broker/shared/config.def"
#undef SETTING
	CONFIG_SETTING_COUNT
};

extern const struct config_setting config_settings[CONFIG_SETTING_COUNT];

#endif
