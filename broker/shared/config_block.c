/* config_block: kinds of blocks, and finding and making one. See
 * config_block.h. */
#include "broker/shared/config_block.h"

#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/event.h"

static int
read_stream_name(
    void *block, struct slice name, char expected[CONFIG_EXPECTED_SIZE])
{
	struct config_stream *stream = block;
	const char *why = config_value_path_fault(name);

	if (why != NULL) {
		snprintf(expected, CONFIG_EXPECTED_SIZE, "%s", why);
		return -1;
	}
	stream->path = slice_of_text(stream->block.name);
	return 0;
}

static bool
same_stream(const void *a, const void *b)
{
	return slice_equal(((const struct config_stream *)a)->path,
	    ((const struct config_stream *)b)->path);
}

/* "user NAME" or "group NAME" to the kind and the name. */
static bool
split_publisher_name(struct slice *name, enum config_publisher_kind *kind)
{
	static const char *const words[] = {
	    [CONFIG_PUBLISHER_USER] = "user",
	    [CONFIG_PUBLISHER_GROUP] = "group",
	};

	for (int i = CONFIG_PUBLISHER_USER; i <= CONFIG_PUBLISHER_GROUP; i++) {
		struct slice word = slice_of_text(words[i]);

		if (!slice_starts_with(*name, word) || name->len == word.len ||
		    memchr(" \t", name->bytes[word.len], 2) == NULL)
			continue;
		*name = slice_trim(
		    slice_of(name->bytes + word.len, name->len - word.len));
		*kind = (enum config_publisher_kind)i;
		return true;
	}
	return false;
}

/* A number; -1 is no user's and no group's. */
static bool
read_id(const char *name, uint32_t *id)
{
	unsigned long long number;
	char *end;

	if (name[strspn(name, "0123456789")] != '\0' || strlen(name) > 10)
		return false;
	number = strtoull(name, &end, 10);
	*id = (uint32_t)number;
	return *end == '\0' && number < UINT32_MAX;
}

static bool
find_id(const char *name, enum config_publisher_kind kind, uint32_t *id)
{
	const struct passwd *user =
	    kind == CONFIG_PUBLISHER_USER ? getpwnam(name) : NULL;
	const struct group *group =
	    kind == CONFIG_PUBLISHER_GROUP ? getgrnam(name) : NULL;

	if (user != NULL)
		*id = user->pw_uid;
	if (group != NULL)
		*id = group->gr_gid;
	return user != NULL || group != NULL || read_id(name, id);
}

static int
read_publisher_name(
    void *block, struct slice name, char expected[CONFIG_EXPECTED_SIZE])
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._-$";
	struct config_publisher *publisher = block;
	char text[33];

	if (!split_publisher_name(&name, &publisher->kind)) {
		snprintf(expected, CONFIG_EXPECTED_SIZE,
		    "[publisher user NAME] or [publisher group NAME]");
		return -1;
	}
	if (name.len < sizeof(text)) {
		memcpy(text, name.bytes, name.len);
		text[name.len] = '\0';
		if (strspn(text, letters) == name.len &&
		    find_id(text, publisher->kind, &publisher->id))
			return 0;
	}
	snprintf(expected, CONFIG_EXPECTED_SIZE,
	    "a %s of this machine, or its number",
	    publisher->kind == CONFIG_PUBLISHER_USER ? "user" : "group");
	return -1;
}

static bool
same_publisher(const void *a, const void *b)
{
	const struct config_publisher *one = a, *other = b;

	return one->kind == other->kind && one->id == other->id;
}

static int
read_channel_name(
    void *block, struct slice name, char expected[CONFIG_EXPECTED_SIZE])
{
	struct config_channel *channel = block;

	if (!event_pattern_valid(name)) {
		snprintf(expected, CONFIG_EXPECTED_SIZE,
		    "a channel, a prefix that ends in :*, or *");
		return -1;
	}
	channel->pattern = slice_of_text(channel->block.name);
	return 0;
}

static bool
same_channel(const void *a, const void *b)
{
	return slice_equal(((const struct config_channel *)a)->pattern,
	    ((const struct config_channel *)b)->pattern);
}

#define KIND(word, form, name, plural, limit) \
	{ \
		word, form, config_##name##_settings, \
		    sizeof(config_##name##_settings) / \
			sizeof(config_##name##_settings[0]), \
		    sizeof(struct config_##name), \
		    offsetof(struct config, plural), \
		    offsetof(struct config, name##_count), limit, \
		    read_##name##_name, same_##name \
	}

const struct config_block_kind config_block_kinds[CONFIG_BLOCK_KIND_COUNT] = {
    [CONFIG_BLOCK_STREAM] =
	KIND("stream", "stream PATH", stream, streams, CONFIG_STREAMS_MAX),
    [CONFIG_BLOCK_PUBLISHER] = KIND("publisher", "publisher user|group NAME",
	publisher, publishers, CONFIG_PUBLISHERS_MAX),
    [CONFIG_BLOCK_CHANNEL] = KIND(
	"channel", "channel PATTERN", channel, channels, CONFIG_CHANNELS_MAX),
};

const struct config_block_kind *
config_block_kind_of(struct slice section, struct slice *name)
{
	for (size_t i = 0; i < CONFIG_BLOCK_KIND_COUNT; i++) {
		struct slice word = slice_of_text(config_block_kinds[i].word);
		struct slice rest;

		if (!slice_starts_with(section, word))
			continue;
		rest =
		    slice_of(section.bytes + word.len, section.len - word.len);
		if (rest.len > 0 && *rest.bytes != ' ' && *rest.bytes != '\t')
			continue;
		*name = slice_trim(rest);
		return &config_block_kinds[i];
	}
	return NULL;
}

static void *
list_of(const struct config *config, const struct config_block_kind *kind)
{
	void *list;

	memcpy(&list, (const char *)config + kind->list_offset, sizeof(list));
	return list;
}

static void
set_list(
    struct config *config, const struct config_block_kind *kind, void *list)
{
	memcpy((char *)config + kind->list_offset, &list, sizeof(list));
}

size_t
config_block_count(
    const struct config *config, const struct config_block_kind *kind)
{
	size_t count;

	memcpy(
	    &count, (const char *)config + kind->count_offset, sizeof(count));
	return count;
}

static void
set_count(
    struct config *config, const struct config_block_kind *kind, size_t count)
{
	memcpy((char *)config + kind->count_offset, &count, sizeof(count));
}

void *
config_block_at(const struct config *config,
    const struct config_block_kind *kind, size_t index)
{
	return (char *)list_of(config, kind) + index * kind->size;
}

static void
finish_block(const struct config_block_kind *kind, struct config_block *block)
{
	for (size_t i = 0; i < kind->setting_count; i++)
		config_value_finish(block, &kind->settings[i]);
	free(block->name);
	free(block->lines);
}

void
config_block_finish_all(struct config *config)
{
	for (size_t i = 0; i < CONFIG_BLOCK_KIND_COUNT; i++) {
		const struct config_block_kind *kind = &config_block_kinds[i];

		for (size_t j = config_block_count(config, kind); j > 0; j--)
			finish_block(
			    kind, config_block_at(config, kind, j - 1));
		free(list_of(config, kind));
		set_list(config, kind, NULL);
		set_count(config, kind, 0);
	}
}

/* Makes room for one more and gives it the presets; NULL: no memory. */
static struct config_block *
append_block(struct config *config, const struct config_block_kind *kind,
    struct slice name)
{
	size_t count = config_block_count(config, kind);
	char *list = realloc(list_of(config, kind), (count + 1) * kind->size);
	struct config_block *block;

	if (list == NULL)
		return NULL;
	set_list(config, kind, list);
	block = (struct config_block *)(void *)(list + count * kind->size);
	memset(block, 0, kind->size);
	block->name = strndup(name.bytes, name.len);
	block->lines = calloc(kind->setting_count, sizeof(block->lines[0]));
	set_count(config, kind, count + 1);
	if (block->name == NULL || block->lines == NULL)
		return NULL;
	for (size_t i = 0; i < kind->setting_count; i++) {
		const struct config_setting *row = &kind->settings[i];

		if (row->type->read(row, slice_of_text(row->preset),
			(char *)block + row->offset) == -1)
			return NULL;
	}
	return block;
}

static void
drop_last(struct config *config, const struct config_block_kind *kind)
{
	size_t last = config_block_count(config, kind) - 1;

	finish_block(kind, config_block_at(config, kind, last));
	set_count(config, kind, last);
}

/* The block before the last one that has the same name; NULL: none has. */
static struct config_block *
find_earlier(const struct config *config, const struct config_block_kind *kind)
{
	size_t last = config_block_count(config, kind) - 1;

	for (size_t i = 0; i < last; i++) {
		struct config_block *block = config_block_at(config, kind, i);

		if (kind->same(block, config_block_at(config, kind, last)))
			return block;
	}
	return NULL;
}

int
config_block_enter(struct config_loader *loader,
    const struct config_block_kind *kind, struct slice name)
{
	struct config *config = loader->config;
	char expected[CONFIG_EXPECTED_SIZE];
	struct config_block *block, *earlier;

	if (name.len == 0)
		return config_fail(loader,
		    "got section \"%s\", expected "
		    "[%s]",
		    kind->word, kind->form);
	block = append_block(config, kind, name);
	if (block == NULL)
		return config_fail(loader, "no memory");
	if (kind->read_name(block, name, expected) == -1)
		return config_fail(loader, "got section \"%.*s\", expected %s",
		    config_shown(loader->section), loader->section.bytes,
		    expected);
	earlier = find_earlier(config, kind);
	if (earlier == NULL && config_block_count(config, kind) > kind->max)
		return config_fail(
		    loader, "expected %zu [%s] at most", kind->max, kind->form);
	if (earlier != NULL && loader->override == NULL)
		return config_fail(loader, "got [%.*s] again, first in line %u",
		    config_shown(loader->section), loader->section.bytes,
		    earlier->line);
	block->line =
	    loader->override != NULL ? CONFIG_LINE_OVERRIDE : loader->line;
	if (earlier != NULL)
		drop_last(config, kind);
	loader->kind = kind;
	loader->block = earlier != NULL ? earlier : block;
	return 0;
}

/* Lets a fault be told of a key: of the line that gave it, or of the block's
 * first. */
static void
blame(struct config_loader *loader, const struct config_block_kind *kind,
    const struct config_block *block, size_t index,
    char section[CONFIG_SHOWN_MAX])
{
	unsigned line = block->lines[index];

	snprintf(section, CONFIG_SHOWN_MAX, "%s %s", kind->word, block->name);
	loader->override = NULL;
	loader->line = line != 0 ? line : block->line;
	loader->section = slice_of_text(section);
	loader->key = slice_of_text(kind->settings[index].key);
}

int
config_block_fail(struct config_loader *loader,
    const struct config_block_kind *kind, const struct config_block *block,
    size_t index, const char *format, ...)
{
	char section[CONFIG_SHOWN_MAX], text[CONFIG_ERROR_SIZE];
	va_list args;

	blame(loader, kind, block, index, section);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return config_fail(loader, "%s", text);
}
