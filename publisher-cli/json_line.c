/* json_line: from a line of JSON to an event. See json_line.h. */
#include "publisher-cli/json_line.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What is freed is jansson's tree; its strings are the event's. */
struct json_line;

/* jansson bounds nesting itself; integers are read as reals, as those may be
 * larger than any integer of C: neither is used. */
static const size_t strictly =
    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;

/* What follows walks a text that jansson has found to be JSON. */

static const char *
skip_space(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

static const char *
skip_string(const char *at)
{
	for (at++; *at != '"'; at++) {
		if (*at == '\\')
			at++;
	}
	return at + 1;
}

static const char *
skip_brackets(const char *at)
{
	size_t depth = 0;

	do {
		if (*at == '"') {
			at = skip_string(at);
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		else if (*at == '}' || *at == ']')
			depth--;
		at++;
	} while (depth > 0);
	return at;
}

static const char *
skip_value(const char *at)
{
	if (*at == '"')
		return skip_string(at);
	if (*at == '{' || *at == '[')
		return skip_brackets(at);
	return at + strcspn(at, ",}] \t\r\n");
}

/* The value of the index-th member of the object: jansson keeps their order,
 * and a name may be written with escapes, so it is not looked for by name. */
static const char *
find_value(const char *object, size_t index, size_t *len)
{
	const char *at = skip_space(object) + 1;

	for (;; index--) {
		const char *value;

		at = skip_space(skip_string(skip_space(at)));
		value = skip_space(at + 1); /* behind the colon */
		at = skip_value(value);
		if (index == 0) {
			*len = (size_t)(at - value);
			return value;
		}
		at = skip_space(at) + 1; /* behind the comma */
	}
}

/* channel, type or key; null is as good as nothing for the last two. */
static bool
take_label(const char *name, json_t *value, const char **label,
    char error[JSON_LINE_ERROR_SIZE])
{
	if (json_is_null(value) && strcmp(name, "channel") != 0) {
		*label = NULL;
		return true;
	}
	if (!json_is_string(value)) {
		snprintf(error, JSON_LINE_ERROR_SIZE, "\"%s\" is not a string",
		    name);
		return false;
	}
	*label = json_string_value(value);
	if (strlen(*label) == json_string_length(value))
		return true;
	snprintf(error, JSON_LINE_ERROR_SIZE, "\"%s\" contains NUL", name);
	return false;
}

static void
take_data(const char *line, size_t index, json_t *value,
    struct ssemux_pub_event *event)
{
	if (json_is_string(value)) {
		event->data = json_string_value(value);
		event->data_bytes = json_string_length(value);
		event->data_is = SSEMUX_PUB_TEXT;
	} else {
		event->data = find_value(line, index, &event->data_bytes);
		event->data_is = SSEMUX_PUB_JSON;
	}
}

static bool
take_members(const char *line, json_t *object, struct ssemux_pub_event *event,
    char error[JSON_LINE_ERROR_SIZE])
{
	const char *name;
	json_t *value;
	size_t index = 0;

	json_object_foreach(object, name, value)
	{
		bool good = true;

		if (strcmp(name, "channel") == 0) {
			good = take_label(name, value, &event->channel, error);
		} else if (strcmp(name, "type") == 0) {
			good = take_label(name, value, &event->type, error);
		} else if (strcmp(name, "key") == 0) {
			good = take_label(name, value, &event->key, error);
		} else if (strcmp(name, "data") == 0) {
			take_data(line, index, value, event);
		} else {
			good = false;
			snprintf(error, JSON_LINE_ERROR_SIZE,
			    "there is no member \"%.64s\"", name);
		}
		if (!good)
			return false;
		index++;
	}
	if (event->channel != NULL)
		return true;
	snprintf(error, JSON_LINE_ERROR_SIZE, "\"channel\" is missing");
	return false;
}

struct json_line *
json_line_read(const char *line, size_t len, struct ssemux_pub_event *event,
    char error[JSON_LINE_ERROR_SIZE])
{
	json_error_t why;
	json_t *root = json_loadb(line, len, strictly, &why);

	if (root == NULL) {
		snprintf(error, JSON_LINE_ERROR_SIZE,
		    "not JSON: %.160s (column %d)", why.text, why.column);
		return NULL;
	}
	if (!json_is_object(root)) {
		snprintf(error, JSON_LINE_ERROR_SIZE, "not a JSON object");
	} else if (take_members(line, root, event, error)) {
		return (struct json_line *)root;
	}
	json_decref(root);
	return NULL;
}

void
json_line_free(struct json_line *json_line)
{
	json_decref((json_t *)json_line);
}
