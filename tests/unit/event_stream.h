/*
 * event_stream: reads an event stream as a browser does (WHATWG HTML,
 * "Interpreting an event stream"), written from that text and sharing nothing
 * with the code under test. For the tests of sse.
 */
#ifndef TESTS_UNIT_EVENT_STREAM_H
#define TESTS_UNIT_EVENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct text {
	char *bytes;
	size_t len;
};

/* What an application sees of one event. */
struct seen_event {
	struct text name; /* len 0: a plain message */
	struct text data;
	struct text id; /* the last event id, when it was dispatched */
};

struct event_stream {
	struct seen_event *events;
	size_t count;
	size_t comments;
	size_t ids;     /* id lines */
	size_t retries; /* valid retry lines */
	size_t unknown; /* lines with any other field */
	struct text name, data, id;
};

static inline void
text_append(struct text *text, const char *bytes, size_t len)
{
	/* One byte more, so that there is always something to point at. */
	text->bytes = realloc(text->bytes, text->len + len + 1);
	if (text->bytes == NULL)
		abort();
	if (len > 0)
		memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

static inline struct text
text_copy(const char *bytes, size_t len)
{
	struct text text = {NULL, 0};

	text_append(&text, bytes, len);
	return text;
}

static inline void
text_clear(struct text *text)
{
	free(text->bytes);
	*text = (struct text){NULL, 0};
}

static inline void
event_stream_dispatch(struct event_stream *stream)
{
	struct seen_event *event;

	if (stream->data.len == 0) {
		text_clear(&stream->name);
		return;
	}
	stream->events = realloc(
	    stream->events, (stream->count + 1) * sizeof(*stream->events));
	if (stream->events == NULL)
		abort();
	event = &stream->events[stream->count++];
	event->name = stream->name;
	/* Without the line feed after the last line. */
	event->data = text_copy(stream->data.bytes, stream->data.len - 1);
	event->id = text_copy(stream->id.bytes, stream->id.len);
	text_clear(&stream->data);
	stream->name = (struct text){NULL, 0};
}

static inline bool
event_stream_is(const char *field, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(field, name, len) == 0;
}

static inline void
event_stream_field(struct event_stream *stream, const char *field,
    size_t field_len, const char *value, size_t len)
{
	if (event_stream_is(field, field_len, "event")) {
		text_clear(&stream->name);
		text_append(&stream->name, value, len);
	} else if (event_stream_is(field, field_len, "data")) {
		text_append(&stream->data, value, len);
		text_append(&stream->data, "\n", 1);
	} else if (event_stream_is(field, field_len, "id")) {
		stream->ids++;
		if (len > 0 && memchr(value, '\0', len) != NULL)
			return;
		text_clear(&stream->id);
		text_append(&stream->id, value, len);
	} else if (event_stream_is(field, field_len, "retry")) {
		for (size_t i = 0; i < len; i++) {
			if (value[i] < '0' || value[i] > '9')
				return;
		}
		stream->retries++;
	} else {
		stream->unknown++;
	}
}

static inline void
event_stream_line(struct event_stream *stream, const char *line, size_t len)
{
	const char *colon = len > 0 ? memchr(line, ':', len) : NULL;
	const char *value = line + len;

	if (len == 0) {
		event_stream_dispatch(stream);
		return;
	}
	if (colon == line) {
		stream->comments++;
		return;
	}
	if (colon != NULL) {
		value = colon + 1;
		if (value < line + len && *value == ' ')
			value++;
	}
	event_stream_field(stream, line,
	    colon != NULL ? (size_t)(colon - line) : len, value,
	    (size_t)(line + len - value));
}

/* Reads a whole stream; what is not ended by an empty line is dropped. */
static inline void
event_stream_read(struct event_stream *stream, const char *bytes, size_t len)
{
	size_t at = 0, first;

	memset(stream, 0, sizeof(*stream));
	if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
		at = 3;
	for (first = at; at < len; first = at) {
		while (at < len && bytes[at] != '\n' && bytes[at] != '\r')
			at++;
		if (at == len)
			return;
		event_stream_line(stream, bytes + first, at - first);
		at += bytes[at] == '\r' && at + 1 < len && bytes[at + 1] == '\n'
			  ? 2
			  : 1;
	}
}

static inline void
event_stream_finish(struct event_stream *stream)
{
	for (size_t i = 0; i < stream->count; i++) {
		text_clear(&stream->events[i].name);
		text_clear(&stream->events[i].data);
		text_clear(&stream->events[i].id);
	}
	free(stream->events);
	text_clear(&stream->name);
	text_clear(&stream->data);
	text_clear(&stream->id);
}

/* The text as it comes out of data lines: every line end is a line feed. */
static inline struct text
text_with_line_feeds(const char *bytes, size_t len)
{
	struct text text = {NULL, 0};

	text_append(&text, "", 0);
	for (size_t i = 0; i < len; i++) {
		bool pair =
		    bytes[i] == '\r' && i + 1 < len && bytes[i + 1] == '\n';

		if (!pair)
			text_append(
			    &text, bytes[i] == '\r' ? "\n" : bytes + i, 1);
	}
	return text;
}

#endif
