/*
 * Fuzzes the configuration: a file, or overrides, gives settings within their
 * bounds, or an error that can be printed.
 */
#include "broker/shared/coding.h"
#include "broker/shared/config.h"

#include <sys/mman.h>
#include <unistd.h>

#include "broker/shared/config_channel.h"
#include "broker/shared/config_value.h"
#include "tests/fuzz/fuzz.h"

enum { OVERRIDES_MAX = 8 };

static struct config config;
static char error[CONFIG_ERROR_SIZE];

static void
check_text(char *const *text, const struct config_setting *setting)
{
	must(strlen(*text) >= setting->min && strlen(*text) <= setting->max);
}

static void
check_list(const struct config_list *list, const struct config_setting *setting)
{
	must(list->count >= setting->min && list->count <= setting->max);
	for (size_t i = 0; i < list->count; i++)
		must(list->items[i][0] != '\0');
}

static void
check_number(const uint64_t *number, const struct config_setting *setting)
{
	must((*number >= setting->min && *number <= setting->max) ||
	     (*number == CONFIG_AUTO && strcmp(setting->preset, "auto") == 0));
}

static void
check_mode(const unsigned *mode, const struct config_setting *setting)
{
	must(*mode <= setting->max);
}

static void
check_switch(const bool *on, const struct config_setting *setting)
{
	(void)setting;
	must(*on == true || *on == false);
}

static void
check_codings(const unsigned *codings, const struct config_setting *setting)
{
	(void)setting;
	must(*codings < 1U << CODING_COUNT &&
	     (*codings & 1U << CODING_NONE) == 0);
}

static void
check_words(const void *member, const struct config_setting *setting)
{
	unsigned place, count = 0;

	memcpy(&place, member, sizeof(place));
	while (setting->type->words[count] != NULL)
		count++;
	must(place < count);
}

#define CHECK_COUNT check_number
#define CHECK_SIZE check_number
#define CHECK_TIME check_number
#define CHECK_TEXT check_text
#define CHECK_LIST check_list
#define CHECK_MODE check_mode
#define CHECK_SWITCH check_switch
#define CHECK_level check_words
#define CHECK_CODINGS check_codings
#define CHECK_durability check_words
#define CHECK_auth_mode check_words

static void
check_settings(void)
{
	const struct config_setting *setting = config_settings;

#define SETTING(section, key, type, preset, min, max, reload, sentence) \
	CHECK_##type(&config.section##_##key, setting++);
#include "broker/shared/config.def"
#undef SETTING
}

static void
check_stream(const struct config_stream *stream)
{
	must(stream->path.len > 0 && stream->path.bytes[0] == '/');
	must(stream->access != CONFIG_ACCESS_AUTO);
	must(stream->access != CONFIG_ACCESS_PUBLIC ||
	     stream->channels.count + stream->allow.count +
		     stream->default_channels.count >
		 0);
	must(stream->heartbeat_interval >= 1000 &&
	     stream->heartbeat_interval <= 250000);
	must(stream->greeting.kind != NOTICE_COMMENT);
	must(stream->live.kind != NOTICE_COMMENT);
	must(stream->poke_channel.count == 1);
	must(stream->shapes[stream->format] != CONFIG_SHAPE_NONE);
	for (int i = 0; i < SSE_FORMAT_COUNT; i++) {
		unsigned shape = stream->shapes[i];

		must(shape == CONFIG_SHAPE_NONE ||
		     (shape < config.shape_count &&
			 config.shapes[shape].format == (enum sse_format)i));
	}
}

/* No two blocks are the same one. */
static void
check_blocks(void)
{
	must(config.shape_count <= CONFIG_SHAPES_MAX);
	must(config.stream_count >= 1);
	must(config.stream_count <= CONFIG_STREAMS_MAX);
	must(config.publisher_count <= CONFIG_PUBLISHERS_MAX);
	for (size_t i = 0; i < config.stream_count; i++) {
		check_stream(&config.streams[i]);
		for (size_t j = 0; j < i; j++)
			must(!slice_equal(
			    config.streams[i].path, config.streams[j].path));
	}
	for (size_t i = 0; i < config.publisher_count; i++) {
		const struct config_publisher *one = &config.publishers[i];

		for (size_t j = 0; j < i; j++)
			must(one->kind != config.publishers[j].kind ||
			     one->id != config.publishers[j].id);
	}
}

/* A block is found by its name, and no two have the same. */
static void
check_channels(void)
{
	must(config.channel_count <= CONFIG_CHANNELS_MAX);
	for (size_t i = 0; i < config.channel_count; i++) {
		const struct config_channel *channel = &config.channels[i];

		must(channel->keep <= CONFIG_KEEP_LATEST);
		must(channel->max_age >= 1000);
		must(channel->max_events >= 1);
		must(channel->max_bytes >= 1024);
		must(config_channel_find(&config, channel->pattern) == channel);
	}
}

static void
load(const char *path, const char *const *overrides, size_t count)
{
	memset(error, 'x', sizeof(error));
	if (config_load(&config, path, overrides, count, error) == 0) {
		check_settings();
		check_blocks();
		check_channels();
		config_finish(&config);
		return;
	}
	must(memchr(error, '\0', sizeof(error)) != NULL);
	must(error[0] != '\0');
	for (const char *at = error; *at != '\0'; at++)
		must((unsigned char)*at >= ' ' && *at != 0x7F);
}

static void
load_file(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char path[32];

	if (fd < 0)
		fd = memfd_create("config", MFD_CLOEXEC);
	must(fd >= 0 && ftruncate(fd, 0) == 0);
	must(pwrite(fd, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	load(path, NULL, 0);
}

/* The overrides stand one after the other, each with a NUL at its end. */
static void
load_overrides(const uint8_t *data, size_t size)
{
	const char *overrides[OVERRIDES_MAX];
	char *text = malloc(size + 1);
	size_t count = 0;

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t at = 0; at < size && count < OVERRIDES_MAX; count++) {
		overrides[count] = text + at;
		at += strlen(text + at) + 1;
	}
	load(NULL, overrides, count);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == '-')
		load_overrides(data + 1, size - 1);
	else
		load_file(data, size);
	return 0;
}
