/*
 * config_value: the types of settings; what each takes, and says it takes.
 * Only config*.c look here.
 *
 * A type is a row of functions. A new enum needs its words and one line in
 * config_rows.c, besides its C type in config.h.
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
	/* Says more exactly what was expected in place of this text; "": what
	 * describe() says. NULL: nothing is more exact. */
	void (*explain)(const struct config_setting *setting, struct slice text,
	    char expected[CONFIG_EXPECTED_SIZE]);
};

/* --- the types, by the names that the rows have for them --- */

extern const struct config_type config_type_COUNT;
extern const struct config_type config_type_SIZE;
extern const struct config_type config_type_TIME;
extern const struct config_type config_type_TEXT;
extern const struct config_type config_type_LIST;
extern const struct config_type config_type_SWITCH;
extern const struct config_type config_type_MODE;
extern const struct config_type config_type_CODINGS;

/* Those of config_stream_value.c. */
extern const struct config_type config_type_TEMPLATES;
extern const struct config_type config_type_PATTERNS;
extern const struct config_type config_type_TYPES;
extern const struct config_type config_type_ENVELOPE;
extern const struct config_type config_type_PATH;
extern const struct config_type config_type_PARAMETER;
extern const struct config_type config_type_GREETING;
extern const struct config_type config_type_LIVE;
extern const struct config_type config_type_HEARTBEAT;

/* --- for making types of --- */

int config_value_read_text(
    const struct config_setting *setting, struct slice text, void *member);
void config_value_finish_text(void *member);
int config_value_read_list(
    const struct config_setting *setting, struct slice text, void *member);
void config_value_finish_list(void *member);
void config_value_describe_list(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE]);
int config_value_read_word(
    const struct config_setting *setting, struct slice text, void *member);
void config_value_describe_words(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE]);

/* What was expected, if this is no path that a block may have; else NULL. */
const char *config_value_path_fault(struct slice path);

enum config_reload { CONFIG_RELOAD_NO, CONFIG_RELOAD_YES };

/* One row of a .def file. */
struct config_setting {
	const char *section; /* of a block: its form, "stream PATH" */
	const char *key;
	const struct config_type *type;
	const char *preset;
	uint64_t min;
	uint64_t max;
	enum config_reload reload;
	const char *sentence;
	size_t offset; /* of the member in struct config, or the block's */
	size_t given_offset; /* of its _given; not in a block */
};

/* Frees what the row's member of the struct at base holds. */
void config_value_finish(void *base, const struct config_setting *setting);

enum {
#define SETTING(section, key, ...) CONFIG_INDEX_##section##_##key,
#include "broker/shared/config.def"
#undef SETTING
	CONFIG_SETTING_COUNT
};

enum {
#define SETTING(key, member, ...) CONFIG_STREAM_INDEX_##member,
#include "broker/shared/config_stream.def"
#undef SETTING
	CONFIG_STREAM_SETTING_COUNT
};

enum {
#define SETTING(key, member, ...) CONFIG_PUBLISHER_INDEX_##member,
#include "broker/shared/config_publisher.def"
#undef SETTING
	CONFIG_PUBLISHER_SETTING_COUNT
};

enum {
#define SETTING(key, member, ...) CONFIG_CHANNEL_INDEX_##member,
#include "broker/shared/config_channel.def"
#undef SETTING
	CONFIG_CHANNEL_SETTING_COUNT
};

extern const struct config_setting config_settings[CONFIG_SETTING_COUNT];
extern const struct config_setting
    config_stream_settings[CONFIG_STREAM_SETTING_COUNT];
extern const struct config_setting
    config_publisher_settings[CONFIG_PUBLISHER_SETTING_COUNT];
extern const struct config_setting
    config_channel_settings[CONFIG_CHANNEL_SETTING_COUNT];

#endif
