/* stats: numbers for callers and administrators. See stats.h. */
#include "broker/worker/answers/stats.h"

#include <inttypes.h>
#include <stdlib.h>

#include "broker/shared/config.h"
#include "broker/shared/report.h"
#include "broker/worker/access/authority.h"
#include "broker/worker/access/limits.h"
#include "broker/worker/answers/summary.h"
#include "broker/worker/connection.h"
#include "broker/worker/courier/courier.h"
#include "broker/worker/reply.h"
#include "broker/worker/worker_state.h"
#include "protocol/json.h"

enum { ASK_MS = 1000 };

#define JSON_TYPE "application/json"

/* {"userId":..,"userConnections":..,"totalConnections":..,"timestamp":..
 * without the closing brace. The user "" is the one that the address is. */
static void
append_caller(
    struct buf *json, const struct connection *connection, struct slice user)
{
	struct worker *worker = connection->worker;
	char text[ADDRESS_TEXT_SIZE];
	struct slice shown = user;

	if (user.len == 0) {
		address_format(&connection->peer, text);
		shown = slice_of_text(text);
	}
	buf_append_text(json, "{\"userId\":");
	json_append_string(json, shown.bytes, shown.len);
	buf_printf(json,
	    ",\"userConnections\":%" PRIu64 ",\"totalConnections\":%" PRIu64
	    ",",
	    limits_streams_of(worker, user, &connection->peer),
	    board_sum(worker->board, METRIC_STREAMS));
	report_append_time(json, "timestamp", worker_now_ms(worker));
}

/* The rest of what an administrator gets, with the closing brace. */
static void
append_all(struct buf *json, struct worker *worker, struct summary *summary)
{
	buf_append_char(json, ',');
	report_append_cursor(json, "cursor", worker->window.head);
	buf_append_char(json, ',');
	summary_show(summary, json);
	buf_append_char(json, ',');
	report_append_board(json, worker->board);
	buf_append_text(json, "}\n");
}

/* --- an administrator's --- */

/* A request that waits for the other workers. */
struct asking {
	struct connection *connection;
	struct ask *ask;
	size_t user_len;
	char user[];
};

static void
on_answers(const struct slice *answers, size_t count, void *context)
{
	struct asking *asking = context;
	struct connection *connection = asking->connection;
	struct worker *worker = connection->worker;
	struct summary summary = {.slow_count = 0};
	struct buf json;

	buf_init(&json, 0);
	for (size_t i = 0; i < count; i++) {
		/* Who did not answer is missing in the lists. */
		if (answers[i].len > 0 &&
		    summary_merge(&summary, answers[i]) == -1)
			json.failed = true;
	}
	append_caller(
	    &json, connection, slice_of(asking->user, asking->user_len));
	append_all(&json, worker, &summary);
	reply_buf(connection, 200, JSON_TYPE, &json);
	summary_finish(&summary);
	free(asking);
	connection_deliver(connection);
}

static void
on_dropped(void *errand)
{
	struct asking *asking = errand;

	courier_stop_asking(asking->connection->worker, asking->ask);
	free(asking);
}

/* Asks all workers. False: that cannot be done now. */
static bool
ask_all(struct connection *connection, struct slice user)
{
	struct worker *worker = connection->worker;
	struct asking *asking = malloc(sizeof(*asking) + user.len);
	const struct courier_question question = {
	    .worker = COURIER_ALL,
	    .json = slice_of_text("{\"ask\":\"stats\"}"),
	    .timeout_ms = ASK_MS,
	    .answered = on_answers,
	    .context = asking,
	};

	if (asking == NULL)
		return false;
	asking->connection = connection;
	asking->user_len = user.len;
	if (user.len > 0)
		memcpy(asking->user, user.bytes, user.len);
	asking->ask =
	    courier_connected(worker) ? courier_ask(worker, &question) : NULL;
	if (asking->ask == NULL) {
		free(asking);
		return false;
	}
	connection_wait(connection, ASK_MS + 1000, asking, on_dropped);
	return true;
}

/* Without the hub there is nobody to ask: this worker's part, at once. */
static void
answer_alone(struct connection *connection, struct slice user)
{
	struct worker *worker = connection->worker;
	struct summary summary = {.slow_count = 0};
	struct buf json;

	buf_init(&json, 0);
	if (summary_collect(&summary, worker) == -1)
		json.failed = true;
	append_caller(&json, connection, user);
	append_all(&json, worker, &summary);
	reply_buf(connection, 200, JSON_TYPE, &json);
	summary_finish(&summary);
}

void
stats_asked(struct worker *worker, struct slice json, struct buf *answer)
{
	struct summary summary = {.slow_count = 0};

	(void)json;
	if (summary_collect(&summary, worker) == 0)
		summary_write(&summary, answer);
	summary_finish(&summary);
}

/* --- the request --- */

static bool
find_caller(struct connection *connection, const struct http_request *request,
    const struct config_stream *block, struct authority *authority)
{
	if (block == NULL || block->access == CONFIG_ACCESS_AUTHENTICATED)
		return authority_demand(connection, request, authority);
	if (authority_try(connection, request, authority) != AUTHORITY_FOUND)
		*authority = (struct authority){.token = NULL};
	return true;
}

void
stats_answer(struct connection *connection, const struct http_request *request,
    const struct config_stream *block)
{
	struct authority authority;
	struct slice user;
	struct buf json;

	if (!find_caller(connection, request, block, &authority))
		return;
	user = authority.user;
	if (!authority.admin) {
		buf_init(&json, 0);
		append_caller(&json, connection, user);
		buf_append_text(&json, "}\n");
		reply_buf(connection, 200, JSON_TYPE, &json);
	} else if (!ask_all(connection, user)) {
		answer_alone(connection, user);
	}
	authority_finish(&authority);
}
