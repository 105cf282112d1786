/*
 * config: settings from a file and from the command line. See config.h.
 *
 * The file is read whole, then line by line. The first fault ends it. Nothing
 * is guessed: a line that other readers of INI files would continue, cut short
 * or take for a comment is either read literally or refused.
 */
#include "broker/shared/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "broker/shared/config_name.h"
#include "broker/shared/config_value.h"

enum {
	FILE_SIZE_MAX = 1 << 20, /* bytes */
	LINE_LEN_MAX = 8192,     /* bytes */
	SHOWN_MAX = 80,          /* bytes of a name or value in an error */
	PATH_SHOWN_MAX = 160,
};

/* What is being read, and where. */
struct loader {
	struct config *config;
	const char *path;
	unsigned line;                        /* 0: none in particular */
	const char *override;                 /* NULL while the file is read */
	struct slice section;                 /* len 0: none yet */
	struct slice key;                     /* len 0: none in particular */
	unsigned lines[CONFIG_SETTING_COUNT]; /* where each was given, or 0 */
	char *error;
};

static int
shown(struct slice text)
{
	return (int)(text.len < SHOWN_MAX ? text.len : SHOWN_MAX);
}

static int
print_place(const struct loader *loader, char *out, size_t size)
{
	size_t path_len = loader->path != NULL ? strlen(loader->path) : 0;
	const char *path = path_len <= PATH_SHOWN_MAX
			       ? loader->path
			       : loader->path + path_len - PATH_SHOWN_MAX;

	if (loader->override != NULL)
		return snprintf(
		    out, size, "-o %.*s: ", SHOWN_MAX, loader->override);
	if (loader->line == 0)
		return snprintf(
		    out, size, "%s: ", path != NULL ? path : "defaults");
	if (loader->key.len == 0)
		return snprintf(out, size, "%s:%u: ", path, loader->line);
	return snprintf(out, size, "%s:%u: [%.*s] %.*s: ", path, loader->line,
	    shown(loader->section), loader->section.bytes, shown(loader->key),
	    loader->key.bytes);
}

/* Writes the error, behind the place; control characters become '?'. */
__attribute__((format(printf, 2, 3))) static int
fail(struct loader *loader, const char *format, ...)
{
	char *error = loader->error;
	size_t len = (size_t)print_place(loader, error, CONFIG_ERROR_SIZE);
	va_list args;

	if (len < CONFIG_ERROR_SIZE) {
		va_start(args, format);
		vsnprintf(error + len, CONFIG_ERROR_SIZE - len, format, args);
		va_end(args);
	}
	for (char *at = error; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7F)
			*at = '?';
	}
	return -1;
}

static void *
member_of(struct config *config, size_t offset)
{
	return (char *)config + offset;
}

static void
finish_value(struct config *config, const struct config_setting *setting)
{
	if (setting->type->finish != NULL)
		setting->type->finish(member_of(config, setting->offset));
}

static int
set_value(struct loader *loader, const struct config_setting *setting,
    struct slice text)
{
	char expected[CONFIG_EXPECTED_SIZE];

	finish_value(loader->config, setting);
	if (setting->type->read(
		setting, text, member_of(loader->config, setting->offset)) == 0)
		return 0;
	if (errno == ENOMEM)
		return fail(loader, "no memory");
	setting->type->describe(setting, expected);
	return fail(loader, "got \"%.*s\"%s, expected %s", shown(text),
	    text.bytes, text.len > SHOWN_MAX ? "..." : "", expected);
}

static int
set_presets(struct loader *loader)
{
	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		const struct config_setting *setting = &config_settings[i];

		if (set_value(loader, setting, slice_of_text(setting->preset)) <
		    0) {
			return -1;
		}
	}
	return 0;
}

static int
fail_unknown_section(struct loader *loader, struct slice section)
{
	const char *near = config_name_near_section(section);

	if (near == NULL)
		return fail(loader,
		    "got section \"%.*s\", expected one of "
		    "those in ssemuxd.conf(5)",
		    shown(section), section.bytes);
	return fail(loader, "got section \"%.*s\", expected perhaps \"%s\"",
	    shown(section), section.bytes, near);
}

static int
fail_unknown_key(struct loader *loader)
{
	const struct config_setting *near =
	    config_name_near(loader->section, loader->key);

	if (near == NULL)
		return fail(loader, "there is no such setting");
	return fail(loader, "there is no such setting, did you mean [%s] %s?",
	    near->section, near->key);
}

/* Gives the setting that section and key name the value. */
static int
give(struct loader *loader, struct slice value)
{
	const struct config_setting *setting =
	    config_name_find(loader->section, loader->key);
	size_t index;
	bool *given;

	if (!config_name_is_section(loader->section))
		return fail_unknown_section(loader, loader->section);
	if (setting == NULL)
		return fail_unknown_key(loader);
	index = (size_t)(setting - config_settings);
	if (loader->override == NULL) {
		if (loader->lines[index] != 0)
			return fail(loader, "given twice, first in line %u",
			    loader->lines[index]);
		loader->lines[index] = loader->line;
	}
	given = member_of(loader->config, setting->given_offset);
	*given = true;
	return set_value(loader, setting, value);
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
read_section(struct loader *loader, struct slice line)
{
	struct slice section;

	if (line.len < 3 || line.bytes[line.len - 1] != ']')
		return fail(loader, "got \"%.*s\", expected [section]",
		    shown(line), line.bytes);
	section = slice_of(line.bytes + 1, line.len - 2);
	if (!config_name_is_section(section))
		return fail_unknown_section(loader, section);
	loader->section = section;
	return 0;
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
read_setting(struct loader *loader, struct slice line)
{
	struct slice key, value;

	if (!split(line, &key, &value) || key.len == 0)
		return fail(loader, "got \"%.*s\", expected key = value",
		    shown(line), line.bytes);
	if (loader->section.len == 0)
		return fail(loader, "got \"%.*s\", expected a [section] first",
		    shown(line), line.bytes);
	loader->key = key;
	if (holds_comment(value))
		return fail(loader,
		    "got \"%.*s\", expected a comment on a line of its own",
		    shown(value), value.bytes);
	return give(loader, value);
}

static int
read_line(struct loader *loader, struct slice line)
{
	loader->key = slice_of(NULL, 0);
	if (line.len > LINE_LEN_MAX)
		return fail(loader,
		    "got a line of %zu bytes, expected %d at most", line.len,
		    LINE_LEN_MAX);
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.bytes[i];

		if ((c < 0x20 && c != '\t') || c == 0x7F)
			return fail(
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
read_lines(struct loader *loader, struct slice text)
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
read_file(struct loader *loader, char *text, size_t size)
{
	FILE *file = fopen(loader->path, "re");
	size_t len;
	int failed;

	if (file == NULL)
		return fail(loader, "cannot be read: %s", strerror(errno));
	len = fread(text, 1, size, file);
	failed = ferror(file) ? errno : 0;
	fclose(file);
	if (failed != 0)
		return fail(loader, "cannot be read: %s", strerror(failed));
	if (len == size)
		return fail(loader, "larger than %d bytes", FILE_SIZE_MAX);
	return read_lines(loader, slice_of(text, len));
}

static int
load_file(struct loader *loader)
{
	char *text = malloc(FILE_SIZE_MAX + 1);
	int result;

	if (text == NULL)
		return fail(loader, "no memory");
	result = read_file(loader, text, FILE_SIZE_MAX + 1);
	free(text);
	return result;
}

/* "section.key=value"; a section's name may hold dots, a key's never does. */
static int
load_override(struct loader *loader, const char *text)
{
	struct slice name, value;
	const char *dot;

	loader->override = text;
	if (!split(slice_of_text(text), &name, &value) || name.len == 0)
		return fail(loader, "expected section.key=value");
	dot = memrchr(name.bytes, '.', name.len);
	if (dot == NULL)
		return fail(loader, "expected section.key=value");
	loader->section = slice_of(name.bytes, (size_t)(dot - name.bytes));
	loader->key = slice_of(dot + 1, name.len - loader->section.len - 1);
	return give(loader, value);
}

int
config_load(struct config *config, const char *path,
    const char *const *overrides, size_t override_count,
    char error[CONFIG_ERROR_SIZE])
{
	struct loader loader = {.config = config, .path = path, .error = error};
	int result;

	memset(config, 0, sizeof(*config));
	result = set_presets(&loader);
	if (result == 0 && path != NULL)
		result = load_file(&loader);
	for (size_t i = 0; result == 0 && i < override_count; i++)
		result = load_override(&loader, overrides[i]);
	if (result < 0)
		config_finish(config);
	return result;
}

void
config_finish(struct config *config)
{
	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++)
		finish_value(config, &config_settings[i]);
}

void
config_print_settings(FILE *out)
{
	const char *section = "";

	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		const struct config_setting *setting = &config_settings[i];

		if (strcmp(section, setting->section) != 0) {
			section = setting->section;
			fprintf(out, "%s[%s]\n", i == 0 ? "" : "\n", section);
		}
		fprintf(out, "%s = %s\n    %s\n", setting->key, setting->preset,
		    setting->sentence);
	}
}
