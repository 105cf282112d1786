/* control: what a stream says by itself. See control.h. */
#include "broker/worker/control.h"

#include <inttypes.h>
#include <string.h>

#include "broker/shared/report.h"
#include "broker/worker/access/permit.h"
#include "broker/worker/connection.h"
#include "broker/worker/cursor/frame.h"
#include "broker/worker/cursor/packed.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"
#include "protocol/cursor_id.h"
#include "protocol/json.h"

/* Appends a block to what the connection is to send, as a chunk where there are
 * chunks. */
static void
send_block(struct connection *connection, struct buf *block)
{
	struct subscriber *subscriber = connection->subscriber;
	struct buf *out = subscriber != NULL ? subscriber_outlet(subscriber)
					     : &connection->out;

	if (subscriber != NULL)
		subscriber_note_said(subscriber, buf_length(block));
	if (buf_failed(block))
		out->failed = true;
	else if (subscriber != NULL && subscriber->compressed)
		packed_say(subscriber, block);
	else if (connection->http_minor > 0)
		frame_append_chunk(out, block);
	else
		buf_append(out, buf_bytes(block), buf_length(block));
	buf_finish(block);
}

static void
send_control(struct connection *connection, const char *name, struct buf *json,
    uint32_t retry_ms)
{
	struct buf block;

	buf_init(&block, 0);
	block.failed = buf_failed(json);
	sse_append_control(&block, slice_of_text(name),
	    slice_of(buf_bytes(json), buf_length(json)), retry_ms);
	buf_finish(json);
	send_block(connection, &block);
}

void
control_list_add(struct buf *list, struct slice name)
{
	if (buf_length(list) > 0)
		buf_append_char(list, ',');
	json_append_string(list, name.bytes, name.len);
}

/* --- notices, as the block words them --- */

struct saying {
	struct worker *worker;
	const struct subscriber *subscriber;
	const struct slice *refused;
	size_t refused_count;
	uint64_t cursor;
};

static void
append_cursor(struct buf *buf, uint64_t cursor)
{
	char text[CURSOR_ID_TEXT_SIZE];

	json_append_string(buf, text, cursor_id_format(cursor, text));
}

static void
append_channels(struct buf *buf, const struct subscriber *subscriber)
{
	buf_append_char(buf, '[');
	for (size_t i = 0; i < subscriber->member_count; i++) {
		struct slice pattern =
		    channels_pattern(&subscriber->members[i]);

		if (i > 0)
			buf_append_char(buf, ',');
		json_append_string(buf, pattern.bytes, pattern.len);
	}
	buf_append_char(buf, ']');
}

static void
append_refused(struct buf *buf, const struct saying *saying)
{
	buf_append_char(buf, '[');
	for (size_t i = 0; i < saying->refused_count; i++) {
		struct slice pattern = saying->refused[i];

		if (i > 0)
			buf_append_char(buf, ',');
		json_append_string(buf, pattern.bytes, pattern.len);
	}
	buf_append_char(buf, ']');
}

static void
append_user(struct buf *buf, const struct subscriber *subscriber)
{
	struct slice user = permit_user(subscriber->permit);

	json_append_string(buf, user.bytes, user.len);
}

static void
append_value(
    struct buf *buf, enum notice_placeholder placeholder, const void *context)
{
	const struct saying *saying = context;
	const struct subscriber *subscriber = saying->subscriber;

	switch (placeholder) {
	case NOTICE_CHANNELS:
		append_channels(buf, subscriber);
		break;
	case NOTICE_REFUSED:
		append_refused(buf, saying);
		break;
	case NOTICE_CURSOR:
		if (subscriber->snapshots != NULL)
			buf_append_text(buf, "null");
		else
			append_cursor(buf, saying->cursor);
		break;
	case NOTICE_TS:
		buf_printf(buf, "%" PRIu64, worker_now_ms(saying->worker));
		break;
	case NOTICE_STREAM:
		json_append_string(buf, subscriber->id, strlen(subscriber->id));
		break;
	case NOTICE_USER:
		append_user(buf, subscriber);
		break;
	case NOTICE_HEARTBEAT:
		buf_printf(buf, "%" PRIu64,
		    subscriber->block->heartbeat_interval / 1000);
		break;
	case NOTICE_PLACEHOLDER_COUNT:
		break;
	}
}

/* Appends the notice to the block that is to be sent. */
static void
append_notice(struct buf *block, const struct notice *notice,
    const struct saying *saying, uint32_t retry_ms)
{
	struct buf text;

	switch (notice->kind) {
	case NOTICE_NONE:
		/* It goes on to be the first line of the first event. */
		if (retry_ms > 0)
			sse_append_retry(block, retry_ms);
		break;
	case NOTICE_COMMENT:
		sse_append_heartbeat(block);
		break;
	case NOTICE_DATA:
	case NOTICE_EVENT:
		buf_init(&text, 0);
		notice_append_text(&text, notice, append_value, saying);
		sse_append_control(block,
		    slice_of_text(notice->name != NULL ? notice->name : ""),
		    slice_of(buf_bytes(&text), buf_length(&text)), retry_ms);
		block->failed |= buf_failed(&text);
		buf_finish(&text);
		break;
	}
}

static void
send_notice(
    const struct notice *notice, const struct saying *saying, uint32_t retry_ms)
{
	struct buf block;

	if (notice->kind == NOTICE_NONE && retry_ms == 0)
		return;
	buf_init(&block, 0);
	append_notice(&block, notice, saying, retry_ms);
	send_block(saying->subscriber->connection, &block);
}

void
control_greet(struct worker *worker, struct subscriber *subscriber,
    const struct slice *refused, size_t refused_count)
{
	const struct saying saying = {
	    worker, subscriber, refused, refused_count, subscriber->cursor};

	send_notice(
	    &subscriber->block->greeting, &saying, worker_retry_ms(worker));
}

void
control_live(struct worker *worker, struct subscriber *subscriber)
{
	const struct saying saying = {
	    worker, subscriber, NULL, 0, worker->window.head};

	send_notice(&subscriber->block->live, &saying, 0);
}

/* {"channels":[...],"reason":"..."} */
static void
append_list(struct buf *json, const struct buf *list, const char *reason)
{
	buf_append_text(json, "{\"channels\":[");
	buf_append(json, buf_bytes(list), buf_length(list));
	buf_append_text(json, "],\"reason\":\"");
	buf_append_text(json, reason);
	buf_append_text(json, "\"}");
	json->failed |= buf_failed(list);
}

void
control_heartbeat(struct worker *worker, struct subscriber *subscriber)
{
	/* Not what is held back. */
	uint64_t cursor = subscriber->place == SUBSCRIBER_HELD
			      ? subscriber->cursor
			      : worker->window.head;
	const struct saying saying = {worker, subscriber, NULL, 0, cursor};

	send_notice(&subscriber->block->heartbeat, &saying, 0);
}

/* --- control events, the same on every stream --- */

void
control_resync(
    struct subscriber *subscriber, const struct buf *list, const char *reason)
{
	struct worker *worker = subscriber->connection->worker;
	struct buf json;

	worker_count(worker, METRIC_RESYNCS, 1);
	buf_init(&json, 0);
	append_list(&json, list, reason);
	send_control(subscriber->connection, "resync", &json, 0);
}

void
control_snapshot(struct subscriber *subscriber, const struct buf *list)
{
	struct buf json;

	buf_init(&json, 0);
	buf_append_text(&json, "{\"channels\":[");
	buf_append(&json, buf_bytes(list), buf_length(list));
	buf_append_text(&json, "]}");
	json.failed |= buf_failed(list);
	send_control(subscriber->connection, "snapshot", &json, 0);
}

void
control_subscribed(struct subscriber *subscriber, const struct buf *added,
    const struct buf *refused, const struct buf *removed)
{
	struct buf json;

	buf_init(&json, 0);
	buf_append_text(&json, "{\"channels\":[");
	buf_append(&json, buf_bytes(added), buf_length(added));
	buf_append_text(&json, "],\"refused\":[");
	buf_append(&json, buf_bytes(refused), buf_length(refused));
	buf_append_text(&json, "],\"unsubscribed\":[");
	buf_append(&json, buf_bytes(removed), buf_length(removed));
	buf_append_text(&json, "]}");
	json.failed |=
	    buf_failed(added) || buf_failed(refused) || buf_failed(removed);
	send_control(subscriber->connection, "subscribed", &json, 0);
}

void
control_revoked(
    struct subscriber *subscriber, const struct buf *list, const char *reason)
{
	struct buf json;

	buf_init(&json, 0);
	append_list(&json, list, reason);
	send_control(subscriber->connection, "revoked", &json, 0);
}

void
control_token_expiring(
    struct subscriber *subscriber, uint64_t expires_ms, uint64_t now_ms)
{
	uint64_t left_ms = expires_ms > now_ms ? expires_ms - now_ms : 0;
	struct buf json;

	buf_init(&json, 0);
	buf_append_char(&json, '{');
	report_append_time(&json, "expires", expires_ms);
	buf_printf(&json, ",\"seconds\":%" PRIu64 "}", (left_ms + 999) / 1000);
	send_control(subscriber->connection, "token-expiring", &json, 0);
}

void
control_bye(
    struct worker *worker, struct connection *connection, const char *reason)
{
	struct buf json;

	if (connection->subscriber != NULL)
		connection->subscriber->reason = reason;
	buf_init(&json, 0);
	buf_append_text(&json, "{\"reason\":\"");
	buf_append_text(&json, reason);
	buf_append_text(&json, "\"}");
	send_control(connection, "bye", &json, worker_retry_ms(worker));
}
