/*
 * Fuzzes event blocks: whatever an event holds, a reader of event streams that
 * shares nothing with the writer sees one event, its id and its data.
 */
#include "broker/shared/sse.h"

#include <jansson.h>

#include "protocol/buf.h"
#include "protocol/cursor_id.h"
#include "protocol/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/event_stream.h"

/* The bytes up to the next 0xFE, a byte that no UTF-8 text has. */
static struct slice
cut(struct slice *rest)
{
	const char *mark =
	    rest->len > 0 ? memchr(rest->bytes, 0xFE, rest->len) : NULL;
	struct slice part = *rest;

	if (mark == NULL) {
		*rest = slice_of(rest->bytes + rest->len, 0);
		return part;
	}
	part.len = (size_t)(mark - rest->bytes);
	*rest = slice_of(mark + 1, rest->len - part.len - 1);
	return part;
}

static void
check_string(const json_t *object, const char *name, struct slice expected)
{
	const json_t *string = json_object_get(object, name);

	if (expected.len == 0 && strcmp(name, "data") != 0) {
		must(string == NULL || strcmp(name, "channel") == 0);
		return;
	}
	must(json_is_string(string));
	must(json_string_length(string) == expected.len);
	must(expected.len == 0 || memcmp(json_string_value(string),
				      expected.bytes, expected.len) == 0);
}

/* Tagged text is JSON that says what the event says. */
static void
check_tagged(const struct event *event, struct text seen)
{
	json_error_t error;
	json_t *object;

	must(seen.len > 0 && seen.bytes[0] == '{' &&
	     seen.bytes[seen.len - 1] == '}');
	if (event->kind != EVENT_TEXT ||
	    !utf8_valid(event->data.bytes, event->data.len) ||
	    !utf8_valid(event->channel.bytes, event->channel.len) ||
	    !utf8_valid(event->type.bytes, event->type.len) ||
	    !utf8_valid(event->key.bytes, event->key.len))
		return;
	object = json_loadb(seen.bytes, seen.len,
	    JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	must(object != NULL);
	check_string(object, "channel", event->channel);
	check_string(object, "type", event->type);
	check_string(object, "key", event->key);
	check_string(object, "data", event->data);
	must(json_integer_value(json_object_get(object, "ts")) ==
	     (json_int_t)cursor_id_ms(event->cursor));
	json_decref(object);
}

static void
check_raw(const struct event *event, const struct seen_event *seen)
{
	struct text data =
	    text_with_line_feeds(event->data.bytes, event->data.len);

	must(seen->data.len == data.len);
	must(memcmp(seen->data.bytes, data.bytes, data.len) == 0);
	text_clear(&data);
}

/* An envelope whose fields are named as those of a tagged event is one. */
static void
check_envelope(
    const struct event *event, const struct sse_shape *shape, struct text seen)
{
	json_error_t error;
	json_t *object;

	if (shape->field_count > 1) {
		check_tagged(event, seen);
		return;
	}
	/* Its one field is one that an event need not have. */
	if (event->key.len == 0 ||
	    !utf8_valid(event->key.bytes, event->key.len))
		return;
	object = json_loadb(seen.bytes, seen.len, JSON_ALLOW_NUL, &error);
	must(object != NULL && json_object_size(object) == 1);
	check_string(object, "only", event->key);
	json_decref(object);
}

static void
check_data(const struct event *event, const struct sse_shape *shape,
    const struct seen_event *seen)
{
	switch (shape->format) {
	case SSE_TAGGED:
		check_tagged(event, seen->data);
		break;
	case SSE_RAW:
		check_raw(event, seen);
		break;
	case SSE_ENVELOPE:
		check_envelope(event, shape, seen->data);
		break;
	case SSE_FORMAT_COUNT:
		must(shape->format < SSE_FORMAT_COUNT);
	}
}

/* The type is the name, or there is none. */
static void
check_name(const struct event *event, const struct sse_shape *shape,
    const struct seen_event *seen)
{
	must(seen->name.len == (shape->names_events ? event->type.len : 0));
	for (size_t i = 0; i < seen->name.len; i++) {
		char c = event->type.bytes[i];

		must(seen->name.bytes[i] == (c == '\r' || c == '\n' ? ' ' : c));
	}
}

static void
check(const struct event *event, const struct sse_shape *shape)
{
	char id[CURSOR_ID_TEXT_SIZE];
	struct event_stream stream;
	struct buf buf;

	buf_init(&buf, 0);
	sse_append_event(&buf, event, shape);
	must(!buf_failed(&buf));
	event_stream_read(&stream, buf_bytes(&buf), buf_length(&buf));
	must(stream.count == 1 && stream.comments == 0);
	must(stream.unknown == 0 && stream.retries == 0);
	must(stream.data.len == 0 && stream.name.len == 0);
	if (event->kind == EVENT_RESYNC) {
		must(stream.ids == 0);
		must(strcmp(stream.events[0].name.bytes, "resync") == 0);
	} else {
		cursor_id_format(event->cursor, id);
		must(stream.ids == 1);
		must(strcmp(stream.events[0].id.bytes, id) == 0);
		check_data(event, shape, &stream.events[0]);
		check_name(event, shape, &stream.events[0]);
	}
	event_stream_finish(&stream);
	buf_finish(&buf);
}

/* Every format, with and without names. */
static void
check_all(const struct event *event)
{
	static const char *const like_tagged[] = {
	    "data:data", "key:key", "ts:ts", "channel:channel", "type:type"};
	struct sse_shape shapes[4] = {sse_tagged, sse_raw,
	    {.format = SSE_ENVELOPE}, {.format = SSE_ENVELOPE}};

	for (size_t i = 0; i < 5; i++)
		must(sse_shape_add_field(
			 &shapes[2], slice_of_text(like_tagged[i])) == 0);
	must(sse_shape_add_field(&shapes[3], slice_of_text("only:key")) == 0);
	for (size_t i = 0; i < 4; i++) {
		check(event, &shapes[i]);
		shapes[i].names_events = !shapes[i].names_events;
		check(event, &shapes[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event event = {0};
	struct slice rest;
	char *bytes;

	if (size < 10)
		return 0;
	memcpy(&event.cursor, data, sizeof(event.cursor));
	event.cursor &= CURSOR_ID_MAX;
	event.kind = (enum event_kind)(data[8] % 4);
	bytes = fuzz_copy(data + 9, size - 9);
	rest = slice_of(bytes, size - 9);
	event.channel = cut(&rest);
	event.type = cut(&rest);
	event.key = cut(&rest);
	event.data = rest;
	check_all(&event);
	free(bytes);
	return 0;
}
