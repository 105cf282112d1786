/*
 * config: settings from a file and from the command line. See config.h.
 *
 * The file is read whole, then line by line. The first fault ends it. Nothing
 * is guessed: a line that other readers of INI files would continue, cut short
 * or take for a comment is either read literally or refused.
 */
#include "broker/shared/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/shared/config_block.h"
#include "broker/shared/config_loader.h"
#include "broker/shared/config_name.h"
#include "broker/shared/config_value.h"

enum {
	FILE_SIZE_MAX = 1 << 20, /* bytes */
	LINE_LEN_MAX = 8192,     /* bytes */
};

/* What was expected in place of the text. */
static void
describe(const struct config_setting *setting, struct slice text,
    char expected[CONFIG_EXPECTED_SIZE])
{
	expected[0] = '\0';
	if (setting->type->explain != NULL)
		setting->type->explain(setting, text, expected);
	if (expected[0] == '\0')
		setting->type->describe(setting, expected);
}

/* Gives the row's member of the struct at base the value. */
static int
set_value(struct config_loader *loader, void *base,
    const struct config_setting *setting, struct slice text)
{
	char expected[CONFIG_EXPECTED_SIZE];

	config_value_finish(base, setting);
	if (setting->type->read(
		setting, text, (char *)base + setting->offset) == 0)
		return 0;
	if (errno == ENOMEM)
		return config_fail(loader, "no memory");
	describe(setting, text, expected);
	return config_fail(loader, "got \"%.*s\"%s, expected %s",
	    config_shown(text), text.bytes,
	    text.len > CONFIG_SHOWN_MAX ? "..." : "", expected);
}

static int
set_presets(struct config_loader *loader)
{
	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		const struct config_setting *setting = &config_settings[i];

		if (set_value(loader, loader->config, setting,
			slice_of_text(setting->preset)) < 0)
			return -1;
	}
	return 0;
}

static int
fail_unknown_section(struct config_loader *loader, struct slice section)
{
	const char *near = config_name_near_section(section);

	if (near == NULL)
		return config_fail(loader,
		    "got section \"%.*s\", expected one of "
		    "those in ssemuxd.conf(5)",
		    config_shown(section), section.bytes);
	return config_fail(loader,
	    "got section \"%.*s\", expected perhaps \"%s\"",
	    config_shown(section), section.bytes, near);
}

static int
fail_unknown_key(struct config_loader *loader)
{
	const struct config_setting *near =
	    config_name_near(loader->kind, loader->section, loader->key);

	if (near == NULL)
		return config_fail(loader, "there is no such setting");
	return config_fail(loader,
	    "there is no such setting, did you mean [%s] %s?", near->section,
	    near->key);
}

/* Lets what follows be of this section, which a block is made for when it has
 * none yet. */
static int
enter_section(struct config_loader *loader, struct slice section)
{
	struct slice name;
	const struct config_block_kind *kind =
	    config_block_kind_of(section, &name);

	loader->section = section;
	loader->kind = NULL;
	if (kind != NULL)
		return config_block_enter(loader, kind, name);
	if (!config_name_is_section(section))
		return fail_unknown_section(loader, section);
	return 0;
}

/* Notes where a key is given; in the file it may be only once. */
static int
note_line(struct config_loader *loader, unsigned *line)
{
	if (loader->override != NULL) {
		*line = CONFIG_LINE_OVERRIDE;
		return 0;
	}
	if (*line != 0)
		return config_fail(
		    loader, "given twice, first in line %u", *line);
	*line = loader->line;
	return 0;
}

static int
give_in_block(struct config_loader *loader, struct slice value)
{
	const struct config_setting *setting =
	    config_name_find_in_block(loader->kind, loader->key);
	size_t index;

	if (setting == NULL)
		return fail_unknown_key(loader);
	index = (size_t)(setting - loader->kind->settings);
	if (note_line(loader, &loader->block->lines[index]) < 0)
		return -1;
	return set_value(loader, loader->block, setting, value);
}

/* Gives the setting that section and key name the value. */
static int
give(struct config_loader *loader, struct slice value)
{
	const struct config_setting *setting;
	bool *given;

	if (loader->kind != NULL)
		return give_in_block(loader, value);
	setting = config_name_find(loader->section, loader->key);
	if (setting == NULL)
		return fail_unknown_key(loader);
	if (note_line(loader, &loader->lines[setting - config_settings]) < 0)
		return -1;
	given =
	    (bool *)(void *)((char *)loader->config + setting->given_offset);
	*given = true;
	return set_value(loader, loader->config, setting, value);
}

/* Cuts "name = value" in two; false when there is no '='. */
static bool
split(struct slice text, struct slice *name, struct slice *value)
{
	const char *equals =
	    text.len > 0 ? memchr(text.bytes, '=', text.len) : NULL;
	size_t len;

	if (equals == NULL)
		return false;
	len = (size_t)(equals - text.bytes);
	*name = slice_trim(slice_of(text.bytes, len));
	*value = slice_trim(slice_of(equals + 1, text.len - len - 1));
	return true;
}

static int
read_section(struct config_loader *loader, struct slice line)
{
	struct slice section;

	if (line.len < 3 || line.bytes[line.len - 1] != ']')
		return config_fail(loader, "got \"%.*s\", expected [section]",
		    config_shown(line), line.bytes);
	section = slice_of(line.bytes + 1, line.len - 2);
	return enter_section(loader, section);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Many other formats end a value here; this one would take it along. */
static bool
holds_comment(struct slice value)
{
	for (size_t i = 0; i + 1 < value.len; i++) {
		char c = value.bytes[i + 1];

		if (is_space(value.bytes[i]) && (c == '#' || c == ';'))
			return true;
	}
	return false;
}

static int
read_setting(struct config_loader *loader, struct slice line)
{
	struct slice key, value;

	if (!split(line, &key, &value) || key.len == 0)
		return config_fail(loader, "got \"%.*s\", expected key = value",
		    config_shown(line), line.bytes);
	if (loader->section.len == 0)
		return config_fail(loader,
		    "got \"%.*s\", expected a [section] first",
		    config_shown(line), line.bytes);
	loader->key = key;
	if (holds_comment(value))
		return config_fail(loader,
		    "got \"%.*s\", expected a comment on a line of its own",
		    config_shown(value), value.bytes);
	return give(loader, value);
}

static int
read_line(struct config_loader *loader, struct slice line)
{
	loader->key = slice_of(NULL, 0);
	if (line.len > LINE_LEN_MAX)
		return config_fail(loader,
		    "got a line of %zu bytes, expected %d at most", line.len,
		    LINE_LEN_MAX);
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.bytes[i];

		if ((c < 0x20 && c != '\t') || c == 0x7F)
			return config_fail(
			    loader, "got the byte \\x%02x, expected text", c);
	}
	line = slice_trim(line);
	if (line.len == 0 || line.bytes[0] == '#' || line.bytes[0] == ';')
		return 0;
	if (line.bytes[0] == '[')
		return read_section(loader, line);
	return read_setting(loader, line);
}

static int
read_lines(struct config_loader *loader, struct slice text)
{
	static const struct slice bom = {"\xEF\xBB\xBF", 3};

	if (slice_starts_with(text, bom))
		text = slice_of(text.bytes + bom.len, text.len - bom.len);
	while (text.len > 0) {
		const char *feed = memchr(text.bytes, '\n', text.len);
		size_t len =
		    feed == NULL ? text.len : (size_t)(feed - text.bytes);
		struct slice line = slice_of(text.bytes, len);

		if (len > 0 && line.bytes[len - 1] == '\r')
			line.len--;
		loader->line++;
		if (read_line(loader, line) < 0)
			return -1;
		len += feed != NULL;
		text = slice_of(text.bytes + len, text.len - len);
	}
	return 0;
}

static int
read_file(struct config_loader *loader, char *text, size_t size)
{
	FILE *file = fopen(loader->path, "re");
	size_t len;
	int failed;

	if (file == NULL)
		return config_fail(
		    loader, "cannot be read: %s", strerror(errno));
	len = fread(text, 1, size, file);
	failed = ferror(file) ? errno : 0;
	fclose(file);
	if (failed != 0)
		return config_fail(
		    loader, "cannot be read: %s", strerror(failed));
	if (len == size)
		return config_fail(
		    loader, "larger than %d bytes", FILE_SIZE_MAX);
	return read_lines(loader, slice_of(text, len));
}

static int
load_file(struct config_loader *loader)
{
	char *text = malloc(FILE_SIZE_MAX + 1);
	int result;

	if (text == NULL)
		return config_fail(loader, "no memory");
	result = read_file(loader, text, FILE_SIZE_MAX + 1);
	free(text);
	return result;
}

/* "section.key=value"; a section's name may hold dots, a key's never does. */
static int
load_override(struct config_loader *loader, const char *text)
{
	struct slice name, value, section;
	const char *dot;

	loader->override = text;
	if (!split(slice_of_text(text), &name, &value) || name.len == 0)
		return config_fail(loader, "expected section.key=value");
	dot = memrchr(name.bytes, '.', name.len);
	if (dot == NULL)
		return config_fail(loader, "expected section.key=value");
	section = slice_of(name.bytes, (size_t)(dot - name.bytes));
	loader->key = slice_of(dot + 1, name.len - section.len - 1);
	if (enter_section(loader, section) < 0)
		return -1;
	return give(loader, value);
}

int
config_load(struct config *config, const char *path,
    const char *const *overrides, size_t override_count,
    char error[CONFIG_ERROR_SIZE])
{
	struct config_loader loader = {
	    .config = config, .path = path, .error = error};
	int result;

	memset(config, 0, sizeof(*config));
	result = set_presets(&loader);
	if (result == 0 && path != NULL)
		result = load_file(&loader);
	for (size_t i = 0; result == 0 && i < override_count; i++)
		result = load_override(&loader, overrides[i]);
	if (result == 0)
		result = config_settle(&loader);
	if (result < 0)
		config_finish(config);
	return result;
}

void
config_finish(struct config *config)
{
	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++)
		config_value_finish(config, &config_settings[i]);
	config_block_finish_all(config);
	free(config->shapes);
	config->shapes = NULL;
}

static void
print_settings(FILE *out, const struct config_setting *settings, size_t count)
{
	const char *section = "";

	for (size_t i = 0; i < count; i++) {
		const struct config_setting *setting = &settings[i];

		if (strcmp(section, setting->section) != 0) {
			section = setting->section;
			fprintf(out, "%s[%s]\n",
			    setting == config_settings ? "" : "\n", section);
		}
		fprintf(out, "%s = %s\n    %s\n", setting->key, setting->preset,
		    setting->sentence);
	}
}

void
config_print_settings(FILE *out)
{
	print_settings(out, config_settings, CONFIG_SETTING_COUNT);
	for (size_t i = 0; i < CONFIG_BLOCK_KIND_COUNT; i++)
		print_settings(out, config_block_kinds[i].settings,
		    config_block_kinds[i].setting_count);
}
