/*
 * sse: the bytes of an event stream. See sse.h.
 *
 *	id: CURSOR		but not in a snapshot
 *	event: TYPE		where the shape names events
 *	data: ...		what the shape makes of the event
 *
 * A tagged and an enveloped event is one line of JSON, but for JSON that was
 * published in several lines; a raw one has one line for each line of its data.
 *
 * This is run for every event that is sent, so numbers are written by hand
 * and runs of bytes are found with memchr().
 */
#include "broker/shared/sse.h"

#include <assert.h>
#include <string.h>

#include "protocol/buf.h"
#include "protocol/cursor_id.h"
#include "protocol/json.h"

/* Appends a text constant, whose length the compiler knows. */
#define APPEND(buf, constant) buf_append(buf, constant, sizeof(constant) - 1)

/*
 * Appends text as the rest of a data line that is open; every line end in it
 * ends that line and opens another. The last line stays open.
 */
static void
append_lines(struct buf *buf, struct slice text)
{
	const char *at = text.bytes;
	size_t left = text.len;

	while (left > 0) {
		const char *feed = memchr(at, '\n', left);
		const char *end = feed == NULL ? at + left : feed;
		const char *stop;

		/* The line feed is looked for once, however many carriage
		 * returns stand before it: the work stays linear. */
		while ((stop = memchr(at, '\r', end - at)) != NULL &&
		       stop + 1 != feed) {
			buf_append(buf, at, stop - at);
			APPEND(buf, "\ndata: ");
			at = stop + 1;
		}
		buf_append(buf, at, (stop == NULL ? end : stop) - at);
		if (feed == NULL)
			return;
		APPEND(buf, "\ndata: ");
		at = feed + 1;
		left = (size_t)(text.bytes + text.len - at);
	}
}

/*
 * Appends the value of a line that cannot be continued. Accepted events have
 * no control characters in their type; a store that was tampered with may,
 * and must not forge a line all the same.
 */
static void
append_one_line(struct buf *buf, struct slice text)
{
	char *room = buf_reserve(buf, text.len);

	if (room == NULL)
		return;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.bytes[i];

		room[i] = c == '\n' || c == '\r' ? ' ' : c;
	}
	buf_commit(buf, text.len);
}

/* As a JSON value. */
static void
append_data(struct buf *buf, const struct event *event)
{
	struct slice data = event->data;

	switch (event->kind) {
	case EVENT_TEXT:
		json_append_string(buf, data.bytes, data.len);
		break;
	case EVENT_JSON:
		append_lines(buf, data);
		break;
	case EVENT_BYTES:
		json_append_base64(buf, data.bytes, data.len);
		break;
	case EVENT_RESYNC:
		break; /* a control event: not written here */
	}
}

static void
append_string(struct buf *buf, struct slice text)
{
	json_append_string(buf, text.bytes, text.len);
}

/* The milliseconds, with which the text of a cursor begins. */
static void
append_ts(struct buf *buf, struct slice id)
{
	const char *dash = memchr(id.bytes, '-', id.len);

	buf_append(buf, id.bytes, (size_t)(dash - id.bytes));
}

/* What the object of an event begins with. */
static void
append_members(struct buf *buf, const struct event *event, struct slice id)
{
	APPEND(buf, "\"channel\":");
	append_string(buf, event->channel);
	if (event->type.len > 0) {
		APPEND(buf, ",\"type\":");
		append_string(buf, event->type);
	}
	if (event->key.len > 0) {
		APPEND(buf, ",\"key\":");
		append_string(buf, event->key);
	}
	APPEND(buf, ",\"ts\":");
	append_ts(buf, id);
}

static void
append_tagged(struct buf *buf, const struct event *event, struct slice id,
    const struct sse_shape *shape)
{
	APPEND(buf, "data: {");
	append_members(buf, event, id);
	if (shape->snapshot)
		APPEND(buf, ",\"snapshot\":true");
	APPEND(buf, ",\"data\":");
	append_data(buf, event);
	APPEND(buf, "}\n\n");
}

static void
append_raw(struct buf *buf, const struct event *event)
{
	APPEND(buf, "data: ");
	append_lines(buf, event->data);
	APPEND(buf, "\n\n");
}

static struct slice
last_segment(struct slice channel)
{
	const char *colon = memrchr(channel.bytes, ':', channel.len);
	size_t skipped =
	    colon == NULL ? 0 : (size_t)(colon + 1 - channel.bytes);

	return slice_of(channel.bytes + skipped, channel.len - skipped);
}

static void
append_source(struct buf *buf, enum sse_source source,
    const struct event *event, struct slice id)
{
	switch (source) {
	case SSE_CHANNEL:
		append_string(buf, event->channel);
		break;
	case SSE_CHANNEL_LAST:
		append_string(buf, last_segment(event->channel));
		break;
	case SSE_TYPE:
		append_string(buf, event->type);
		break;
	case SSE_KEY:
		append_string(buf, event->key);
		break;
	case SSE_TS:
		append_ts(buf, id);
		break;
	case SSE_DATA:
		append_data(buf, event);
		break;
	case SSE_CURSOR:
		append_string(buf, id);
		break;
	case SSE_SNAPSHOT:
		APPEND(buf, "true");
		break;
	case SSE_SOURCE_COUNT:
		assert(source < SSE_SOURCE_COUNT);
		break;
	}
}

/* Is there nothing that this field could hold? */
static bool
is_left_out(enum sse_source source, const struct event *event,
    const struct sse_shape *shape)
{
	return (source == SSE_TYPE && event->type.len == 0) ||
	       (source == SSE_KEY && event->key.len == 0) ||
	       (source == SSE_SNAPSHOT && !shape->snapshot);
}

static void
append_envelope(struct buf *buf, const struct event *event, struct slice id,
    const struct sse_shape *shape)
{
	char joint = '{';

	APPEND(buf, "data: ");
	for (size_t i = 0; i < shape->field_count; i++) {
		const struct sse_field *field = &shape->fields[i];

		if (is_left_out(field->source, event, shape))
			continue;
		buf_append_char(buf, joint);
		buf_append(buf, field->name, field->name_len);
		append_source(buf, field->source, event, id);
		joint = ',';
	}
	if (joint == '{')
		buf_append_char(buf, joint);
	APPEND(buf, "}\n\n");
}

static void
append_name(struct buf *buf, struct slice name)
{
	if (name.len == 0)
		return;
	APPEND(buf, "event: ");
	append_one_line(buf, name);
	buf_append_char(buf, '\n');
}

static void
append_resync(struct buf *buf, const struct event *event)
{
	APPEND(buf, "event: resync\ndata: {\"channels\":[");
	json_append_string(buf, event->channel.bytes, event->channel.len);
	APPEND(buf, "],\"reason\":\"publisher\"}\n\n");
}

void
sse_append_event(
    struct buf *buf, const struct event *event, const struct sse_shape *shape)
{
	char text[CURSOR_ID_TEXT_SIZE];
	struct slice id;

	if (event->kind == EVENT_RESYNC) {
		append_resync(buf, event);
		return;
	}
	id = slice_of(text, cursor_id_format(event->cursor, text));
	if (!shape->snapshot) {
		APPEND(buf, "id: ");
		buf_append(buf, id.bytes, id.len);
		buf_append_char(buf, '\n');
	}
	if (shape->names_events)
		append_name(buf, event->type);
	switch (shape->format) {
	case SSE_TAGGED:
		append_tagged(buf, event, id, shape);
		break;
	case SSE_RAW:
		append_raw(buf, event);
		break;
	case SSE_ENVELOPE:
		append_envelope(buf, event, id, shape);
		break;
	case SSE_FORMAT_COUNT:
		assert(shape->format < SSE_FORMAT_COUNT);
		break;
	}
}

void
sse_append_object(struct buf *buf, const struct event *event)
{
	char text[CURSOR_ID_TEXT_SIZE];
	struct slice id = slice_of(text, cursor_id_format(event->cursor, text));

	APPEND(buf, "{\"cursor\":");
	append_string(buf, id);
	buf_append_char(buf, ',');
	append_members(buf, event, id);
	APPEND(buf, ",\"data\":");
	/* Its line ends stay: there are no data lines here. */
	if (event->kind == EVENT_JSON)
		buf_append(buf, event->data.bytes, event->data.len);
	else
		append_data(buf, event);
	buf_append_char(buf, '}');
}

static void
append_number(struct buf *buf, uint32_t number)
{
	char digits[10];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	buf_append(buf, digits + at, sizeof(digits) - at);
}

void
sse_append_retry(struct buf *buf, uint32_t retry_ms)
{
	APPEND(buf, "retry: ");
	append_number(buf, retry_ms);
	buf_append_char(buf, '\n');
}

void
sse_append_control(
    struct buf *buf, struct slice name, struct slice data, uint32_t retry_ms)
{
	if (retry_ms > 0)
		sse_append_retry(buf, retry_ms);
	append_name(buf, name);
	APPEND(buf, "data: ");
	append_lines(buf, data);
	APPEND(buf, "\n\n");
}

void
sse_append_heartbeat(struct buf *buf)
{
	APPEND(buf, ":hb\n");
}
