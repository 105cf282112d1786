/* packing: packs to one stream. See packing.h. */
#include "broker/worker/cursor/packing.h"

#include <stdlib.h>

#include "broker/worker/connection.h"
#include "broker/worker/cursor/packed.h"
#include "broker/worker/cursor/packing_state.h"
#include "broker/worker/cursor/packs.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

/*
 * What is done for streams takes time, and compressing may add a fifth of that
 * and no more. So it earns credit, in bytes of text that can be compressed in a
 * fifth of the time that it takes, as measured.
 */
enum {
	EARNED_BY_TURN = 1024,
	EARNED_BY_EVENT = 16, /* that comes, whoever wants it */
	EARNED_BY_WRITE = 1100,
	EARNED_BY_DELIVERY = 56,
	/* Of an event that is read again, times the coding's price. Who begins
	 * does that once, and gets what it takes; so much more in a turn of
	 * those who are behind, in a worker with few streams or many. */
	EARNED_BY_READING = 360,
	BEGINNERS_OF_FEW = 300000,
	BEGINNERS_OF_MANY = 75000,
	FEW = 16,
};

struct packing *
packing_create(struct worker *worker)
{
	struct packing *packing = calloc(1, sizeof(*packing));

	if (packing == NULL)
		return NULL;
	packing->packs =
	    packs_create(worker->config, &worker->window, worker->board);
	if (packing->packs == NULL) {
		free(packing);
		return NULL;
	}
	return packing;
}

void
packing_destroy(struct packing *packing)
{
	if (packing == NULL)
		return;
	packs_destroy(packing->packs);
	buf_finish(&packing->pieces);
	buf_finish(&packing->text);
	free(packing);
}

bool
packing_is_secret(const struct worker *worker, struct slice channel)
{
	return packs_is_secret(worker->packing->packs, channel);
}

void
packing_begin_turn(struct worker *worker)
{
	const struct deliveries *deliveries = &worker->deliveries;
	uint64_t events = worker->window.end - deliveries->base;

	if (worker->packing == NULL)
		return;
	worker->packing->cuts = false;
	packs_begin_turn(worker->packing->packs,
	    EARNED_BY_TURN + EARNED_BY_EVENT * events +
		EARNED_BY_WRITE * deliveries->subscriber_count +
		EARNED_BY_DELIVERY * deliveries->count,
	    events > 0 ? deliveries->count / events : 0);
}

void
packing_begin_catch_up(struct worker *worker)
{
	uint64_t streams;

	if (worker->packing == NULL)
		return;
	streams = board_get(worker->board,
	    BOARD_FIRST_WORKER + worker->heritage->worker, METRIC_STREAMS);
	/* Each of a crowd stands somewhere else. */
	worker->packing->cuts = streams > FEW;
	worker->packing->for_beginners =
	    streams > FEW ? BEGINNERS_OF_MANY : BEGINNERS_OF_FEW;
	packs_begin_turn(worker->packing->packs, EARNED_BY_TURN, streams);
}

void
packing_earn_reading(
    struct worker *worker, const struct subscriber *subscriber, size_t events)
{
	struct packs *packs = worker->packing->packs;

	packs_earn(packs, EARNED_BY_READING * events *
			      packs_price(packs, subscriber->packed->coding));
}

void
packing_begin_write(struct worker *worker, struct subscriber *subscriber)
{
	struct packing *packing = worker->packing;

	packing->pin = UINT64_MAX;
	packing->last = subscriber->packed->last;
	packing->alone = false;
	packing->receipt_count = 0;
}

static bool
is_full(const struct worker *worker)
{
	const struct packing *packing = worker->packing;

	return packing->alone || outgoing_full(&worker->outgoing) ||
	       packing->receipt_count + PACKS_SPAN > OUTGOING_FRAMES;
}

void
packing_add_receipts(struct worker *worker, const struct pack_events *of)
{
	struct packing *packing = worker->packing;
	const struct window *window = &worker->window;

	for (uint64_t left = of->bits; left != 0; left &= left - 1) {
		uint64_t number =
		    of->span * PACKS_SPAN + (uint64_t)__builtin_ctzll(left);
		uint32_t receipt =
		    window_receipt(window, window_entry(window, number));

		if (receipt != 0)
			packing->receipts[packing->receipt_count++] = receipt;
	}
}

static void
add_pack(struct worker *worker, const struct subscriber *subscriber,
    const struct pack *pack, const struct frame *frame)
{
	struct packing *packing = worker->packing;
	const struct window *window = &worker->window;
	const struct pack_events *of = &pack->key.of;
	uint64_t begin = of->span * PACKS_SPAN;
	uint64_t first = begin + (uint64_t)__builtin_ctzll(of->bits);
	uint64_t last = begin + 63 - (uint64_t)__builtin_clzll(of->bits);
	struct slice bytes = frame_part(frame, subscriber->http_minor);

	if (pack->receipts)
		packing_add_receipts(worker, of);
	packing->last = *of;
	if (packs_secret_bits(packing->packs, of->span, of->bits) != 0)
		packing->last = (struct pack_events){.bits = 0};
	packing->frames[worker->outgoing.frame_count] = (struct packing_frame){
	    .bytes = bytes,
	    .first = window_entry(window, first)->cursor,
	    .of = packing->last,
	    .events = (uint32_t)__builtin_popcountll(of->bits),
	    .receipts_end = packing->receipt_count,
	    .sum = subscriber->packed->sums ? packs_sum(packing->packs, pack)
					    : pack->sum,
	};
	outgoing_add(
	    &worker->outgoing, window_entry(window, last)->cursor, bytes, 0);
}

/* The first of these that can be one pack: all up to the next secret. */
static uint64_t
first_together(struct packs *packs, uint64_t span, uint64_t bits)
{
	uint64_t secret = packs_secret_bits(packs, span, bits);
	uint64_t lowest = bits & -bits;

	if (secret == 0)
		return bits;
	return (secret & lowest) != 0 ? lowest
				      : bits & ((secret & -secret) - 1);
}

/* Gets as much of what waits as can be one pack. */
static enum packs_got
get_first(struct packing *packing, struct pack_key *key,
    const struct pack **pack, struct frame *frame)
{
	struct packs *packs = packing->packs;
	enum packs_got got;

	key->of.bits = first_together(packs, packing->span, packing->bits);
	if (packing->cuts)
		key->of.bits = packs_first_block(key->of.bits);
	else if (__builtin_popcountll(key->of.bits) <= PACKS_CONTEXT &&
		 packs_secret_bits(packs, key->of.span, key->of.bits) == 0)
		key->after = packing->last;
	got = packs_get(packs, key, &packing->pin, pack, frame);
	if (got == PACKS_SPENT && key->after.bits != 0) {
		key->after = (struct pack_events){.bits = 0};
		got = packs_get(packs, key, &packing->pin, pack, frame);
	}
	if (got == PACKS_SPENT) {
		key->stored = true;
		got = packs_get(packs, key, &packing->pin, pack, frame);
	}
	return got;
}

/* Adds the first of what waits. False: the write has no room for it. */
static bool
add_first(struct worker *worker, struct subscriber *subscriber)
{
	struct packing *packing = worker->packing;
	struct pack_key key = {.of.span = packing->span,
	    .shape = subscriber->shape,
	    .coding = subscriber->packed->coding};
	const struct pack *pack;
	struct frame frame;
	enum packs_got got;

	if (is_full(worker))
		return false;
	got = get_first(packing, &key, &pack, &frame);
	if (got == PACKS_WAIT)
		return false;
	packing->alone = got == PACKS_ALONE;
	add_pack(worker, subscriber, pack, &frame);
	packing->bits &= ~key.of.bits;
	return true;
}

static bool
add_span(struct worker *worker, struct subscriber *subscriber)
{
	while (worker->packing->bits != 0) {
		if (!add_first(worker, subscriber))
			return false;
	}
	return true;
}

/* Adds what was set aside as others may get it, too, span by span. */
static bool
add_back(struct worker *worker, struct subscriber *subscriber)
{
	struct packing *packing = worker->packing;
	uint64_t span = packing->span, bits = packing->bits;
	size_t next = 0, left = 0;
	bool added = true;

	while (added && next < packing->aside_count) {
		packing->span = packing->aside[next] / PACKS_SPAN;
		packing->bits = 0;
		for (; next < packing->aside_count &&
		       packing->aside[next] / PACKS_SPAN == packing->span;
		     next++)
			packing->bits |= UINT64_C(1)
					 << packing->aside[next] % PACKS_SPAN;
		added = add_span(worker, subscriber);
	}
	for (uint64_t rest = packing->bits; rest != 0; rest &= rest - 1)
		packing->aside[left++] = packing->span * PACKS_SPAN +
					 (uint64_t)__builtin_ctzll(rest);
	while (next < packing->aside_count)
		packing->aside[left++] = packing->aside[next++];
	packing->aside_count = left;
	packing->span = span;
	packing->bits = bits;
	return added;
}

bool
packing_add_waiting(struct worker *worker, struct subscriber *subscriber)
{
	struct packing *packing = worker->packing;

	if (packing->aside_count > 0) {
		packing_set_aside(worker);
		if (packing_is_far_apart(packing))
			packing_add_aside(worker, subscriber);
		else if (!add_back(worker, subscriber))
			return false;
	}
	return add_span(worker, subscriber);
}

enum added
packing_add_entry(
    struct worker *worker, struct subscriber *subscriber, uint64_t number)
{
	struct packing *packing = worker->packing;
	uint64_t span = number / PACKS_SPAN;
	struct event event;

	if (packing->bits == 0 && worker->outgoing.frame_count == 0)
		packing_begin_write(worker, subscriber);
	if (packing->bits != 0 &&
	    (span != packing->span || packing->bytes >= PACKS_TEXT_MAX) &&
	    !packing_set_aside(worker) &&
	    !packing_add_waiting(worker, subscriber))
		return NOT_ADDED;
	if (packing->bits == 0) {
		packing->span = span;
		packing->bytes = 0;
	}
	event = window_event(
	    &worker->window, window_entry(&worker->window, number));
	packing->bits |= UINT64_C(1) << number % PACKS_SPAN;
	packing->bytes += event.data.len;
	return ADDED;
}

/* Who is behind is about to get an event of the window. */
static void
earn(struct packing *packing, const struct subscriber *subscriber)
{
	uint64_t credit = EARNED_BY_DELIVERY;

	if (subscriber->owes_live && packing->for_beginners > 0) {
		credit = EARNED_BY_READING * packs_price(packing->packs,
						 subscriber->packed->coding);
		packing->for_beginners -= credit < packing->for_beginners
					      ? credit
					      : packing->for_beginners;
	}
	packs_earn(packing->packs, credit);
}

uint64_t
packing_stretch(struct worker *worker, struct subscriber *subscriber,
    uint64_t number, uint64_t until, int most)
{
	const struct window *window = &worker->window;
	uint64_t reached = subscriber->cursor;

	outgoing_begin(&worker->outgoing);
	worker->packing->bits = 0;
	worker->packing->aside_count = 0;
	packs_earn(worker->packing->packs, EARNED_BY_WRITE);
	for (int i = 0; i < most; i++, number++) {
		const struct window_entry *entry = window_entry(window, number);
		struct event event;

		if (number == window->end || entry->cursor > until)
			return reached > until ? reached : until;
		event = window_event(window, entry);
		if (subscriber_wants(subscriber, &event)) {
			earn(worker->packing, subscriber);
			if (packing_add_entry(worker, subscriber, number) ==
			    NOT_ADDED)
				return reached;
		}
		reached = entry->cursor;
	}
	return reached;
}
