/*
 * courier_events: events on their way to the hub. See courier.h.
 *
 *	unanswered			uncounted
 *	[ p1 | p2 | p3 | p4 ]		[ p0 ]
 *	  sent      ^ unsent		  stored; its count of clients awaited
 *
 * The hub answers in the order in which it was sent, and so are counts told
 * in the order of their acks: the front is always the one that is meant.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/worker/courier/courier_state.h"
#include "broker/worker/worker_state.h"

/* So many more, or fewer, are held. */
static void
hold(struct courier *courier, size_t events, size_t bytes)
{
	courier->events += events;
	courier->bytes += bytes;
	board_set(
	    courier->worker->board, METRIC_EVENTS_WAITING, courier->events);
}

static void
let_go(struct courier *courier, struct parcel *parcel)
{
	hold(courier, (size_t)-1, -parcel_bytes(parcel));
	free(parcel);
}

/* Its result is complete, and so may be that of its errand. The parcel is
 * gone. */
static void
settle(struct courier *courier, struct parcel *parcel)
{
	struct errand *errand = parcel->errand;

	let_go(courier, parcel);
	if (errand == NULL || --errand->open > 0)
		return;
	errand->answered(errand->results, errand->count, errand->context);
	free(errand);
}

/* Where the result of a parcel goes, also when nobody wants it. */
static struct courier_result *
result_of(const struct parcel *parcel, struct courier_result *nowhere)
{
	return parcel->errand != NULL ? &parcel->errand->results[parcel->index]
				      : nowhere;
}

/* --- what came --- */

static struct parcel *
take_answered(struct courier *courier, uint64_t seq)
{
	struct parcel *front = courier->unanswered.first;

	if (front == NULL || front == courier->unsent || front->seq != seq)
		return NULL;
	return parcels_take(&courier->unanswered);
}

int
events_take_ack(struct courier *courier, const struct message *message)
{
	struct parcel *parcel = take_answered(courier, message->seq);
	struct courier_result nowhere, *result;

	if (parcel == NULL)
		return -1;
	result = result_of(parcel, &nowhere);
	result->cursor = message->cursor;
	/* One of the worker's own was never another's before. */
	result->duplicate = message->duplicate && parcel->who_len > 0;
	if (parcel->receipt && !message->duplicate)
		parcels_append(&courier->uncounted, parcel);
	else
		settle(courier, parcel);
	return 0;
}

/* The fault that the hub names; a field in words that last. */
static struct fault
fault_of(const struct message *message)
{
	static const char *const fields[] = {
	    "channel", "type", "key", "data", "flags", "seq"};
	struct fault fault = {refusal_of_code(message->code), NULL};

	/* One that is not known was made up by a broken hub. */
	if (fault.refusal == REFUSAL_NONE)
		fault.refusal = REFUSAL_STORE;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (slice_is(message->field, fields[i]))
			fault.field = fields[i];
	}
	return fault;
}

int
events_take_error(struct courier *courier, const struct message *message)
{
	struct parcel *parcel = take_answered(courier, message->seq);
	struct courier_result nowhere;

	if (parcel == NULL)
		return -1;
	result_of(parcel, &nowhere)->fault = fault_of(message);
	settle(courier, parcel);
	return 0;
}

int
events_take_receipt(struct courier *courier, const struct message *message)
{
	struct parcel *front = courier->uncounted.first;
	struct courier_result nowhere, *result;

	if (front == NULL || front->seq != message->seq)
		return -1;
	parcels_take(&courier->uncounted);
	result = result_of(front, &nowhere);
	result->notified = (int64_t)message->notified;
	result->counts = message->counts;
	result->late = message->late;
	settle(courier, front);
	return 0;
}

/* --- to the hub --- */

static void
speak_for(struct courier *courier, struct slice who)
{
	message_write(&courier->out,
	    &(struct message){.type = MESSAGE_AS, .publisher = who});
	courier->speaks_for_len = who.len;
	if (who.len > 0)
		memcpy(courier->speaks_for, who.bytes, who.len);
}

void
events_fill(struct courier *courier)
{
	for (; courier->unsent != NULL &&
	       buf_length(&courier->out) < COURIER_OUT_AHEAD;
	     courier->unsent = courier->unsent->next) {
		struct parcel *parcel = courier->unsent;
		struct slice who = parcel_who(parcel);

		if (parcel->begins ||
		    !slice_equal(who,
			slice_of(courier->speaks_for, courier->speaks_for_len)))
			speak_for(courier, who);
		buf_append(&courier->out, parcel->message, parcel->len);
		parcel->was_sent = true;
	}
}

void
events_rewind(struct courier *courier)
{
	courier->unsent = courier->unanswered.first;
	courier->speaks_for_len = 0;
	while (courier->uncounted.first != NULL)
		settle(courier, parcels_take(&courier->uncounted));
}

void
events_refuse_sent(struct courier *courier, struct fault fault)
{
	while (courier->unanswered.first != NULL &&
	       courier->unanswered.first->was_sent) {
		struct parcel *parcel = parcels_take(&courier->unanswered);
		struct courier_result nowhere;

		if (courier->unsent == parcel)
			courier->unsent = parcel->next;
		result_of(parcel, &nowhere)->fault = fault;
		settle(courier, parcel);
	}
}

/* --- from whoever publishes --- */

static void
free_parcels(struct parcels *parcels)
{
	while (parcels->first != NULL)
		free(parcels_take(parcels));
}

/* The parcels of a list. 0, or -1 with errno; then there are none. */
static int
make_parcels(struct courier *courier, const struct courier_list *list,
    struct errand *errand, struct parcels *parcels, size_t *bytes)
{
	struct slice before = slice_of(NULL, 0);

	parcels_init(parcels);
	*bytes = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct courier_event *event = &list->events[i];
		struct parcel *parcel;

		assert(event->identity.len <= COURIER_IDENTITY_MAX);
		parcel = parcel_create(event,
		    event->identity.len > 0 ? event->seq : ++courier->last_seq,
		    list->receipts);
		if (parcel == NULL) {
			free_parcels(parcels);
			errno = ENOMEM;
			return -1;
		}
		parcel->errand = errand;
		parcel->index = i;
		parcel->begins = event->identity.len > 0 &&
				 !slice_equal(event->identity, before);
		before = event->identity;
		parcels_append(parcels, parcel);
		*bytes += parcel_bytes(parcel);
	}
	return 0;
}

/* Is there room for so many more? Else errno is set, and it is counted. */
static bool
has_room(const struct courier *courier, size_t events, size_t bytes)
{
	const struct config *config = courier->worker->config;

	if (courier->events + events <= config->http_publish_events &&
	    courier->bytes + bytes <= config->http_publish_bytes)
		return true;
	worker_count(courier->worker, METRIC_PUBLISH_FULL, 1);
	errno = EAGAIN;
	return false;
}

static void
take_parcels(struct courier *courier, struct parcels *parcels)
{
	if (courier->unsent == NULL)
		courier->unsent = parcels->first;
	*courier->unanswered.end = parcels->first;
	courier->unanswered.end = parcels->end;
}

struct errand *
courier_publish(struct worker *worker, const struct courier_list *list)
{
	struct courier *courier = worker->courier;
	struct errand *errand;
	struct parcels parcels;
	size_t bytes;

	assert(list->count > 0);
	if (!has_room(courier, list->count, 0))
		return NULL;
	errand = calloc(
	    1, sizeof(*errand) + list->count * sizeof(errand->results[0]));
	if (errand == NULL)
		return NULL;
	errand->answered = list->answered;
	errand->context = list->context;
	errand->count = errand->open = list->count;
	for (size_t i = 0; i < list->count; i++)
		errand->results[i].notified = COURIER_NOT_COUNTED;
	if (make_parcels(courier, list, errand, &parcels, &bytes) == -1) {
		free(errand);
		return NULL;
	}
	if (!has_room(courier, list->count, bytes)) {
		free_parcels(&parcels);
		free(errand);
		return NULL;
	}
	hold(courier, list->count, bytes);
	take_parcels(courier, &parcels);
	return errand;
}

/* Nobody waits for those of the errand any more; what the hub has never been
 * sent goes. */
static void
forget_in(
    struct courier *courier, struct parcels *parcels, struct errand *errand)
{
	struct parcel **at = &parcels->first;

	while (*at != NULL) {
		struct parcel *parcel = *at;

		if (parcel->errand != errand || parcel->was_sent) {
			if (parcel->errand == errand)
				parcel->errand = NULL;
			at = &parcel->next;
			continue;
		}
		*at = parcel->next;
		if (courier->unsent == parcel)
			courier->unsent = parcel->next;
		let_go(courier, parcel);
	}
	parcels->end = at;
}

void
courier_forget(struct worker *worker, struct errand *errand)
{
	struct courier *courier = worker->courier;

	forget_in(courier, &courier->unanswered, errand);
	forget_in(courier, &courier->uncounted, errand);
	free(errand);
}

/* --- start and end --- */

void
events_start(struct courier *courier)
{
	parcels_init(&courier->unanswered);
	parcels_init(&courier->uncounted);
}

static void
finish_parcels(struct parcels *parcels)
{
	while (parcels->first != NULL) {
		struct parcel *parcel = parcels_take(parcels);

		if (parcel->errand != NULL && --parcel->errand->open == 0)
			free(parcel->errand);
		free(parcel);
	}
}

void
events_finish(struct courier *courier)
{
	finish_parcels(&courier->unanswered);
	finish_parcels(&courier->uncounted);
}
