/* sse_shape: how the events of a stream are written. See sse_shape.h. */
#include "broker/shared/sse_shape.h"

#include <string.h>

#include "protocol/utf8.h"

const struct sse_shape sse_tagged = {.format = SSE_TAGGED};
const struct sse_shape sse_raw = {.format = SSE_RAW, .names_events = true};

static const char *const sources[SSE_SOURCE_COUNT] = {
    [SSE_CHANNEL] = "channel",
    [SSE_CHANNEL_LAST] = "channel.last",
    [SSE_TYPE] = "type",
    [SSE_KEY] = "key",
    [SSE_TS] = "ts",
    [SSE_DATA] = "data",
    [SSE_CURSOR] = "cursor",
    [SSE_SNAPSHOT] = "snapshot",
};

static bool
find_source(struct slice text, enum sse_source *source)
{
	for (int i = 0; i < SSE_SOURCE_COUNT; i++) {
		if (slice_is(text, sources[i])) {
			*source = (enum sse_source)i;
			return true;
		}
	}
	return false;
}

/* What needs no escape in JSON, and no quote in a list of fields. */
static bool
is_name(struct slice text)
{
	if (text.len == 0 || text.len > SSE_FIELD_NAME_MAX ||
	    !utf8_valid(text.bytes, text.len))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.bytes[i];

		if (c < 0x20 || c == 0x7F || memchr("\"\\,:", c, 4) != NULL)
			return false;
	}
	return true;
}

static bool
same_name(const struct sse_field *a, const struct sse_field *b)
{
	return a->name_len == b->name_len &&
	       memcmp(a->name, b->name, a->name_len) == 0;
}

int
sse_shape_add_field(struct sse_shape *shape, struct slice text)
{
	struct sse_field *field = &shape->fields[shape->field_count];
	const char *colon =
	    text.len > 0 ? memchr(text.bytes, ':', text.len) : NULL;
	struct slice name, source;

	if (colon == NULL || shape->field_count == SSE_FIELDS_MAX)
		return -1;
	name = slice_of(text.bytes, (size_t)(colon - text.bytes));
	source = slice_of(colon + 1, text.len - name.len - 1);
	name = slice_trim(name);
	if (!is_name(name) || !find_source(slice_trim(source), &field->source))
		return -1;
	field->name[0] = '"';
	memcpy(field->name + 1, name.bytes, name.len);
	memcpy(field->name + 1 + name.len, "\":", 2);
	field->name_len = (unsigned)name.len + 3;
	for (size_t i = 0; i < shape->field_count; i++) {
		if (same_name(&shape->fields[i], field))
			return -1;
	}
	shape->field_count++;
	return 0;
}

bool
sse_shape_equal(const struct sse_shape *a, const struct sse_shape *b)
{
	if (a->format != b->format || a->names_events != b->names_events ||
	    a->field_count != b->field_count)
		return false;
	for (size_t i = 0; i < a->field_count; i++) {
		if (a->fields[i].source != b->fields[i].source ||
		    !same_name(&a->fields[i], &b->fields[i]))
			return false;
	}
	return true;
}
