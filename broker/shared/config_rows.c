/*
 * config_rows: the rows of the .def files as tables, and the words of the
 * enums. See config_value.h.
 */
#include "broker/shared/config_value.h"

/* An enum of config.h and its words, in the order of its values. */
#define ENUM_TYPE(name, ...) \
	static const char *const words_##name[] = {__VA_ARGS__, NULL}; \
	static const struct config_type config_type_##name = { \
	    config_value_read_word, config_value_describe_words, NULL, \
	    words_##name, NULL}; \
	_Static_assert(sizeof(CONFIG_TYPE_##name) == sizeof(unsigned), \
	    "config_value_read_word() writes an unsigned")

ENUM_TYPE(level, "debug", "info", "warn");
ENUM_TYPE(durability, "commit", "fsync");
ENUM_TYPE(auth_mode, "none", "jwt");
ENUM_TYPE(access, "auto", "public", "optional", "authenticated");
ENUM_TYPE(format, "tagged", "raw", "envelope");
ENUM_TYPE(name_events, "auto", "on", "off");
ENUM_TYPE(start, "now", "oldest");
ENUM_TYPE(keep, "all", "none", "latest");

const struct config_setting config_settings[CONFIG_SETTING_COUNT] = {
#define SETTING(section, key, type, preset, min, max, reload, sentence) \
	{#section, #key, &config_type_##type, preset, min, max, \
	    CONFIG_RELOAD_##reload, sentence, \
	    offsetof(struct config, section##_##key), \
	    offsetof(struct config, section##_##key##_given)},
#include "broker/shared/config.def"
#undef SETTING
};

#define BLOCK_ROW( \
    form, name, key, member, type, preset, min, max, reload, sentence) \
	{form, key, &config_type_##type, preset, min, max, \
	    CONFIG_RELOAD_##reload, sentence, \
	    offsetof(struct config_##name, member), SIZE_MAX},

const struct config_setting
    config_stream_settings[CONFIG_STREAM_SETTING_COUNT] = {
#define SETTING(...) BLOCK_ROW("stream PATH", stream, __VA_ARGS__)
#include "broker/shared/config_stream.def"
#undef SETTING
};

const struct config_setting
    config_publisher_settings[CONFIG_PUBLISHER_SETTING_COUNT] = {
#define SETTING(...) \
	BLOCK_ROW("publisher user|group NAME", publisher, __VA_ARGS__)
#include "broker/shared/config_publisher.def"
#undef SETTING
};

const struct config_setting
    config_channel_settings[CONFIG_CHANNEL_SETTING_COUNT] = {
#define SETTING(...) BLOCK_ROW("channel PATTERN", channel, __VA_ARGS__)
#include "broker/shared/config_channel.def"
#undef SETTING
};
