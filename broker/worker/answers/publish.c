/*
 * publish: events that come over HTTP. See publish.h.
 *
 * A request is read, each event is held against the caller's patterns, and
 * what is good goes to the courier; the connection waits.
 */
#include "broker/worker/answers/publish.h"

#include <stdlib.h>
#include <strings.h>

#include "broker/shared/digest.h"
#include "broker/worker/access/authority.h"
#include "broker/worker/access/revoked.h"
#include "broker/worker/answers/publish_answer.h"
#include "broker/worker/connection.h"
#include "broker/worker/courier/courier.h"
#include "broker/worker/http/http.h"
#include "broker/worker/http/publish_request.h"
#include "broker/worker/reply.h"
#include "broker/worker/worker_state.h"

enum {
	KEY_MAX = 255,                   /* bytes of an Idempotency-Key */
	IDENTITY_TEXT = 2 + DIGEST_TEXT, /* "+k" */
};

/* A request on its way to the courier. */
struct publishing {
	struct connection *connection;
	struct worker *worker;
	const struct http_request *head;
	struct authority authority;
	struct publish_request request;
	struct slice key; /* Idempotency-Key; len 0: none */
	struct courier_event *events;
	char (*identities)[IDENTITY_TEXT];
	size_t count;
};

static void
refuse(const struct publishing *publishing, enum problem problem,
    const char *detail)
{
	reply_problem(publishing->connection, problem, detail);
}

/* --- reading --- */

static struct slice *
query_member(struct publish_query *query, struct slice name)
{
	const struct {
		const char *name;
		struct slice *value;
	} known[] = {
	    {"channel", &query->channel},
	    {"type", &query->type},
	    {"key", &query->key},
	    {"id", &query->id},
	    {"receipt", &query->receipt},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_is(name, known[i].name))
			return known[i].value;
	}
	return NULL;
}

/* Decodes the query; texts go to `text`, which has room for three times as
 * much. False: it was refused. */
static bool
read_query(const struct publishing *publishing, char *text,
    struct publish_query *query)
{
	struct slice rest = publishing->head->query;
	int result;

	for (;;) {
		char *name = text, *value = text + rest.len;
		size_t name_len, value_len;
		struct slice *member;

		result =
		    http_query_next(&rest, name, &name_len, value, &value_len);
		if (result != 1)
			break;
		member = query_member(query, slice_of(name, name_len));
		if (member == NULL)
			continue;
		if (member->bytes != NULL) {
			refuse(publishing, PROBLEM_QUERY_DUPLICATE, NULL);
			return false;
		}
		memmove(name, value, value_len);
		*member = slice_of(name, value_len);
		text += value_len;
	}
	if (result == -1)
		refuse(publishing, PROBLEM_QUERY_INVALID, NULL);
	return result == 0;
}

/* The media type without its parameters. */
static struct slice
media_type(const struct http_request *request)
{
	struct slice type = http_header(request, "Content-Type", NULL);
	const char *end =
	    type.len > 0 ? memchr(type.bytes, ';', type.len) : NULL;

	if (end != NULL)
		type.len = (size_t)(end - type.bytes);
	return slice_trim(type);
}

static bool
media_is(struct slice type, const char *name)
{
	return type.len == strlen(name) &&
	       strncasecmp(type.bytes, name, type.len) == 0;
}

static enum event_meaning
raw_meaning(const struct http_request *request)
{
	struct slice type = media_type(request);

	if (media_is(type, "application/octet-stream"))
		return EVENT_AS_BYTES;
	if (media_is(type, "application/json"))
		return EVENT_AS_JSON;
	return EVENT_GUESS;
}

/* False: it was refused. */
static bool
read_body(struct publishing *publishing, const struct publish_query *query)
{
	const struct config *config = publishing->worker->config;
	const struct publish_limits limits = {
	    .events = config->http_publish_list,
	    .data = config->publish_max_event,
	};
	struct publish_request *request = &publishing->request;
	struct slice body = publishing->head->body;
	enum publish_read result;

	if (query->channel.bytes != NULL) {
		result = publish_read_raw(request, body, query,
		    raw_meaning(publishing->head), &limits);
	} else if (media_is(media_type(publishing->head), "application/json")) {
		result = publish_read_json(request, body, &limits);
	} else {
		refuse(publishing, PROBLEM_MEDIA_TYPE, NULL);
		return false;
	}
	request->receipt |= slice_is(query->receipt, "true");
	switch (result) {
	case PUBLISH_READ:
		return true;
	case PUBLISH_BAD:
		refuse(publishing, PROBLEM_BODY_INVALID, request->why);
		break;
	case PUBLISH_MANY:
		refuse(publishing, PROBLEM_EVENTS_TOO_MANY, NULL);
		break;
	case PUBLISH_NO_MEMORY:
		refuse(publishing, PROBLEM_NO_MEMORY, NULL);
		break;
	}
	return false;
}

/* --- judging --- */

static bool
may_publish(const struct worker *worker, const struct authority *authority,
    struct slice channel)
{
	if (revoked_channel(worker->revoked, authority->user,
		authority->issued_ms, channel))
		return false;
	for (size_t i = 0; i < authority->publish_count; i++) {
		if (event_pattern_covers(authority->publish[i], channel))
			return true;
	}
	return false;
}

/* What is not good anyway is not told apart by who asks. */
static void
judge(struct publishing *publishing)
{
	struct publish_request *request = &publishing->request;

	for (size_t i = 0; i < request->count; i++) {
		struct publish_event *entry = &request->events[i];

		if (entry->fault.refusal == REFUSAL_NONE &&
		    !may_publish(publishing->worker, &publishing->authority,
			entry->event.channel))
			entry->fault =
			    (struct fault){REFUSAL_NOT_ALLOWED, "channel"};
		if (entry->fault.refusal != REFUSAL_NONE)
			worker_count(
			    publishing->worker, METRIC_EVENTS_REFUSED, 1);
	}
}

/* --- identities --- */

/* Writes the publisher that an event with this key has: the same for the same
 * caller, wherever it comes in. */
static int
write_identity(const struct publishing *publishing, const char *kind,
    struct slice key, char identity[IDENTITY_TEXT])
{
	const struct slice parts[] = {
	    slice_of_text(kind), publishing->authority.user, key};

	memcpy(identity, "+k", 2);
	return digest_of(parts, 3, identity + 2);
}

/* An id of its own makes an event one of its kind; with a key for the whole
 * request, it is the n-th of that. 0 or -1. */
static int
identify(struct publishing *publishing, size_t index,
    struct courier_event *event, char identity[IDENTITY_TEXT])
{
	const struct publish_event *entry = &publishing->request.events[index];
	int result;

	if (entry->id.len > 0) {
		event->seq = 1;
		result = write_identity(publishing, "id", entry->id, identity);
	} else if (publishing->key.len > 0) {
		event->seq = index + 1;
		result = write_identity(
		    publishing, "key", publishing->key, identity);
	} else {
		return 0;
	}
	event->identity = slice_of(identity, IDENTITY_TEXT);
	return result;
}

/* The key that makes a request the same as another. False: it was refused. */
static bool
read_key(struct publishing *publishing)
{
	size_t count;

	publishing->key =
	    http_header(publishing->head, "Idempotency-Key", &count);
	if (count == 0 || (count == 1 && publishing->key.len > 0 &&
			      publishing->key.len <= KEY_MAX))
		return true;
	refuse(publishing, PROBLEM_IDEMPOTENCY, NULL);
	return false;
}

/* --- sending --- */

/* Gathers the events that are good. 0, or -1: no memory. */
static int
gather(struct publishing *publishing)
{
	const struct publish_request *request = &publishing->request;

	publishing->events =
	    calloc(request->count, sizeof(publishing->events[0]));
	publishing->identities =
	    calloc(request->count, sizeof(publishing->identities[0]));
	if (publishing->events == NULL || publishing->identities == NULL)
		return -1;
	for (size_t i = 0; i < request->count; i++) {
		size_t at = publishing->count;

		if (request->events[i].fault.refusal != REFUSAL_NONE)
			continue;
		publishing->events[at].event = request->events[i].event;
		if (identify(publishing, i, &publishing->events[at],
			publishing->identities[at]) == -1)
			return -1;
		publishing->count++;
	}
	return 0;
}

static void
send(struct publishing *publishing)
{
	struct publish_answer *answer;

	if (gather(publishing) == -1) {
		refuse(publishing, PROBLEM_NO_MEMORY, NULL);
		return;
	}
	answer =
	    publish_answer_create(publishing->connection, &publishing->request);
	if (answer == NULL)
		refuse(publishing, PROBLEM_NO_MEMORY, NULL);
	else if (publishing->count == 0)
		publish_answer_now(answer);
	else
		publish_answer_wait(
		    answer, publishing->events, publishing->count);
}

static void
publish(struct publishing *publishing)
{
	struct publish_query query = {.channel = {NULL, 0}};
	char *text = malloc(3 * publishing->head->query.len + 1);

	if (text == NULL)
		refuse(publishing, PROBLEM_NO_MEMORY, NULL);
	else if (read_query(publishing, text, &query) && read_key(publishing) &&
		 read_body(publishing, &query)) {
		judge(publishing);
		send(publishing);
	}
	free(text);
}

void
publish_post(struct connection *connection, const struct http_request *request)
{
	struct publishing publishing = {
	    .connection = connection,
	    .worker = connection->worker,
	    .head = request,
	};

	if (!authority_demand(connection, request, &publishing.authority))
		return;
	publish(&publishing);
	publish_finish(&publishing.request);
	free(publishing.events);
	free(publishing.identities);
	authority_finish(&publishing.authority);
}
