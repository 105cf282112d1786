/* trace: what became of an event, stream by stream. See trace.h. */
#include "broker/worker/answers/trace.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "broker/shared/record.h"
#include "broker/shared/report.h"
#include "broker/worker/access/revoked_apply.h"
#include "broker/worker/connection.h"
#include "broker/worker/cursor/follow.h"
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/facts.h"
#include "broker/worker/stream/ended.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"
#include "protocol/buf.h"
#include "protocol/cursor_id.h"
#include "protocol/json.h"

/* An answer that is being found. */
struct tracing {
	struct worker *worker;
	struct facts_event about;
	struct slice user; /* len 0: of all */
	size_t bytes;      /* of the event's data */
	char texts[EVENT_CHANNEL_MAX + EVENT_TYPE_MAX + EVENT_KEY_MAX];
	uint64_t counts[VERDICT_COUNT];
	uint64_t streams;
	size_t row_count;
	struct buf rows;
};

/* --- the event --- */

static struct slice
keep(char **to, struct slice text)
{
	struct slice kept = slice_of(*to, text.len);

	if (text.len > 0)
		memcpy(*to, text.bytes, text.len);
	*to += text.len;
	return kept;
}

static void
know(struct tracing *tracing, const struct event *event)
{
	struct event *to = &tracing->about.event;
	char *at = tracing->texts;

	*to = *event;
	to->channel = keep(&at, event->channel);
	to->type = keep(&at, event->type);
	to->key = keep(&at, event->key);
	to->data = slice_of("", 0);
	tracing->bytes = event->data.len;
	tracing->about.known = true;
}

static bool
take_stored(const struct event *event, void *context)
{
	struct tracing *tracing = context;

	if (event->cursor != tracing->about.event.cursor)
		return true;
	tracing->about.stored = true;
	know(tracing, event);
	return true;
}

static void
look_in_store(struct tracing *tracing)
{
	static const struct slice everything = {"*", 1};
	struct worker *worker = tracing->worker;
	uint64_t cursor = tracing->about.event.cursor;
	struct store_request request = {
	    .patterns = &everything,
	    .pattern_count = 1,
	    .after = cursor - 1,
	    .until = cursor,
	    .rows = 2,
	};
	uint64_t reached;

	worker_count(worker, METRIC_STORE_READS, 1);
	if (store_read_begin(worker->store) == -1 ||
	    store_read_events(
		worker->store, &request, take_stored, tracing, &reached) == -1)
		worker_count(worker, METRIC_STORE_FAILURES, 1);
	store_read_end(worker->store);
}

static void
look_in_window(struct tracing *tracing)
{
	const struct window *window = &tracing->worker->window;
	uint64_t cursor = tracing->about.event.cursor;
	uint64_t number = window_find(window, cursor - 1);
	const struct window_entry *entry;
	struct event event;

	if (number == window->end)
		return;
	entry = window_entry(window, number);
	event = window_event(window, entry);
	if (entry->cursor != cursor)
		return;
	tracing->about.in_window = true;
	know(tracing, &event);
}

static void
append_text(struct buf *json, const char *name, struct slice text)
{
	buf_printf(json, "\"%s\":", name);
	if (text.len > 0)
		json_append_string(json, text.bytes, text.len);
	else
		buf_append_text(json, "null");
	buf_append_char(json, ',');
}

static void
append_event(struct buf *json, const struct tracing *tracing)
{
	const struct event *event = &tracing->about.event;

	if (!tracing->about.known) {
		buf_append_text(json, "\"event\":null,");
		return;
	}
	buf_append_text(json, "\"event\":{");
	append_text(json, "channel", event->channel);
	append_text(json, "type", event->type);
	append_text(json, "key", event->key);
	buf_printf(json, "\"resync\":%s,\"bytes\":%zu,\"stored\":%s},",
	    event->kind == EVENT_RESYNC ? "true" : "false", tracing->bytes,
	    tracing->about.stored ? "true" : "false");
}

/* --- streams --- */

/* Begins a row. False: there is no room, or it is not to be shown. */
static bool
begin_row(struct tracing *tracing, const struct verdict_facts *facts,
    struct slice user, const char *address, const char *id)
{
	enum verdict verdict = verdict_find(facts);
	struct buf *rows = &tracing->rows;

	tracing->streams++;
	tracing->counts[verdict]++;
	if (tracing->user.len == 0 && verdict == VERDICT_NOT_SUBSCRIBED)
		return false;
	if (tracing->row_count == TRACE_ROWS || buf_length(rows) > TRACE_BYTES)
		return false;
	if (tracing->row_count++ > 0)
		buf_append_char(rows, ',');
	buf_printf(rows, "{\"worker\":%zu,\"stream\":\"%s\",\"user\":",
	    tracing->worker->heritage->worker + 1, id);
	json_append_string(rows, user.bytes, user.len);
	buf_printf(rows,
	    ",\"address\":\"%s\",\"verdict\":\"%s\",\"certain\":%s,\"why\":"
	    "\"%s\"",
	    address, verdict_word(verdict),
	    verdict_certain(facts) ? "true" : "false",
	    verdict_sentence(verdict));
	return true;
}

/* How far behind the newest event it is. */
static uint64_t
behind_ms(const struct worker *worker, const struct subscriber *subscriber)
{
	uint64_t head_ms = cursor_id_ms(worker->window.head);
	uint64_t at_ms = cursor_id_ms(facts_position(worker, subscriber));

	return head_ms > at_ms ? head_ms - at_ms : 0;
}

static void
add_stream(struct tracing *tracing, const struct subscriber *subscriber)
{
	char user_text[ADDRESS_TEXT_SIZE], address[ADDRESS_TEXT_SIZE];
	struct slice user = subscriber_user(subscriber, user_text);
	struct verdict_facts facts;

	if (tracing->user.len > 0 && !slice_equal(user, tracing->user))
		return;
	address_format(&subscriber->connection->peer, address);
	facts_find(&facts, tracing->worker, subscriber, &tracing->about);
	if (!begin_row(tracing, &facts, user, address, subscriber->id))
		return;
	buf_printf(&tracing->rows, ",\"behindMs\":%" PRIu64 "}",
	    behind_ms(tracing->worker, subscriber));
}

static void
add_ended(const struct ended_row *row, void *context)
{
	struct tracing *tracing = context;
	struct verdict_facts facts;

	if (tracing->user.len > 0 &&
	    !slice_equal(ended_user(row), tracing->user))
		return;
	ended_facts(&facts, tracing->worker, row, &tracing->about);
	if (!begin_row(
		tracing, &facts, ended_user(row), ended_address(row), row->id))
		return;
	buf_append_char(&tracing->rows, ',');
	report_append_time(&tracing->rows, "ended", row->at_ms);
	buf_printf(&tracing->rows, ",\"reason\":\"%s\"}", row->reason);
}

static void
add_all(struct tracing *tracing)
{
	for (const struct connection *connection = tracing->worker->connections;
	     connection != NULL; connection = connection->next) {
		if (connection->subscriber != NULL)
			add_stream(tracing, connection->subscriber);
	}
	ended_each(&tracing->worker->ended, add_ended, tracing);
}

/* --- the answer --- */

static void
append_answer(struct buf *json, const struct tracing *tracing)
{
	const struct worker *worker = tracing->worker;
	uint64_t since_ms = worker->ended.forgotten_ms > worker->began_ms
				? worker->ended.forgotten_ms
				: worker->began_ms;

	buf_append_char(json, '{');
	append_event(json, tracing);
	buf_printf(json,
	    "\"since\":%" PRIu64 ",\"streams\":%" PRIu64 ",\"counts\":[",
	    since_ms, tracing->streams);
	for (int i = 0; i < VERDICT_COUNT; i++)
		buf_printf(
		    json, "%s%" PRIu64, i > 0 ? "," : "", tracing->counts[i]);
	buf_append_text(json, "],\"rows\":[");
	buf_append(json, buf_bytes(&tracing->rows), buf_length(&tracing->rows));
	buf_append_text(json, "]}");
	json->failed |= buf_failed(&tracing->rows);
}

static void
answer_about(struct worker *worker, uint64_t cursor, struct slice user,
    struct buf *answer)
{
	struct tracing tracing = {
	    .worker = worker,
	    .about = {.event = {.cursor = cursor}},
	    .user = user,
	};

	/* Nobody lags behind what this worker itself has not read yet. */
	revoked_apply(worker);
	while (follow_ring(worker))
		;
	buf_init(&tracing.rows, 0);
	look_in_store(&tracing);
	look_in_window(&tracing);
	add_all(&tracing);
	append_answer(answer, &tracing);
	buf_finish(&tracing.rows);
}

void
trace_asked(struct worker *worker, struct slice json, struct buf *answer)
{
	json_t *root = json_loadb(json.bytes, json.len, 0, NULL);
	const char *text, *user = "";
	size_t text_len, user_len = 0;
	uint64_t cursor;

	if (json_unpack(root, "{s:s%, s?s%}", "cursor", &text, &text_len,
		"user", &user, &user_len) == 0 &&
	    cursor_id_parse(text, text_len, &cursor) == 0 && cursor > 0)
		answer_about(worker, cursor, slice_of(user, user_len), answer);
	json_decref(root);
}
