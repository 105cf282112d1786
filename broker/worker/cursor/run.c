/* run: what a crowd has before it. See run.h. */
#include "broker/worker/cursor/run.h"

#include <stdlib.h>
#include <string.h>

#include "broker/worker/cursor/catch_up.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

struct run {
	uint64_t after; /* cursor: it has what lies above, up to reached */
	struct stretch stretch;
	uint64_t used; /* in which turn, the last time */
	unsigned shape;
	uint8_t http_minor;
	uint32_t channel_count; /* 0: it is of no use */
	struct channels_member channels[RUN_CHANNELS];
	struct outgoing outgoing;
};

void
runs_finish(struct runs *runs)
{
	for (int i = 0; i < RUNS; i++)
		free(runs->list[i]);
	*runs = (struct runs){.turn = 0};
}

/* Do its channels and its form alone say what it gets? */
static bool
may_share(const struct subscriber *subscriber)
{
	return !subscriber->picky && subscriber->member_count > 0 &&
	       subscriber->member_count <= RUN_CHANNELS;
}

static bool
is_for(const struct run *run, const struct subscriber *subscriber)
{
	if (run->channel_count != subscriber->member_count ||
	    run->shape != subscriber->shape ||
	    run->http_minor != subscriber->http_minor)
		return false;
	for (uint32_t i = 0; i < run->channel_count; i++) {
		if (!channels_same(&run->channels[i], &subscriber->members[i]))
			return false;
	}
	return true;
}

/* Are its frames there, and has it something behind that cursor, or could it
 * have? */
static bool
serves(const struct worker *worker, const struct run *run, uint64_t from,
    uint64_t until)
{
	const struct stretch *stretch = &run->stretch;

	if (stretch->pin < worker->window.frames.tail)
		return false;
	return from >= run->after && stretch->reached <= until &&
	       (from < stretch->reached ||
		   (from == stretch->reached && !stretch->full));
}

static struct run *
find(struct worker *worker, const struct subscriber *subscriber, uint64_t from,
    uint64_t until)
{
	for (int i = 0; i < RUNS; i++) {
		struct run *run = worker->runs.list[i];

		if (run != NULL && serves(worker, run, from, until) &&
		    is_for(run, subscriber))
			return run;
	}
	return NULL;
}

/* Was the same asked for of late? A hint: that another was is no harm. */
static bool
is_wished(struct runs *runs, const struct subscriber *subscriber)
{
	uint64_t hash = subscriber->shape * 2 + subscriber->http_minor;
	uint32_t *wish;

	for (uint32_t i = 0; i < subscriber->member_count; i++)
		hash = (hash ^ subscriber->members[i].serial) *
		       UINT64_C(0x9E3779B97F4A7C15);
	wish = &runs->wishes[hash >> 56];
	if (*wish == (uint32_t)(hash >> 24))
		return true;
	*wish = (uint32_t)(hash >> 24);
	return false;
}

/* The one that was used the longest ago; NULL: no memory. */
static struct run *
oldest(struct runs *runs)
{
	struct run **oldest = &runs->list[0];

	for (int i = 0; i < RUNS && *oldest != NULL; i++) {
		if (runs->list[i] == NULL ||
		    runs->list[i]->used < (*oldest)->used)
			oldest = &runs->list[i];
	}
	if (*oldest == NULL)
		*oldest = malloc(sizeof(**oldest));
	return *oldest;
}

static struct run *
begin(struct worker *worker, const struct subscriber *subscriber, uint64_t from,
    uint64_t number)
{
	struct run *run = oldest(&worker->runs);

	if (run == NULL)
		return NULL;
	run->after = from;
	run->stretch = (struct stretch){
	    .outgoing = &run->outgoing,
	    .pin = UINT64_MAX,
	    .next = number,
	    .reached = from,
	};
	run->shape = subscriber->shape;
	run->http_minor = subscriber->http_minor;
	run->channel_count = subscriber->member_count;
	memcpy(run->channels, subscriber->members,
	    run->channel_count * sizeof(run->channels[0]));
	outgoing_begin(&run->outgoing);
	return run;
}

bool
runs_take(struct worker *worker, const struct subscriber *subscriber,
    uint64_t number, uint64_t until, int most, uint64_t *reached)
{
	struct runs *runs = &worker->runs;
	uint64_t from = catch_up_from(subscriber);
	struct run *run;

	if (!may_share(subscriber))
		return false;
	run = find(worker, subscriber, from, until);
	if (run != NULL)
		runs->shared++;
	else if (is_wished(runs, subscriber))
		run = begin(worker, subscriber, from, number);
	if (run == NULL)
		return false;
	run->used = ++runs->turn;
	progress_stretch(worker, subscriber, &run->stretch, until, most);
	outgoing_copy(&worker->outgoing, &run->outgoing, from,
	    subscriber->partial, subscriber->partial_bytes);
	/* What is not kept is there for this write alone. */
	if (run->stretch.alone)
		run->channel_count = 0;
	*reached = run->stretch.reached;
	return true;
}
