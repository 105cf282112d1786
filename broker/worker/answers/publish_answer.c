/* publish_answer: the answer to a POST /publish. See publish_answer.h. */
#include "broker/worker/answers/publish_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "broker/shared/report.h"
#include "broker/worker/connection.h"
#include "broker/worker/courier/courier.h"
#include "broker/worker/http/publish_request.h"
#include "broker/worker/reply.h"
#include "broker/worker/worker_state.h"
#include "protocol/json.h"

#define JSON_TYPE "application/json"

struct publish_answer {
	struct connection *connection;
	struct errand *errand;
	bool list;
	bool receipt;
	size_t count;
	struct courier_result results[]; /* of all events of the request */
};

struct publish_answer *
publish_answer_create(
    struct connection *connection, const struct publish_request *request)
{
	struct publish_answer *answer = calloc(
	    1, sizeof(*answer) + request->count * sizeof(answer->results[0]));

	if (answer == NULL)
		return NULL;
	answer->connection = connection;
	answer->list = request->list;
	answer->receipt = request->receipt;
	answer->count = request->count;
	for (size_t i = 0; i < request->count; i++)
		answer->results[i].fault = request->events[i].fault;
	return answer;
}

static void
append_counts(struct buf *body, const struct courier_result *result)
{
	buf_printf(body,
	    ",\"clientsNotified\":%" PRId64 ",\"clientsMatched\":%" PRIu64
	    ",\"clientsLagging\":%" PRIu64 ",\"clientsFiltered\":%" PRIu64
	    ",\"workersLate\":%" PRIu64,
	    result->notified, result->counts.matched, result->counts.lagging,
	    result->counts.filtered, result->late);
}

/* The members of one that is stored. */
static void
append_stored(struct buf *body, const struct courier_result *result,
    const struct publish_answer *answer)
{
	report_append_cursor(body, "cursor", result->cursor);
	buf_printf(
	    body, ",\"duplicate\":%s", result->duplicate ? "true" : "false");
	if (!answer->receipt)
		return;
	if (result->notified == COURIER_NOT_COUNTED)
		buf_append_text(body, ",\"clientsNotified\":null");
	else
		append_counts(body, result);
}

/* Which problem a single event's refusal is; LATER for all that may pass. */
static enum problem
problem_of(enum refusal refusal)
{
	static const struct {
		enum refusal refusal;
		enum problem problem;
	} rows[] = {
	    {REFUSAL_CHANNEL, PROBLEM_EVENT_CHANNEL},
	    {REFUSAL_TYPE, PROBLEM_EVENT_TYPE},
	    {REFUSAL_KEY, PROBLEM_EVENT_KEY},
	    {REFUSAL_DATA, PROBLEM_EVENT_DATA},
	    {REFUSAL_UTF8, PROBLEM_EVENT_UTF8},
	    {REFUSAL_JSON, PROBLEM_EVENT_JSON},
	    {REFUSAL_TOO_LARGE, PROBLEM_EVENT_TOO_LARGE},
	    {REFUSAL_NOT_ALLOWED, PROBLEM_EVENT_NOT_ALLOWED},
	    {REFUSAL_SEQ, PROBLEM_EVENT_SEQ},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].refusal == refusal)
			return rows[i].problem;
	}
	return PROBLEM_LATER;
}

/* What is wrong: as publishers are told it where that says more, else in the
 * words of HTTP. */
static const char *
detail_of(const struct fault *fault)
{
	bool id = fault->field != NULL && strcmp(fault->field, "id") == 0;
	enum problem problem = problem_of(fault->refusal);

	if (fault->refusal == REFUSAL_KEY && id)
		return "an id is at most 255 bytes";
	if (problem == PROBLEM_LATER || fault->refusal == REFUSAL_CHANNEL ||
	    fault->refusal == REFUSAL_TYPE || fault->refusal == REFUSAL_KEY)
		return refusal_sentence(fault->refusal);
	return problem_sentence(problem);
}

static void
append_refused(struct buf *body, const struct fault *fault)
{
	const char *detail = detail_of(fault);

	buf_printf(body, "\"code\":\"%s\"", refusal_code(fault->refusal));
	if (fault->field != NULL)
		buf_printf(body, ",\"field\":\"%s\"", fault->field);
	buf_append_text(body, ",\"detail\":");
	json_append_string(body, detail, strlen(detail));
}

static void
append_result(struct buf *body, const struct courier_result *result,
    const struct publish_answer *answer)
{
	buf_append_char(body, '{');
	if (result->fault.refusal == REFUSAL_NONE)
		append_stored(body, result, answer);
	else
		append_refused(body, &result->fault);
	buf_append_char(body, '}');
}

static void
reply_list(const struct publish_answer *answer)
{
	struct buf body;
	int status = 200;

	buf_init(&body, 0);
	buf_append_text(&body, "{\"results\":[");
	for (size_t i = 0; i < answer->count; i++) {
		if (i > 0)
			buf_append_char(&body, ',');
		append_result(&body, &answer->results[i], answer);
		if (answer->results[i].fault.refusal != REFUSAL_NONE)
			status = 422;
	}
	buf_append_text(&body, "]}\n");
	reply_buf(answer->connection, status, JSON_TYPE, &body);
}

void
publish_answer_fault(struct connection *connection, const struct fault *fault)
{
	enum problem problem = problem_of(fault->refusal);

	if (problem == PROBLEM_LATER)
		reply_retry(connection, problem);
	else
		reply_problem(connection, problem, detail_of(fault));
}

static void
reply_single(const struct publish_answer *answer)
{
	const struct courier_result *result = &answer->results[0];
	struct buf body;

	if (result->fault.refusal == REFUSAL_NONE) {
		buf_init(&body, 0);
		append_result(&body, result, answer);
		buf_append_char(&body, '\n');
		reply_buf(answer->connection, 200, JSON_TYPE, &body);
		return;
	}
	publish_answer_fault(answer->connection, &result->fault);
}

static void
reply(const struct publish_answer *answer)
{
	if (answer->list)
		reply_list(answer);
	else
		reply_single(answer);
}

void
publish_answer_now(struct publish_answer *answer)
{
	reply(answer);
	free(answer);
}

/* The courier has results for those that had no fault. */
static void
on_answered(const struct courier_result *results, size_t count, void *context)
{
	struct publish_answer *answer = context;
	struct connection *connection = answer->connection;
	size_t next = 0;

	for (size_t i = 0; i < answer->count && next < count; i++) {
		if (answer->results[i].fault.refusal == REFUSAL_NONE)
			answer->results[i] = results[next++];
	}
	reply(answer);
	free(answer);
	connection_deliver(connection);
}

/* The client has gone, or its time is up. */
static void
on_dropped(void *context)
{
	struct publish_answer *answer = context;

	courier_forget(answer->connection->worker, answer->errand);
	free(answer);
}

void
publish_answer_wait(struct publish_answer *answer,
    const struct courier_event *events, size_t count)
{
	struct connection *connection = answer->connection;
	struct worker *worker = connection->worker;
	const struct courier_list list = {
	    .events = events,
	    .count = count,
	    .receipts = answer->receipt ? COURIER_COUNTS : COURIER_NO_RECEIPTS,
	    .answered = on_answered,
	    .context = answer,
	};

	answer->errand = courier_publish(worker, &list);
	if (answer->errand != NULL) {
		connection_wait(connection,
		    worker->config->http_publish_timeout, answer, on_dropped);
		return;
	}
	reply_retry(connection,
	    errno == EAGAIN ? PROBLEM_PUBLISH_FULL : PROBLEM_NO_MEMORY);
	free(answer);
}
