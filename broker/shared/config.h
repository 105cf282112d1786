/*
 * config: the settings, from a file and from -o; see config.def for the rows
 * and ssemuxd.conf(5) for the format.
 *
 * INI: "[section]", "key = value", "#" or ";" at the start of a line for a
 * comment. Leading white space means nothing; a line never continues the one
 * before. An unknown section or key, a bad value and a duplicate are errors
 * that name file, line, key and what was expected.
 */
#ifndef SSEMUX_SHARED_CONFIG_H
#define SSEMUX_SHARED_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The word "auto" as a COUNT. */
#define CONFIG_AUTO UINT64_MAX

enum { CONFIG_LIST_MAX = 16, CONFIG_ERROR_SIZE = 512 };

struct config_list {
	char *items[CONFIG_LIST_MAX];
	size_t count;
};

enum config_level { CONFIG_LEVEL_DEBUG, CONFIG_LEVEL_INFO, CONFIG_LEVEL_WARN };
enum config_durability { CONFIG_DURABILITY_COMMIT, CONFIG_DURABILITY_FSYNC };
enum config_auth_mode { CONFIG_AUTH_MODE_NONE };

#define CONFIG_TYPE_COUNT uint64_t
#define CONFIG_TYPE_SIZE uint64_t
#define CONFIG_TYPE_TIME uint64_t
#define CONFIG_TYPE_TEXT char *
#define CONFIG_TYPE_LIST struct config_list
#define CONFIG_TYPE_SWITCH bool
#define CONFIG_TYPE_MODE unsigned
#define CONFIG_TYPE_level enum config_level
#define CONFIG_TYPE_durability enum config_durability
#define CONFIG_TYPE_auth_mode enum config_auth_mode

struct config {
#define SETTING(section, key, type, preset, min, max, reload, sentence) \
	CONFIG_TYPE_##type section##_##key; \
	bool section##_##key##_given; /* in the file or by -o */
#include "broker/shared/config.def"
#undef SETTING
};

/*
 * Fills *config with the defaults, then the file (NULL: none), then each
 * "section.key=value" of overrides, in order; an override replaces what the
 * file says. 0; or -1 with a message in error, and *config needs no finish.
 */
int config_load(struct config *config, const char *path,
    const char *const *overrides, size_t override_count,
    char error[CONFIG_ERROR_SIZE]);

/* Frees what config_load() made. */
void config_finish(struct config *config);

/* Prints every setting with its default and sentence, for `ssemuxd -h`. */
void config_print_settings(FILE *out);

#endif
