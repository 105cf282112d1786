/* poke: an event that a caller sends to itself. See poke.h. */
#include "broker/worker/answers/poke.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "broker/shared/auth_template.h"
#include "broker/shared/config.h"
#include "broker/shared/report.h"
#include "broker/worker/access/authority.h"
#include "broker/worker/answers/publish_answer.h"
#include "broker/worker/connection.h"
#include "broker/worker/courier/courier.h"
#include "broker/worker/http/http.h"
#include "broker/worker/reply.h"
#include "broker/worker/stream/streams.h"
#include "broker/worker/worker_state.h"
#include "protocol/json.h"

/* What a path pokes. */
struct poke {
	const char *channel; /* a template */
	const char *type;
	const char *data;
};

/* One that waits for its count. */
struct poking {
	struct connection *connection;
	struct errand *errand;
	struct buf user; /* as a JSON string */
};

static struct poke
find_poke(const struct worker *worker, struct slice path)
{
	const struct config_stream *stream = streams_find_poke(worker, path);

	if (stream == NULL)
		return (struct poke){"user:{sub}", "sync", "sync"};
	return (struct poke){stream->poke_channel.items[0], stream->poke_type,
	    stream->poke_data};
}

/* The events of a poke; a claim that is a list has several channels. */
struct gathered {
	const struct poke *poke;
	struct courier_event *events;
	struct buf channels; /* one behind the other */
	size_t count;
	size_t size;
	bool failed;
};

static void
gather(struct slice channel, void *context)
{
	struct gathered *gathered = context;

	if (gathered->count == gathered->size) {
		size_t size = 2 * gathered->size + 4;
		void *events = realloc(
		    gathered->events, size * sizeof(gathered->events[0]));

		gathered->failed |= events == NULL;
		if (events == NULL)
			return;
		gathered->events = events;
		gathered->size = size;
	}
	buf_append(&gathered->channels, channel.bytes, channel.len);
	gathered->events[gathered->count++] = (struct courier_event){
	    .event.channel.len = channel.len,
	};
}

/* Now that they do not move any more: each gets its channel, and is checked. */
static struct fault
complete(struct gathered *gathered, size_t data_max)
{
	const char *channel = buf_bytes(&gathered->channels);
	struct fault fault = {REFUSAL_NONE, NULL};

	for (size_t i = 0; i < gathered->count && fault.refusal == REFUSAL_NONE;
	     i++) {
		struct event *event = &gathered->events[i].event;

		event->channel.bytes = channel;
		channel += event->channel.len;
		event->type = slice_of_text(gathered->poke->type);
		event->data = slice_of_text(gathered->poke->data);
		fault = event_check(event, EVENT_GUESS, data_max);
	}
	return fault;
}

/* --- the answer --- */

static void
poking_destroy(struct poking *poking)
{
	buf_finish(&poking->user);
	free(poking);
}

/* The sum; -1 when one is not known. */
static int64_t
sum_of(const struct courier_result *results, size_t count)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		if (results[i].notified == COURIER_NOT_COUNTED)
			return -1;
		sum += results[i].notified;
	}
	return sum;
}

static void
append_answer(struct buf *body, const struct poking *poking, int64_t notified)
{
	buf_append_text(body, "{\"success\":true,\"userId\":");
	buf_append(body, buf_bytes(&poking->user), buf_length(&poking->user));
	if (notified < 0)
		buf_append_text(body, ",\"clientsNotified\":null");
	else
		buf_printf(body, ",\"clientsNotified\":%" PRId64, notified);
	buf_append_text(body, ",\"message\":\"User-specific sync triggered\",");
	report_append_time(
	    body, "timestamp", worker_now_ms(poking->connection->worker));
	buf_append_text(body, "}\n");
}

static void
on_answered(const struct courier_result *results, size_t count, void *context)
{
	struct poking *poking = context;
	struct connection *connection = poking->connection;
	struct fault fault = {REFUSAL_NONE, NULL};
	struct buf body;

	for (size_t i = 0; i < count; i++) {
		if (results[i].fault.refusal != REFUSAL_NONE)
			fault = results[i].fault;
	}
	if (fault.refusal != REFUSAL_NONE) {
		publish_answer_fault(connection, &fault);
	} else {
		buf_init(&body, 0);
		append_answer(&body, poking, sum_of(results, count));
		reply_buf(connection, 200, "application/json", &body);
	}
	poking_destroy(poking);
	connection_deliver(connection);
}

static void
on_dropped(void *context)
{
	struct poking *poking = context;

	courier_forget(poking->connection->worker, poking->errand);
	poking_destroy(poking);
}

/* --- the request --- */

static void
wait_for_count(struct connection *connection, struct slice user,
    const struct gathered *gathered)
{
	struct worker *worker = connection->worker;
	struct poking *poking = calloc(1, sizeof(*poking));
	const struct courier_list list = {
	    .events = gathered->events,
	    .count = gathered->count,
	    .receipts = COURIER_RECEIPTS,
	    .answered = on_answered,
	    .context = poking,
	};

	if (poking == NULL) {
		reply_retry(connection, PROBLEM_NO_MEMORY);
		return;
	}
	poking->connection = connection;
	buf_init(&poking->user, 0);
	json_append_string(&poking->user, user.bytes, user.len);
	poking->errand = courier_publish(worker, &list);
	if (poking->errand != NULL) {
		connection_wait(connection,
		    worker->config->http_publish_timeout, poking, on_dropped);
		return;
	}
	reply_retry(connection,
	    errno == EAGAIN ? PROBLEM_PUBLISH_FULL : PROBLEM_NO_MEMORY);
	poking_destroy(poking);
}

static void
publish(struct connection *connection, const struct authority *authority,
    const struct poke *poke)
{
	const struct config *config = connection->worker->config;
	struct gathered gathered = {.poke = poke};
	struct fault fault;

	buf_init(&gathered.channels, 0);
	auth_template_fill(
	    slice_of_text(poke->channel), authority->token, gather, &gathered);
	fault = complete(&gathered, config->publish_max_event);
	if (gathered.failed || buf_failed(&gathered.channels))
		reply_retry(connection, PROBLEM_NO_MEMORY);
	else if (gathered.count == 0)
		reply_problem(connection, PROBLEM_POKE_NOBODY, NULL);
	else if (fault.refusal != REFUSAL_NONE)
		publish_answer_fault(connection, &fault);
	else
		wait_for_count(connection, authority->user, &gathered);
	buf_finish(&gathered.channels);
	free(gathered.events);
}

void
poke_post(struct connection *connection, const struct http_request *request)
{
	const struct poke poke = find_poke(connection->worker, request->path);
	struct authority authority;

	if (!authority_demand(connection, request, &authority))
		return;
	publish(connection, &authority, &poke);
	authority_finish(&authority);
}
