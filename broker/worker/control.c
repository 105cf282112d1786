/* control: control events and the heartbeat. See control.h. */
#include "broker/worker/control.h"

#include "broker/shared/report.h"
#include "broker/worker/connection.h"
#include "broker/worker/frame.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"
#include "protocol/json.h"

/* Appends a block to the connection, as a chunk where there are chunks. */
static void
send_block(struct connection *connection, struct buf *block)
{
	if (buf_failed(block))
		connection->out.failed = true;
	else if (connection->http_minor > 0)
		frame_append_chunk(&connection->out, block);
	else
		buf_append(
		    &connection->out, buf_bytes(block), buf_length(block));
	buf_finish(block);
}

static void
send_control(struct connection *connection, const char *name, struct buf *json,
    uint32_t retry_ms)
{
	struct buf block;

	buf_init(&block, 0);
	block.failed = buf_failed(json);
	sse_append_control(&block, name,
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

void
control_connected(struct worker *worker, struct subscriber *subscriber)
{
	uint64_t heartbeat_s = worker->config->http_heartbeat / 1000;
	struct buf json;

	buf_init(&json, 0);
	buf_append_text(&json, "{\"stream\":\"");
	buf_append_text(&json, subscriber->id);
	buf_append_text(&json, "\",\"channels\":[");
	for (size_t i = 0; i < subscriber->member_count; i++) {
		struct slice pattern =
		    channels_pattern(&subscriber->members[i]);

		if (i > 0)
			buf_append_char(&json, ',');
		json_append_string(&json, pattern.bytes, pattern.len);
	}
	buf_append_text(&json, "],\"refused\":[],");
	report_append_cursor(&json, "cursor", subscriber->cursor);
	buf_printf(&json, ",\"heartbeat\":%u}", (unsigned)heartbeat_s);
	send_control(subscriber->connection, "connected", &json,
	    worker_retry_ms(worker));
}

void
control_live(struct worker *worker, struct subscriber *subscriber)
{
	struct buf json;

	buf_init(&json, 0);
	buf_append_char(&json, '{');
	report_append_cursor(&json, "cursor", worker->window.head);
	buf_append_char(&json, '}');
	send_control(subscriber->connection, "live", &json, 0);
}

void
control_resync(
    struct subscriber *subscriber, const struct buf *list, const char *reason)
{
	struct worker *worker = subscriber->connection->worker;
	struct buf json;

	worker_count(worker, METRIC_RESYNCS, 1);
	buf_init(&json, 0);
	buf_append_text(&json, "{\"channels\":[");
	buf_append(&json, buf_bytes(list), buf_length(list));
	buf_append_text(&json, "],\"reason\":\"");
	buf_append_text(&json, reason);
	buf_append_text(&json, "\"}");
	send_control(subscriber->connection, "resync", &json, 0);
}

void
control_bye(
    struct worker *worker, struct connection *connection, const char *reason)
{
	struct buf json;

	buf_init(&json, 0);
	buf_append_text(&json, "{\"reason\":\"");
	buf_append_text(&json, reason);
	buf_append_text(&json, "\"}");
	send_control(connection, "bye", &json, worker_retry_ms(worker));
}

void
control_heartbeat(struct connection *connection)
{
	struct buf block;

	buf_init(&block, 0);
	sse_append_heartbeat(&block);
	send_block(connection, &block);
}
