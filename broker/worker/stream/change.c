/*
 * change: POST on a live stream. See change.h.
 *
 * The worker that gets the request finds the token in it and passes it on; the
 * worker that has the stream judges it, as if it were its own.
 */
#include "broker/worker/stream/change.h"

#include <jansson.h>
#include <stdlib.h>

#include "broker/worker/access/authority.h"
#include "broker/worker/connection.h"
#include "broker/worker/courier/courier.h"
#include "broker/worker/http/bearer.h"
#include "broker/worker/http/http.h"
#include "broker/worker/reply.h"
#include "broker/worker/roster.h"
#include "broker/worker/stream/change_apply.h"
#include "broker/worker/stream/streams.h"
#include "broker/worker/worker_state.h"
#include "protocol/json.h"
#include "protocol/utf8.h"

enum {
	ASK_MS = 5000,
	/* What goes to another worker; with all its quotes escaped it still
	 * fits into a question. */
	BODY_MAX = MESSAGE_TALK_MAX / 2 - 16384,
};

/* --- between workers --- */

/* {"kind":K,"number":N,"body":"..."} */
static void
write_outcome(struct buf *answer, const struct outcome *outcome)
{
	buf_printf(answer,
	    "{\"kind\":%d,\"number\":%d,\"body\":", (int)outcome->kind,
	    outcome->number);
	json_append_string(
	    answer, buf_bytes(&outcome->body), buf_length(&outcome->body));
	buf_append_char(answer, '}');
	answer->failed |= buf_failed(&outcome->body);
}

static struct slice
text_of(const json_t *object, const char *key)
{
	const json_t *text = json_object_get(object, key);

	return slice_of(json_string_value(text), json_string_length(text));
}

void
change_asked(struct worker *worker, struct slice json, struct buf *answer)
{
	json_t *root = json_loadb(json.bytes, json.len, 0, NULL);
	const struct change change = {
	    .path = text_of(root, "path"),
	    .token = text_of(root, "token"),
	    .body = text_of(root, "body"),
	};
	struct outcome outcome = {.kind = OUTCOME_DONE};

	buf_init(&outcome.body, 0);
	change_apply(worker, &change, &outcome);
	write_outcome(answer, &outcome);
	buf_finish(&outcome.body);
	json_decref(root);
}

static void
write_question(struct buf *json, const struct change *change)
{
	buf_append_text(json, "{\"ask\":\"change\",\"path\":");
	json_append_string(json, change->path.bytes, change->path.len);
	buf_append_text(json, ",\"token\":");
	json_append_string(json, change->token.bytes, change->token.len);
	buf_append_text(json, ",\"body\":");
	json_append_string(json, change->body.bytes, change->body.len);
	buf_append_char(json, '}');
}

/* --- in the worker that got the request --- */

static void
reply_outcome(struct connection *connection, struct outcome *outcome)
{
	switch (outcome->kind) {
	case OUTCOME_DONE:
		reply_buf(connection, 200, "application/json", &outcome->body);
		return;
	case OUTCOME_PROBLEM:
		if (outcome->number == PROBLEM_LATER)
			reply_retry(connection, PROBLEM_LATER);
		else
			reply_problem(
			    connection, (enum problem)outcome->number, NULL);
		break;
	case OUTCOME_BAD_TOKEN:
		authority_refuse(
		    connection, (enum auth_verdict)outcome->number);
		break;
	}
	buf_finish(&outcome->body);
}

/* A request that waits for another worker. */
struct asking {
	struct connection *connection;
	struct ask *ask;
};

/* What another worker wrote with write_outcome(). */
static void
read_outcome(struct slice json, struct outcome *outcome)
{
	json_t *root = json_loadb(json.bytes, json.len, 0, NULL);
	struct slice body = text_of(root, "body");

	if (root == NULL) {
		outcome_refuse(outcome, PROBLEM_LATER);
		return;
	}
	outcome->kind = (enum outcome_kind)json_integer_value(
	    json_object_get(root, "kind"));
	outcome->number =
	    (int)json_integer_value(json_object_get(root, "number"));
	buf_append(&outcome->body, body.bytes, body.len);
	json_decref(root);
}

/* No answer: the worker has ended, and the one in its place will know no such
 * stream; or has no link to the hub for the moment. */
static void
on_answer(const struct slice *answers, size_t count, void *context)
{
	struct asking *asking = context;
	struct outcome outcome = {.kind = OUTCOME_DONE};

	(void)count;
	buf_init(&outcome.body, 0);
	read_outcome(answers[0], &outcome);
	reply_outcome(asking->connection, &outcome);
	connection_deliver(asking->connection);
	free(asking);
}

static void
on_dropped(void *errand)
{
	struct asking *asking = errand;

	courier_stop_asking(asking->connection->worker, asking->ask);
	free(asking);
}

static void
ask_owner(
    struct connection *connection, size_t owner, const struct change *change)
{
	struct asking *asking = malloc(sizeof(*asking));
	struct buf json;

	buf_init(&json, 0);
	write_question(&json, change);
	if (asking != NULL) {
		const struct courier_question question = {
		    .worker = owner,
		    .json = slice_of(buf_bytes(&json), buf_length(&json)),
		    .timeout_ms = ASK_MS,
		    .answered = on_answer,
		    .context = asking,
		};

		asking->connection = connection;
		asking->ask = buf_failed(&json)
				  ? NULL
				  : courier_ask(connection->worker, &question);
	}
	buf_finish(&json);
	if (asking == NULL || asking->ask == NULL) {
		free(asking);
		reply_retry(connection, PROBLEM_LATER);
		return;
	}
	connection_wait(connection, ASK_MS + 1000, asking, on_dropped);
}

/* --- the request --- */

static void
answer_here(struct connection *connection, const struct change *change)
{
	struct outcome outcome = {.kind = OUTCOME_DONE};

	buf_init(&outcome.body, 0);
	change_apply(connection->worker, change, &outcome);
	reply_outcome(connection, &outcome);
}

/* The change goes to the worker that has the stream. */
static void
pass_on(struct connection *connection, const struct change *change)
{
	const struct heritage *heritage = connection->worker->heritage;
	struct slice id;
	size_t owner;

	if (streams_find_open(connection->worker, change->path, &id) == NULL)
		return; /* the route was found by this path */
	owner = roster_worker(id);
	if (owner >= heritage->workers)
		reply_problem(connection, PROBLEM_STREAM_UNKNOWN, NULL);
	else if (owner == heritage->worker)
		answer_here(connection, change);
	else if (!utf8_valid(change->token.bytes, change->token.len))
		/* No token, and nothing that a question could hold. */
		authority_refuse(connection, AUTH_VERDICT_MALFORMED);
	else
		ask_owner(connection, owner, change);
}

/* The new token is in the body; else it is the one the request came with. */
static void
answer_with_token(struct connection *connection,
    const struct http_request *request, const json_t *body)
{
	struct change change = {.path = request->path, .body = request->body};
	struct bearer bearer = {.decoded = NULL};

	change.token = text_of(body, "token");
	if (change.token.len == 0) {
		if (authority_bearer(connection, request, &bearer) ==
		    AUTHORITY_REFUSED)
			return;
		change.token = bearer.token;
	}
	pass_on(connection, &change);
	bearer_finish(&bearer);
}

/* Why a body cannot be understood; NULL: it can. */
static const char *
fault_of(const json_t *body)
{
	static const char *const texts[] = {"since", "token"};
	static const char *const faults[] = {
	    "since is not a text", "token is not a text"};

	if (body == NULL)
		return "the body is no JSON object, or has a member twice";
	if (!json_is_object(body))
		return "the body is not a JSON object";
	for (size_t i = 0; i < 2; i++) {
		const json_t *text = json_object_get(body, texts[i]);

		if (text != NULL && !json_is_null(text) &&
		    !json_is_string(text))
			return faults[i];
	}
	return NULL;
}

void
change_answer(struct connection *connection, const struct http_request *request)
{
	const char *fault = NULL;
	json_t *body = NULL;

	if (request->body.len > BODY_MAX) {
		reply_problem(connection, PROBLEM_BODY_TOO_LARGE, NULL);
		return;
	}
	if (request->body.len > 0) {
		body = json_loadb(request->body.bytes, request->body.len,
		    JSON_REJECT_DUPLICATES, NULL);
		fault = fault_of(body);
	}
	if (fault == NULL)
		answer_with_token(connection, request, body);
	else
		reply_problem(connection, PROBLEM_BODY_INVALID, fault);
	json_decref(body);
}
