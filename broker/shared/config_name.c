/* config_name: names of sections and settings. See config_name.h. */
#include "broker/shared/config_name.h"

#include <limits.h>
#include <string.h>

enum {
	NEAR_EDITS = 2,   /* between a name and the one that was meant */
	NEAR_LEN_MAX = 32 /* longer names resemble nothing */
};

bool
config_name_is_section(struct slice section)
{
	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		if (slice_is(section, config_settings[i].section))
			return true;
	}
	return false;
}

const struct config_setting *
config_name_find(struct slice section, struct slice key)
{
	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		const struct config_setting *setting = &config_settings[i];

		if (slice_is(section, setting->section) &&
		    slice_is(key, setting->key))
			return setting;
	}
	return NULL;
}

const struct config_setting *
config_name_find_in_block(
    const struct config_block_kind *kind, struct slice key)
{
	for (size_t i = 0; i < kind->setting_count; i++) {
		if (slice_is(key, kind->settings[i].key))
			return &kind->settings[i];
	}
	return NULL;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * How many characters must be added, dropped or changed to make one name of
 * the other (Levenshtein): row by row, of which only the last is kept.
 */
static unsigned
edits_between(struct slice a, struct slice b)
{
	unsigned row[NEAR_LEN_MAX + 1];

	if (a.len > NEAR_LEN_MAX || b.len > NEAR_LEN_MAX)
		return UINT_MAX;
	for (unsigned j = 0; j <= b.len; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			unsigned change =
			    diagonal +
			    (a.bytes[i - 1] == b.bytes[j - 1] ? 0U : 1U);

			diagonal = row[j];
			row[j] = least(change, least(row[j - 1], row[j]) + 1);
		}
	}
	return row[b.len];
}

/* Is this name fewer edits away than *edits, which then becomes that? */
static bool
is_nearer(struct slice name, const char *known, unsigned *edits)
{
	unsigned found = edits_between(name, slice_of_text(known));

	/* Of a short name, two edits leave nothing. */
	if (found >= *edits || found >= name.len)
		return false;
	*edits = found;
	return true;
}

/* "stream" of "stream /events"; all of what has no space. */
static struct slice
first_word(struct slice section)
{
	const char *space =
	    section.len > 0 ? memchr(section.bytes, ' ', section.len) : NULL;

	if (space != NULL)
		section.len = (size_t)(space - section.bytes);
	return section;
}

const char *
config_name_near_section(struct slice section)
{
	const char *nearest = NULL;
	unsigned edits = NEAR_EDITS + 1;

	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		if (is_nearer(section, config_settings[i].section, &edits))
			nearest = config_settings[i].section;
	}
	for (size_t i = 0; i < CONFIG_BLOCK_KIND_COUNT; i++) {
		if (is_nearer(first_word(section), config_block_kinds[i].word,
			&edits))
			nearest = config_block_kinds[i].form;
	}
	return nearest;
}

/* The key of the section (NULL: of any) that is fewest edits away. */
static const struct config_setting *
nearest_of(const struct config_setting *settings, size_t count,
    const struct slice *section, struct slice key)
{
	const struct config_setting *nearest = NULL;
	unsigned edits = NEAR_EDITS + 1;

	for (size_t i = 0; i < count; i++) {
		if (section != NULL && !slice_is(*section, settings[i].section))
			continue;
		if (is_nearer(key, settings[i].key, &edits))
			nearest = &settings[i];
	}
	return nearest;
}

/* One with just this key, wherever it is. */
static const struct config_setting *
find_anywhere(struct slice key)
{
	const struct config_setting *found = NULL;

	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		if (slice_is(key, config_settings[i].key))
			return &config_settings[i];
	}
	for (size_t i = 0; found == NULL && i < CONFIG_BLOCK_KIND_COUNT; i++)
		found = config_name_find_in_block(&config_block_kinds[i], key);
	return found;
}

const struct config_setting *
config_name_near(const struct config_block_kind *kind, struct slice section,
    struct slice key)
{
	const struct config_setting *nearest =
	    kind != NULL
		? nearest_of(kind->settings, kind->setting_count, NULL, key)
		: nearest_of(
		      config_settings, CONFIG_SETTING_COUNT, &section, key);

	return nearest != NULL ? nearest : find_anywhere(key);
}
