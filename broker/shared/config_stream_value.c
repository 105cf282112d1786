/*
 * config_stream_value: the types of the keys of blocks. See config_value.h.
 *
 * What is read here is checked to the end, so that a fault is found with its
 * line and not by the first client.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/shared/auth_template.h"
#include "broker/shared/config_value.h"
#include "broker/shared/filter.h"
#include "protocol/event.h"

static int
invalid(void)
{
	errno = EINVAL;
	return -1;
}

/* --- lists whose items have a form --- */

/* Reads a list; each of its items must be good. */
static int
read_items(const struct config_setting *setting, struct slice text,
    void *member, bool (*good)(struct slice item))
{
	struct config_list *list = member;

	if (config_value_read_list(setting, text, member) == -1)
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		if (good(slice_of_text(list->items[i])))
			continue;
		config_value_finish_list(list);
		return invalid();
	}
	return 0;
}

/* Calls fault() for the items that the text has, until it wrote something. */
static void
explain_items(struct slice text, char expected[CONFIG_EXPECTED_SIZE],
    void (*fault)(struct slice item, char expected[CONFIG_EXPECTED_SIZE]))
{
	expected[0] = '\0';
	while (expected[0] == '\0') {
		const char *comma =
		    text.len > 0 ? memchr(text.bytes, ',', text.len) : NULL;
		size_t len =
		    comma == NULL ? text.len : (size_t)(comma - text.bytes);

		if (len > 0)
			fault(slice_trim(slice_of(text.bytes, len)), expected);
		if (comma == NULL)
			return;
		text = slice_of(comma + 1, text.len - len - 1);
	}
}

/* "what, in place of "item"", shortened where it would be too long. */
static void
expect_in_place(
    char expected[CONFIG_EXPECTED_SIZE], const char *what, struct slice item)
{
	snprintf(expected, CONFIG_EXPECTED_SIZE, "%s in place of \"%.*s\"",
	    what, (int)(item.len < 60 ? item.len : 60), item.bytes);
}

static bool
is_template(struct slice item)
{
	const char *why;

	return auth_template_valid(item, &why);
}

static int
read_templates(
    const struct config_setting *setting, struct slice text, void *member)
{
	return read_items(setting, text, member, is_template);
}

static void
template_fault(struct slice item, char expected[CONFIG_EXPECTED_SIZE])
{
	const char *why;

	if (!auth_template_valid(item, &why))
		snprintf(expected, CONFIG_EXPECTED_SIZE,
		    "another pattern than \"%.*s\": %s",
		    (int)(item.len < 40 ? item.len : 40), item.bytes, why);
}

static void
explain_templates(const struct config_setting *setting, struct slice text,
    char expected[CONFIG_EXPECTED_SIZE])
{
	(void)setting;
	explain_items(text, expected, template_fault);
}

static int
read_patterns(
    const struct config_setting *setting, struct slice text, void *member)
{
	return read_items(setting, text, member, event_pattern_valid);
}

static void
pattern_fault(struct slice item, char expected[CONFIG_EXPECTED_SIZE])
{
	if (!event_pattern_valid(item))
		expect_in_place(expected,
		    "a channel, a prefix that ends in :*, or *,", item);
}

static void
explain_patterns(const struct config_setting *setting, struct slice text,
    char expected[CONFIG_EXPECTED_SIZE])
{
	(void)setting;
	explain_items(text, expected, pattern_fault);
}

/*
 * A pattern of types may have claims in it, but for a negative one: a claim
 * that is missing would let pass what was to be hidden.
 */
static bool
is_type(struct slice item)
{
	const char *why;

	if (memchr(item.bytes, '{', item.len) == NULL)
		return filter_pattern_valid(item);
	if (item.len > 1 && item.bytes[item.len - 1] == '*')
		item.len--;
	return auth_template_valid(item, &why);
}

static int
read_types(
    const struct config_setting *setting, struct slice text, void *member)
{
	return read_items(setting, text, member, is_type);
}

static void
type_fault(struct slice item, char expected[CONFIG_EXPECTED_SIZE])
{
	if (!is_type(item))
		expect_in_place(expected,
		    "a type, a prefix that ends in *, or ! and one of these,",
		    item);
}

static void
explain_types(const struct config_setting *setting, struct slice text,
    char expected[CONFIG_EXPECTED_SIZE])
{
	(void)setting;
	explain_items(text, expected, type_fault);
}

static int
read_envelope(
    const struct config_setting *setting, struct slice text, void *member)
{
	struct sse_shape shape = {.field_count = 0};
	struct config_list *list = member;

	if (config_value_read_list(setting, text, member) == -1)
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		if (sse_shape_add_field(
			&shape, slice_of_text(list->items[i])) == 0)
			continue;
		config_value_finish_list(list);
		return invalid();
	}
	return 0;
}

static void
explain_envelope(const struct config_setting *setting, struct slice text,
    char expected[CONFIG_EXPECTED_SIZE])
{
	(void)setting;
	(void)text;
	snprintf(expected, CONFIG_EXPECTED_SIZE,
	    "NAME:SOURCE, each name once, and a source of channel, "
	    "channel.last, type, key, ts, data, cursor, snapshot");
}

const struct config_type config_type_TEMPLATES = {read_templates,
    config_value_describe_list, config_value_finish_list, NULL,
    explain_templates};
const struct config_type config_type_PATTERNS = {read_patterns,
    config_value_describe_list, config_value_finish_list, NULL,
    explain_patterns};
const struct config_type config_type_TYPES = {read_types,
    config_value_describe_list, config_value_finish_list, NULL, explain_types};
const struct config_type config_type_ENVELOPE = {read_envelope,
    config_value_describe_list, config_value_finish_list, NULL,
    explain_envelope};

/* --- paths and names --- */

static const char path_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz"
				   "0123456789-._~@:/";

static bool
consists_of(struct slice text, const char *letters)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.bytes[i] == '\0' ||
		    strchr(letters, text.bytes[i]) == NULL)
			return false;
	}
	return true;
}

/* Proxies and browsers write such paths anew. */
static bool
is_rewritten(struct slice path)
{
	static const char *const parts[] = {"//", "/./", "/../"};
	char text[202];

	memcpy(text, path.bytes, path.len);
	text[path.len] = '/';
	text[path.len + 1] = '\0';
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (path.len > 1 && strstr(text, parts[i]) != NULL)
			return true;
	}
	return false;
}

const char *
config_value_path_fault(struct slice path)
{
	static const char *const own[] = {
	    "/publish", "/poke", "/stats", "/metrics", "/healthz", "/readyz"};

	if (path.len == 0 || path.len > 200 || path.bytes[0] != '/' ||
	    !consists_of(path, path_letters) || is_rewritten(path))
		return "a path such as /events, of letters, digits and "
		       "-._~@:/, without a slash at its end";
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (slice_is(path, own[i]))
			return "a path that is not one of the broker's own";
	}
	return NULL;
}

static int
read_path(const struct config_setting *setting, struct slice text, void *member)
{
	if (text.len > 0 &&
	    (text.len == 1 || config_value_path_fault(text) != NULL))
		return invalid();
	return config_value_read_text(setting, text, member);
}

static void
describe_path(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	(void)setting;
	snprintf(expected, CONFIG_EXPECTED_SIZE, "a path such as /events/poke");
}

static void
explain_path(const struct config_setting *setting, struct slice text,
    char expected[CONFIG_EXPECTED_SIZE])
{
	const char *why = config_value_path_fault(text);

	(void)setting;
	snprintf(expected, CONFIG_EXPECTED_SIZE, "%s", why != NULL ? why : "");
}

static int
read_parameter(
    const struct config_setting *setting, struct slice text, void *member)
{
	/* What has a meaning of its own on every stream. */
	if (!consists_of(text, path_letters) || slice_is(text, "lastEventId") ||
	    slice_is(text, "access_token"))
		return invalid();
	return config_value_read_text(setting, text, member);
}

static void
describe_parameter(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	(void)setting;
	snprintf(expected, CONFIG_EXPECTED_SIZE,
	    "a parameter's name of at most %u letters, digits and -._~@:/, "
	    "other than lastEventId and access_token",
	    (unsigned)setting->max);
}

const struct config_type config_type_PATH = {
    read_path, describe_path, config_value_finish_text, NULL, explain_path};
const struct config_type config_type_PARAMETER = {
    read_parameter, describe_parameter, config_value_finish_text, NULL, NULL};
