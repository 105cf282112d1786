/* traces: questions about an event, and the answers put together. See
 * traces.h. */
#include "broker/hub/traces.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "broker/hub/hub_state.h"
#include "broker/hub/peers.h"
#include "broker/hub/publisher.h"
#include "broker/shared/report.h"
#include "broker/shared/verdict.h"
#include "protocol/cursor_id.h"
#include "protocol/json.h"
#include "protocol/json_walk.h"

enum { TRACE_MS = 1000 };

bool
traces_room(const struct traces *traces)
{
	return traces->count < TRACES_MAX;
}

static void
trace_free(struct traces *traces, struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		buf_finish(&trace->parts[i].text);
	free(trace->parts);
	*trace = (struct trace){.number = 0};
	traces->count--;
}

/* --- the answer --- */

/* What is put together of the parts. */
struct merging {
	struct buf *text;
	struct slice event; /* as the first that knows it says */
	uint64_t counts[VERDICT_COUNT];
	uint64_t streams;
	uint64_t rows;  /* written */
	uint64_t since; /* the youngest memory of ended streams */
};

/* The member of that name; len 0: it is missing. */
static struct slice
member(struct slice object, const char *name)
{
	struct json_walk walk;
	struct slice found, value;

	if (!json_walk_object(&walk, object))
		return slice_of(NULL, 0);
	while (json_walk_member(&walk, &found, &value)) {
		if (json_string_is(found, name))
			return value;
	}
	return slice_of(NULL, 0);
}

static uint64_t
number_of(struct slice digits)
{
	uint64_t number = 0;

	for (size_t i = 0; i < digits.len; i++) {
		if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
			return 0;
		number = number * 10 + (uint64_t)(digits.bytes[i] - '0');
	}
	return number;
}

static void
merge_counts(struct merging *merging, struct slice list)
{
	struct json_walk walk;
	struct slice value;

	if (!json_walk_array(&walk, list))
		return;
	for (size_t i = 0;
	     i < VERDICT_COUNT && json_walk_element(&walk, &value); i++)
		merging->counts[i] += number_of(value);
}

static void
merge_rows(struct merging *merging, struct slice list)
{
	struct json_walk walk;
	struct slice row;

	if (!json_walk_array(&walk, list))
		return;
	while (json_walk_element(&walk, &row)) {
		if (merging->rows == TRACE_ROWS_MAX ||
		    buf_length(merging->text) + row.len > TRACE_TEXT_BYTES)
			return;
		if (merging->rows++ > 0)
			buf_append_char(merging->text, ',');
		buf_append(merging->text, row.bytes, row.len);
	}
}

/* What a worker said; len 0: nothing. */
static struct slice
part_text(const struct trace *trace, size_t i)
{
	const struct trace_part *part = &trace->parts[i];

	if (part->state != TRACE_ANSWERED)
		return slice_of(NULL, 0);
	return slice_of(buf_bytes(&part->text), buf_length(&part->text));
}

static void
merge_numbers(struct merging *merging, const struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		struct slice text = part_text(trace, i);
		struct slice event;
		uint64_t since;

		if (text.len == 0)
			continue;
		event = member(text, "event");
		since = number_of(member(text, "since"));
		if (merging->event.len == 0 && !slice_is(event, "null"))
			merging->event = event;
		if (since > merging->since)
			merging->since = since;
		merging->streams += number_of(member(text, "streams"));
		merge_counts(merging, member(text, "counts"));
	}
}

static void
append_late(struct buf *text, const struct trace *trace)
{
	const char *before = "";

	buf_append_text(text, "\"late\":[");
	for (size_t i = 0; i < trace->count; i++) {
		if (trace->parts[i].state == TRACE_ANSWERED)
			continue;
		buf_printf(text, "%s%zu", before, i + 1);
		before = ",";
	}
	buf_append_text(text, "],");
}

static void
append_counts(const struct merging *merging)
{
	struct buf *text = merging->text;

	buf_printf(
	    text, "\"streams\":%" PRIu64 ",\"counts\":{", merging->streams);
	for (int i = 0; i < VERDICT_COUNT; i++)
		buf_printf(text, "%s\"%s\":%" PRIu64, i > 0 ? "," : "",
		    verdict_word((enum verdict)i), merging->counts[i]);
	buf_append_text(text, "},");
}

/* Appends all that was said; returns how many streams that is about. */
static uint64_t
put_together(const struct trace *trace, struct buf *text)
{
	struct merging merging = {.text = text};

	merge_numbers(&merging, trace);
	buf_append_char(text, '{');
	report_append_cursor(text, "cursor", trace->cursor);
	buf_append_char(text, ',');
	report_append_time(text, "published", cursor_id_ms(trace->cursor));
	buf_append_text(text, ",\"event\":");
	if (merging.event.len > 0)
		buf_append(text, merging.event.bytes, merging.event.len);
	else
		buf_append_text(text, "null");
	buf_append_char(text, ',');
	append_late(text, trace);
	report_append_time(text, "remembered", merging.since);
	buf_append_char(text, ',');
	append_counts(&merging);
	buf_append_text(text, "\"rows\":[");
	for (size_t i = 0; i < trace->count; i++)
		merge_rows(&merging, member(part_text(trace, i), "rows"));
	buf_append_text(text, "]}");
	return merging.streams;
}

static void
say(struct publisher *publisher, const struct trace *trace)
{
	uint64_t late = 0, streams;
	struct buf text;

	for (size_t i = 0; i < trace->count; i++)
		late += trace->parts[i].state != TRACE_ANSWERED;
	buf_init(&text, 0);
	streams = put_together(trace, &text);
	if (buf_failed(&text))
		publisher_fail_command(
		    publisher, trace->id, (struct fault){REFUSAL_BUSY, NULL});
	else
		publisher_done_trace(
		    publisher, trace->id, streams, late, &text);
	buf_finish(&text);
	publisher_flush(publisher);
}

static void
answer(struct hub *hub, struct trace *trace)
{
	if (trace->publisher != NULL)
		say(trace->publisher, trace);
	trace_free(&hub->traces, trace);
}

/* --- the question --- */

static void
write_question(struct buf *question, uint64_t cursor, struct slice user)
{
	buf_append_text(question, "{\"ask\":\"trace\",");
	report_append_cursor(question, "cursor", cursor);
	if (user.len > 0) {
		buf_append_text(question, ",\"user\":");
		json_append_string(question, user.bytes, user.len);
	}
	buf_append_char(question, '}');
}

static void
ask_all(struct hub *hub, struct trace *trace, struct slice user)
{
	struct buf question;

	buf_init(&question, 0);
	write_question(&question, trace->cursor, user);
	for (size_t i = 0; i < trace->count; i++) {
		struct trace_part *part = &trace->parts[i];
		struct slice text =
		    slice_of(buf_bytes(&question), buf_length(&question));

		buf_init(&part->text, 0);
		part->state = TRACE_MISSING;
		if (buf_failed(&question) ||
		    !peers_ask_own(hub, i, trace->number, text))
			continue;
		part->state = TRACE_ASKED;
		trace->open++;
	}
	buf_finish(&question);
}

static void
begin(struct hub *hub, struct trace *trace, struct slice user)
{
	hub->traces.count++;
	hub_count(hub, METRIC_COMMANDS, 1);
	trace->number = ++hub->traces.last_number;
	trace->deadline_ms = hub_steady_ms() + TRACE_MS;
	trace->parts = calloc(hub->heritage->workers, sizeof(trace->parts[0]));
	if (trace->parts == NULL) {
		publisher_fail_command(trace->publisher, trace->id,
		    (struct fault){REFUSAL_BUSY, NULL});
		trace_free(&hub->traces, trace);
		return;
	}
	trace->count = hub->heritage->workers;
	ask_all(hub, trace, user);
	if (trace->open == 0)
		answer(hub, trace);
}

void
traces_take(
    struct hub *hub, struct publisher *publisher, const struct message *message)
{
	struct traces *traces = &hub->traces;
	struct trace *trace = traces->open;
	uint64_t cursor = 0;

	assert(traces_room(traces));
	(void)cursor_id_parse(
	    message->pattern.bytes, message->pattern.len, &cursor);
	if (cursor > hub->last_cursor) {
		publisher_fail_command(publisher, message->id,
		    (struct fault){REFUSAL_CURSOR, "cursor"});
		return;
	}
	while (trace->number != 0)
		trace++;
	*trace = (struct trace){
	    .publisher = publisher,
	    .id = message->id,
	    .cursor = cursor,
	};
	begin(hub, trace, message->user);
}

/* --- what comes --- */

static void
close_part(
    struct hub *hub, struct trace *trace, size_t worker, struct slice text)
{
	struct trace_part *part;

	if (trace->number == 0 || worker >= trace->count)
		return;
	part = &trace->parts[worker];
	if (part->state != TRACE_ASKED)
		return;
	buf_append(&part->text, text.bytes, text.len);
	part->state = text.len > 0 && !buf_failed(&part->text) ? TRACE_ANSWERED
							       : TRACE_MISSING;
	if (--trace->open == 0)
		answer(hub, trace);
}

void
traces_answer(
    struct hub *hub, size_t worker, uint64_t number, struct slice text)
{
	if (!json_valid(text.bytes, text.len))
		text = slice_of(NULL, 0);
	for (size_t i = 0; i < TRACES_MAX; i++) {
		if (hub->traces.open[i].number == number)
			close_part(hub, &hub->traces.open[i], worker, text);
	}
}

void
traces_lose(struct hub *hub, size_t worker)
{
	for (size_t i = 0; i < TRACES_MAX; i++)
		close_part(
		    hub, &hub->traces.open[i], worker, slice_of(NULL, 0));
}

void
traces_tick(struct hub *hub)
{
	for (size_t i = 0; i < TRACES_MAX; i++) {
		struct trace *trace = &hub->traces.open[i];

		if (trace->number != 0 && hub_steady_ms() >= trace->deadline_ms)
			answer(hub, trace);
	}
}

void
traces_drop(struct traces *traces, const struct publisher *gone)
{
	for (size_t i = 0; i < TRACES_MAX; i++) {
		if (traces->open[i].publisher == gone)
			traces->open[i].publisher = NULL;
	}
}

void
traces_finish(struct traces *traces)
{
	for (size_t i = 0; i < TRACES_MAX; i++) {
		if (traces->open[i].number != 0)
			trace_free(traces, &traces->open[i]);
	}
}
