/*
 * config_value: reads the values of settings. See config_value.h.
 *
 * Numbers are read digit by digit: no sign, no white space, no fraction, no
 * octal but in a MODE, and nothing that does not fit wraps around.
 */
#include "broker/shared/config_value.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
invalid(void)
{
	errno = EINVAL;
	return -1;
}

/* Reads the digits at the start of *text and moves it on; -1 when there are
 * none or the number is above max. */
static int
read_digits(struct slice *text, unsigned base, uint64_t max, uint64_t *number)
{
	size_t i;

	*number = 0;
	for (i = 0; i < text->len; i++) {
		unsigned digit = (unsigned char)text->bytes[i] - (unsigned)'0';

		if (digit >= base)
			break;
		if (digit > max || *number > (max - digit) / base)
			return -1;
		*number = *number * base + digit;
	}
	if (i == 0)
		return -1;
	text->bytes += i;
	text->len -= i;
	return 0;
}

static bool
in_bounds(const struct config_setting *setting, uint64_t number)
{
	return number >= setting->min && number <= setting->max;
}

/* The settings whose preset is the word "auto" take it, and an empty value. */
static bool
takes_auto(const struct config_setting *setting)
{
	return strcmp(setting->preset, "auto") == 0;
}

static bool
reads_auto(
    const struct config_setting *setting, struct slice text, uint64_t *number)
{
	if (!takes_auto(setting) || (text.len > 0 && !slice_is(text, "auto")))
		return false;
	*number = CONFIG_AUTO;
	return true;
}

static int
read_count(
    const struct config_setting *setting, struct slice text, void *member)
{
	uint64_t *count = member;

	if (reads_auto(setting, text, member))
		return 0;
	if (read_digits(&text, 10, setting->max, count) < 0 || text.len > 0 ||
	    !in_bounds(setting, *count))
		return invalid();
	return 0;
}

static void
describe_count(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	snprintf(expected, CONFIG_EXPECTED_SIZE,
	    "a whole number from %" PRIu64 " to %" PRIu64 "%s", setting->min,
	    setting->max, takes_auto(setting) ? ", or auto" : "");
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* From small to large; "" may be left out. */
static const struct unit size_units[] = {
    {"", 1}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}};
static const struct unit time_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

enum {
	SIZE_UNITS = sizeof(size_units) / sizeof(size_units[0]),
	TIME_UNITS = sizeof(time_units) / sizeof(time_units[0]),
};

/* A number and one of the units; 0 needs none. */
static int
read_scaled(const struct config_setting *setting, struct slice text,
    const struct unit *units, size_t unit_count, uint64_t *number)
{
	if (read_digits(&text, 10, setting->max, number) < 0)
		return invalid();
	if (*number == 0 && text.len == 0)
		return in_bounds(setting, 0) ? 0 : invalid();
	for (size_t i = 0; i < unit_count; i++) {
		if (!slice_is(text, units[i].name))
			continue;
		if (*number > setting->max / units[i].factor)
			return invalid();
		*number *= units[i].factor;
		return in_bounds(setting, *number) ? 0 : invalid();
	}
	return invalid();
}

/* Writes the number with the largest unit that divides it. */
static void
format_scaled(uint64_t number, const struct unit *units, size_t unit_count,
    char *text, size_t size)
{
	size_t i = unit_count - 1;

	while (i > 0 && number % units[i].factor != 0)
		i--;
	if (number == 0)
		snprintf(text, size, "0");
	else
		snprintf(text, size, "%" PRIu64 "%s", number / units[i].factor,
		    units[i].name);
}

static void
describe_scaled(const struct config_setting *setting, const char *kind,
    const struct unit *units, size_t unit_count,
    char expected[CONFIG_EXPECTED_SIZE])
{
	char min[32], max[32];

	format_scaled(setting->min, units, unit_count, min, sizeof(min));
	format_scaled(setting->max, units, unit_count, max, sizeof(max));
	snprintf(expected, CONFIG_EXPECTED_SIZE, "%s from %s to %s, %s %s",
	    kind, min, max, takes_auto(setting) ? "or" : "such as",
	    setting->preset);
}

static int
read_size(const struct config_setting *setting, struct slice text, void *member)
{
	if (reads_auto(setting, text, member))
		return 0;
	return read_scaled(setting, text, size_units, SIZE_UNITS, member);
}

static void
describe_size(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	describe_scaled(setting, "a size", size_units, SIZE_UNITS, expected);
}

static int
read_time(const struct config_setting *setting, struct slice text, void *member)
{
	if (reads_auto(setting, text, member))
		return 0;
	return read_scaled(setting, text, time_units, TIME_UNITS, member);
}

static void
describe_time(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	describe_scaled(setting, "a time", time_units, TIME_UNITS, expected);
}

int
config_value_read_text(
    const struct config_setting *setting, struct slice text, void *member)
{
	char **copy = member;

	if (!in_bounds(setting, text.len))
		return invalid();
	*copy = strndup(text.len > 0 ? text.bytes : "", text.len);
	return *copy != NULL ? 0 : -1;
}

static void
describe_text(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	snprintf(expected, CONFIG_EXPECTED_SIZE,
	    "a text of %" PRIu64 " to %" PRIu64 " bytes", setting->min,
	    setting->max);
}

void
config_value_finish_text(void *member)
{
	char **text = member;

	free(*text);
	*text = NULL;
}

void
config_value_finish_list(void *member)
{
	struct config_list *list = member;

	while (list->count > 0)
		free(list->items[--list->count]);
}

static int
list_append(struct config_list *list, size_t max, struct slice item)
{
	item = slice_trim(item);
	if (item.len == 0 || list->count == max)
		return invalid();
	list->items[list->count] = strndup(item.bytes, item.len);
	if (list->items[list->count] == NULL)
		return -1;
	list->count++;
	return 0;
}

int
config_value_read_list(
    const struct config_setting *setting, struct slice text, void *member)
{
	struct config_list *list = member;
	const char *end = text.bytes + text.len;

	assert(setting->max <= CONFIG_LIST_MAX);
	list->count = 0;
	if (text.len == 0)
		return setting->min == 0 ? 0 : invalid();
	for (const char *at = text.bytes; at <= end;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t len = (size_t)((comma == NULL ? end : comma) - at);

		if (list_append(list, setting->max, slice_of(at, len)) < 0) {
			config_value_finish_list(list);
			return -1;
		}
		at += len + 1;
	}
	if (list->count >= setting->min)
		return 0;
	config_value_finish_list(list);
	return invalid();
}

void
config_value_describe_list(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	snprintf(expected, CONFIG_EXPECTED_SIZE,
	    "%" PRIu64 " to %" PRIu64 " texts divided by commas", setting->min,
	    setting->max);
}

static int
read_switch(
    const struct config_setting *setting, struct slice text, void *member)
{
	bool *on = member;

	(void)setting;
	*on = slice_is(text, "on") || slice_is(text, "yes") ||
	      slice_is(text, "true");
	if (*on || slice_is(text, "off") || slice_is(text, "no") ||
	    slice_is(text, "false"))
		return 0;
	return invalid();
}

static void
describe_switch(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	(void)setting;
	snprintf(expected, CONFIG_EXPECTED_SIZE, "on or off");
}

static int
read_mode(const struct config_setting *setting, struct slice text, void *member)
{
	unsigned *mode = member;
	uint64_t number;

	if (read_digits(&text, 8, setting->max, &number) < 0 || text.len > 0 ||
	    !in_bounds(setting, number))
		return invalid();
	*mode = (unsigned)number;
	return 0;
}

static void
describe_mode(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	snprintf(expected, CONFIG_EXPECTED_SIZE,
	    "a file mode in octal, at most %04" PRIo64 ", such as %s",
	    setting->max, setting->preset);
}

/* Every enum of the settings is read as the place of its word. */
int
config_value_read_word(
    const struct config_setting *setting, struct slice text, void *member)
{
	const char *const *words = setting->type->words;

	for (unsigned i = 0; words[i] != NULL; i++) {
		if (slice_is(text, words[i])) {
			memcpy(member, &i, sizeof(i));
			return 0;
		}
	}
	return invalid();
}

void
config_value_describe_words(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	const char *const *words = setting->type->words;
	size_t len = 0;

	expected[0] = '\0';
	for (size_t i = 0; words[i] != NULL; i++) {
		const char *joint = i == 0                 ? ""
				    : words[i + 1] == NULL ? " or "
							   : ", ";
		int added = snprintf(expected + len, CONFIG_EXPECTED_SIZE - len,
		    "%s%s", joint, words[i]);

		assert(added > 0 && len + added < CONFIG_EXPECTED_SIZE);
		len += (size_t)added;
	}
}

const struct config_type config_type_COUNT = {
    read_count, describe_count, NULL, NULL, NULL};
const struct config_type config_type_SIZE = {
    read_size, describe_size, NULL, NULL, NULL};
const struct config_type config_type_TIME = {
    read_time, describe_time, NULL, NULL, NULL};
const struct config_type config_type_TEXT = {config_value_read_text,
    describe_text, config_value_finish_text, NULL, NULL};
const struct config_type config_type_LIST = {config_value_read_list,
    config_value_describe_list, config_value_finish_list, NULL, NULL};
const struct config_type config_type_SWITCH = {
    read_switch, describe_switch, NULL, NULL, NULL};
const struct config_type config_type_MODE = {
    read_mode, describe_mode, NULL, NULL, NULL};

void
config_value_finish(void *base, const struct config_setting *setting)
{
	if (setting->type->finish != NULL)
		setting->type->finish((char *)base + setting->offset);
}
