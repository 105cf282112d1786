/* stride: conflated steps. See stride.h. */
#include "broker/worker/cursor/stride.h"

#include <sys/random.h>

#include "broker/shared/config_channel.h"
#include "broker/worker/cursor/hold.h"
#include "broker/worker/cursor/sieve.h"
#include "broker/worker/cursor/survivors.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum {
	ENTRIES = 8192, /* of the window, that a step looks at */
	WRITES = 4,     /* of a step */
};

bool
stride_is_due(struct worker *worker, const struct subscriber *subscriber)
{
	unsigned char secret[SIPHASH_KEY_BYTES];

	if (subscriber->alone ||
	    !(subscriber->hold.conflates || worker->config->channels_conflate))
		return false;
	if (worker->survivors == NULL &&
	    getrandom(secret, sizeof(secret), 0) == sizeof(secret))
		worker->survivors = survivors_create(secret);
	return worker->survivors != NULL;
}

uint32_t
stride_channel_ms(const struct worker *worker, struct slice channel)
{
	const struct config_channel *block;

	if (!worker->config->channels_conflate)
		return 0;
	block = config_channel_find(worker->config, channel);
	return block != NULL ? (uint32_t)block->conflate : 0;
}

/* May a later one take its place? */
static bool
is_replaceable(const struct worker *worker, const struct subscriber *subscriber,
    const struct event *event)
{
	if (event->key.len == 0 || event->kind == EVENT_RESYNC ||
	    event->cursor == subscriber->partial)
		return false;
	return subscriber->hold.conflates ||
	       stride_channel_ms(worker, event->channel) > 0;
}

void
stride_add(struct worker *worker, const struct subscriber *subscriber,
    const struct event *event, uint64_t number)
{
	if (is_replaceable(worker, subscriber, event))
		survivors_add_keyed(worker->survivors, event->cursor, number,
		    event->channel, event->key);
	else
		survivors_add(worker->survivors, event->cursor, number);
}

enum step
stride_settle(
    struct worker *worker, struct subscriber *subscriber, enum step step)
{
	const struct survivors *survivors = worker->survivors;

	if (step == STEP_GONE)
		return step;
	/* What was passed over before it was passed over for good. */
	if (subscriber->partial != 0)
		subscriber->cursor = subscriber->partial - 1;
	for (size_t i = 0; i < survivors->count; i++) {
		const struct survivor *event = &survivors->events[i];

		if (event->cursor > subscriber->cursor)
			break;
		if (event->replaced_by == 0)
			continue;
		worker_count(worker, METRIC_CONFLATED, 1);
		conflated_note(&worker->conflated, subscriber->id,
		    event->cursor, event->replaced_by);
		handed_passed_over(worker, event->cursor);
	}
	return step;
}

/* Looks at what there is; returns how far. */
static uint64_t
look(struct worker *worker, const struct subscriber *subscriber)
{
	const struct window *window = &worker->window;
	uint64_t number = window_find(window, subscriber->cursor);
	uint64_t until = hold_reach(worker, subscriber);
	uint64_t reached = subscriber->cursor;
	struct sieve sieve;

	survivors_begin(worker->survivors);
	sieve_make(&sieve, subscriber, window->end - number);
	for (int i = 0; i < ENTRIES; i++, number++) {
		const struct window_entry *entry = window_entry(window, number);
		struct event event;

		/* There need be no entry for it, see progress.c. */
		if (number == window->end || entry->cursor > until)
			return reached > until ? reached : until;
		reached = entry->cursor;
		if (!sieve_passes(&sieve, window, number))
			continue;
		event = window_event(window, entry);
		if (subscriber_wants(subscriber, &event))
			stride_add(worker, subscriber, &event, number);
	}
	return reached;
}

/* Collects one write of what is left, from *at on, which is moved on. */
static void
collect(struct worker *worker, struct subscriber *subscriber, size_t *at)
{
	const struct survivors *survivors = worker->survivors;
	enum added added = ADDED;
	uint64_t pin = UINT64_MAX;

	outgoing_begin(&worker->outgoing);
	for (; *at < survivors->count && added == ADDED; (*at)++) {
		const struct survivor *event = &survivors->events[*at];

		if (event->replaced_by == 0)
			added = progress_add_entry(
			    worker, subscriber, event->number, &pin);
		if (added == NOT_ADDED)
			return;
	}
}

enum step
stride_in_window(struct worker *worker, struct subscriber *subscriber)
{
	uint64_t reached = look(worker, subscriber);
	const struct survivors *survivors = worker->survivors;
	enum step step = STEP_AGAIN;
	size_t at = 0;

	for (int i = 0; i < WRITES && step == STEP_AGAIN; i++) {
		uint64_t handled = reached;

		collect(worker, subscriber, &at);
		if (at < survivors->count)
			handled = survivors->events[at].cursor - 1;
		step = progress_finish_step(worker, subscriber, handled);
		if (at == survivors->count)
			break;
	}
	return stride_settle(worker, subscriber, step);
}
