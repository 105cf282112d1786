/*
 * Fuzzes what the load generator reads: an answer's head, its chunks, gzip or
 * zstd, and the event stream within. In whatever pieces it comes, it is read
 * alike; and the events are those that a reader sees that shares nothing with
 * this one.
 */
#include <stdbool.h>

#include "tests/bench/answer.h"
#include "tests/bench/sse_parser.h"
#include "tests/bench/unpack.h"
#include "tests/bench/wire.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/event_stream.h"

/* What came out of it, in order. */
struct outcome {
	struct answer answer;
	struct sse_parser parser;
	struct unpack *unpack;
	bool bad; /* its coding */
	size_t count;
	struct text body;   /* unpacked */
	struct text events; /* type, NUL, data, NUL of each */
};

static void
take_event(const char *type, const char *data, void *context)
{
	struct outcome *outcome = context;
	struct wire_mark mark;

	must(strlen(type) < SSE_TYPE && strlen(data) <= SSE_KEPT);
	wire_read_mark(data, &mark);
	outcome->count++;
	text_append(&outcome->events, type, strlen(type) + 1);
	text_append(&outcome->events, data, strlen(data) + 1);
}

static void
take_text(const char *bytes, size_t len, void *context)
{
	struct outcome *outcome = context;

	must(len > 0);
	text_append(&outcome->body, bytes, len);
	sse_parser_take(&outcome->parser, bytes, len, take_event, outcome);
}

static void
take_body(const char *bytes, size_t len, void *context)
{
	struct outcome *outcome = context;

	if (outcome->answer.coding == UNPACK_NOTHING) {
		take_text(bytes, len, context);
		return;
	}
	if (outcome->unpack == NULL)
		outcome->unpack = unpack_create(outcome->answer.coding);
	/* NULL: zstd, in a build without it. */
	outcome->bad =
	    outcome->bad || outcome->unpack == NULL ||
	    unpack_take(outcome->unpack, bytes, len, take_text, outcome) == -1;
}

static struct outcome
read_in(const char *bytes, size_t size, size_t piece)
{
	struct outcome outcome = {.count = 0};

	for (size_t at = 0; at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;
		char *copy = fuzz_copy(bytes + at, len);

		answer_take(&outcome.answer, copy, len, take_body, &outcome);
		free(copy);
	}
	return outcome;
}

static void
finish(struct outcome *outcome)
{
	unpack_destroy(outcome->unpack);
	text_clear(&outcome->body);
	text_clear(&outcome->events);
}

static bool
same(const struct text *one, const struct text *other)
{
	return one->len == other->len &&
	       (one->len == 0 ||
		   memcmp(one->bytes, other->bytes, one->len) == 0);
}

/* Are all lines, and all data, short enough to be kept whole? */
static bool
all_is_kept(const struct event_stream *stream, const struct text *body)
{
	size_t line = 0;

	for (size_t i = 0; i < body->len; i++) {
		bool ends = body->bytes[i] == '\n' || body->bytes[i] == '\r';

		line = ends ? 0 : line + 1;
		if (line > SSE_KEPT)
			return false;
	}
	for (size_t i = 0; i < stream->count; i++)
		if (stream->events[i].data.len > SSE_KEPT)
			return false;
	return true;
}

/* As much of the name as is kept, up to a NUL, as a string. */
static size_t
kept_of(const struct text *text, size_t most)
{
	size_t len = text->len < most ? text->len : most;

	return text->bytes == NULL ? 0 : strnlen(text->bytes, len);
}

/* Holds the events against those of another reader. */
static void
check_events(const struct outcome *outcome)
{
	struct event_stream stream;
	const char *at = outcome->events.bytes;

	event_stream_read(&stream, outcome->body.bytes, outcome->body.len);
	must(stream.count == outcome->count);
	if (all_is_kept(&stream, &outcome->body)) {
		for (size_t i = 0; i < stream.count; i++) {
			const struct seen_event *event = &stream.events[i];
			size_t name = kept_of(&event->name, SSE_TYPE - 1);
			size_t data = kept_of(&event->data, SSE_KEPT);

			must(strlen(at) == name);
			must(name == 0 ||
			     memcmp(at, event->name.bytes, name) == 0);
			at += name + 1;
			must(strlen(at) == data);
			must(data == 0 ||
			     memcmp(at, event->data.bytes, data) == 0);
			at += data + 1;
		}
	}
	event_stream_finish(&stream);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	if (size < 2)
		return 0;
	/* The first byte says how long the pieces are. */
	whole = read_in((const char *)data + 1, size - 1, size);
	pieces = read_in((const char *)data + 1, size - 1, 1 + data[0] % 32);
	must(whole.answer.place == pieces.answer.place);
	must(whole.answer.status == pieces.answer.status);
	must(whole.answer.place == ANSWER_HEAD ||
	     whole.answer.place == ANSWER_BROKEN || whole.answer.status > 0);
	must(whole.bad == pieces.bad);
	/* Of zstd that is bad, what came before in the same piece is lost. */
	if (!whole.bad || whole.answer.coding != UNPACK_ZSTD) {
		must(same(&whole.body, &pieces.body));
		must(whole.count == pieces.count);
		must(same(&whole.events, &pieces.events));
	}
	check_events(&whole);
	finish(&whole);
	finish(&pieces);
	return 0;
}
