/*
 * config: the settings, from a file and from -o; see config.def for the rows
 * and ssemuxd.conf(5) for the format.
 *
 * INI: "[section]", "key = value", "#" or ";" at the start of a line for a
 * comment. Leading white space means nothing; a line never continues the one
 * before. An unknown section or key, a bad value and a duplicate are errors
 * that name file, line, key and what was expected.
 *
 * A block is a section of which there may be several, each with a name of its
 * own: "[stream /events]".
 */
#ifndef SSEMUX_SHARED_CONFIG_H
#define SSEMUX_SHARED_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "broker/shared/notice.h"
#include "broker/shared/sse_shape.h"
#include "protocol/slice.h"

/* The word "auto" as a COUNT or TIME. */
#define CONFIG_AUTO UINT64_MAX

enum {
	CONFIG_LIST_MAX = 64,
	CONFIG_ERROR_SIZE = 512,
	CONFIG_STREAMS_MAX = 64,
	CONFIG_PUBLISHERS_MAX = 1024,
	CONFIG_CHANNELS_MAX = 1024,
	CONFIG_SHAPES_MAX = 32,
};

struct config_list {
	char *items[CONFIG_LIST_MAX];
	size_t count;
};

enum config_level { CONFIG_LEVEL_DEBUG, CONFIG_LEVEL_INFO, CONFIG_LEVEL_WARN };
enum config_durability { CONFIG_DURABILITY_COMMIT, CONFIG_DURABILITY_FSYNC };
enum config_auth_mode { CONFIG_AUTH_MODE_NONE, CONFIG_AUTH_MODE_JWT };
enum config_access {
	CONFIG_ACCESS_AUTO, /* not any more once it is loaded */
	CONFIG_ACCESS_PUBLIC,
	CONFIG_ACCESS_OPTIONAL,
	CONFIG_ACCESS_AUTHENTICATED,
};
enum config_name_events {
	CONFIG_NAME_EVENTS_AUTO,
	CONFIG_NAME_EVENTS_ON,
	CONFIG_NAME_EVENTS_OFF,
};
enum config_start { CONFIG_START_NOW, CONFIG_START_OLDEST };
enum config_keep { CONFIG_KEEP_ALL, CONFIG_KEEP_NONE, CONFIG_KEEP_LATEST };

#define CONFIG_TYPE_COUNT uint64_t
#define CONFIG_TYPE_SIZE uint64_t
#define CONFIG_TYPE_TIME uint64_t
#define CONFIG_TYPE_TEXT char *
#define CONFIG_TYPE_LIST struct config_list
#define CONFIG_TYPE_SWITCH bool
#define CONFIG_TYPE_MODE unsigned
#define CONFIG_TYPE_CODINGS unsigned /* bits 1 << coding, see coding.h */
#define CONFIG_TYPE_level enum config_level
#define CONFIG_TYPE_durability enum config_durability
#define CONFIG_TYPE_auth_mode enum config_auth_mode
#define CONFIG_TYPE_TEMPLATES struct config_list
#define CONFIG_TYPE_PATTERNS struct config_list
#define CONFIG_TYPE_TYPES struct config_list
#define CONFIG_TYPE_ENVELOPE struct config_list
#define CONFIG_TYPE_PATH char *
#define CONFIG_TYPE_PARAMETER char *
#define CONFIG_TYPE_GREETING struct notice
#define CONFIG_TYPE_LIVE struct notice
#define CONFIG_TYPE_HEARTBEAT struct notice
#define CONFIG_TYPE_access enum config_access
#define CONFIG_TYPE_format enum sse_format
#define CONFIG_TYPE_name_events enum config_name_events
#define CONFIG_TYPE_start enum config_start
#define CONFIG_TYPE_keep enum config_keep

/* What every block has. */
struct config_block {
	char *name;      /* behind the word: "/events", "user www-data" */
	unsigned line;   /* where it begins; 0: made by -o, or by itself */
	unsigned *lines; /* where each key was given; 0: it was not */
};

/* [stream PATH]; the keys are in config_stream.def. */
struct config_stream {
	struct config_block block;
	struct slice path; /* the block's name */
	/* By format: the number of its shape in config->shapes, or
	 * CONFIG_SHAPE_NONE when the stream does not have that format. */
	unsigned shapes[SSE_FORMAT_COUNT];
#define SETTING(key, member, type, ...) CONFIG_TYPE_##type member;
#include "broker/shared/config_stream.def"
#undef SETTING
};

#define CONFIG_SHAPE_NONE UINT_MAX

enum config_publisher_kind { CONFIG_PUBLISHER_USER, CONFIG_PUBLISHER_GROUP };

/* [publisher user NAME|UID] and [publisher group NAME|GID]; the keys are in
 * config_publisher.def. */
struct config_publisher {
	struct config_block block;
	enum config_publisher_kind kind;
	uint32_t id; /* uid or gid */
#define SETTING(key, member, type, ...) CONFIG_TYPE_##type member;
#include "broker/shared/config_publisher.def"
#undef SETTING
};

/* [channel PATTERN]; the keys are in config_channel.def. CONFIG_AUTO: what the
 * section history says. Which one a channel has: see config_channel.h. */
struct config_channel {
	struct config_block block;
	struct slice pattern; /* the block's name */
#define SETTING(key, member, type, ...) CONFIG_TYPE_##type member;
#include "broker/shared/config_channel.def"
#undef SETTING
};

struct config {
#define SETTING(section, key, type, preset, min, max, reload, sentence) \
	CONFIG_TYPE_##type section##_##key; \
	bool section##_##key##_given; /* in the file or by -o */
#include "broker/shared/config.def"
#undef SETTING

	/* In the order of the file; /stream, when no block names it, is last.
	 * No two have the same path, kind and id, or pattern. */
	struct config_stream *streams;
	size_t stream_count;
	struct config_publisher *publishers;
	size_t publisher_count;
	struct config_channel *channels; /* in the order of their patterns */
	size_t channel_count;
	bool channels_conflate; /* some of them do */
	bool channels_secret;   /* some of them are */

	/* Every way in which a stream may write events, each once; 0 is
	 * sse_tagged and 1 is sse_raw. */
	struct sse_shape *shapes;
	size_t shape_count;
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
