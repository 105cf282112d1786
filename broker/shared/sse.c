/*
 * sse: the bytes of an event stream. See sse.h.
 *
 * A tagged block:	id: CURSOR
 *			data:
 *{"channel":..,"type":..,"key":..,"ts":..,"data":..}
 *
 * A raw block:		id: CURSOR
 *			event: TYPE
 *			data: ..., one line for each line of the data
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

static void
append_tagged_data(struct buf *buf, const struct event *event)
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

/* id: the text of the cursor, which begins with the milliseconds. */
static void
append_tagged(struct buf *buf, const struct event *event, struct slice id)
{
	const char *dash = memchr(id.bytes, '-', id.len);

	APPEND(buf, "data: {\"channel\":");
	json_append_string(buf, event->channel.bytes, event->channel.len);
	if (event->type.len > 0) {
		APPEND(buf, ",\"type\":");
		json_append_string(buf, event->type.bytes, event->type.len);
	}
	if (event->key.len > 0) {
		APPEND(buf, ",\"key\":");
		json_append_string(buf, event->key.bytes, event->key.len);
	}
	APPEND(buf, ",\"ts\":");
	buf_append(buf, id.bytes, (size_t)(dash - id.bytes));
	APPEND(buf, ",\"data\":");
	append_tagged_data(buf, event);
	APPEND(buf, "}\n\n");
}

static void
append_raw(struct buf *buf, const struct event *event)
{
	if (event->type.len > 0) {
		APPEND(buf, "event: ");
		append_one_line(buf, event->type);
		buf_append_char(buf, '\n');
	}
	APPEND(buf, "data: ");
	append_lines(buf, event->data);
	APPEND(buf, "\n\n");
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
    struct buf *buf, const struct event *event, enum sse_format format)
{
	char text[CURSOR_ID_TEXT_SIZE];
	struct slice id;

	if (event->kind == EVENT_RESYNC) {
		append_resync(buf, event);
		return;
	}
	id = slice_of(text, cursor_id_format(event->cursor, text));
	APPEND(buf, "id: ");
	buf_append(buf, id.bytes, id.len);
	buf_append_char(buf, '\n');
	switch (format) {
	case SSE_TAGGED:
	case SSE_ENVELOPE:
		append_tagged(buf, event, id);
		break;
	case SSE_RAW:
		append_raw(buf, event);
		break;
	case SSE_FORMAT_COUNT:
		assert(format < SSE_FORMAT_COUNT);
		break;
	}
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
sse_append_control(
    struct buf *buf, const char *name, struct slice json, uint32_t retry_ms)
{
	if (retry_ms > 0) {
		APPEND(buf, "retry: ");
		append_number(buf, retry_ms);
		buf_append_char(buf, '\n');
	}
	APPEND(buf, "event: ");
	append_one_line(buf, slice_of_text(name));
	APPEND(buf, "\ndata: ");
	append_lines(buf, json);
	APPEND(buf, "\n\n");
}

void
sse_append_heartbeat(struct buf *buf)
{
	APPEND(buf, ":hb\n");
}
