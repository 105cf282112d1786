/* packs_credit: what may be compressed. See packs_credit.h. */
#include "broker/worker/cursor/packs_credit.h"

#include "broker/worker/cursor/packs.h"

enum {
	EVENT_COST = 64, /* of what is around an event's data */
	FEW = 16,        /* readers of an event */
};

void
packs_begin_turn(struct packs *packs, uint64_t credit, uint64_t readers)
{
	for (size_t i = 0; i < CODING_COUNT; i++) {
		if (packs->coders[i] != NULL)
			coder_aim(packs->coders[i], readers < FEW
							? CODER_SAVES_TIME
							: CODER_SAVES_BYTES);
	}
	if (packs->credit > PACKS_CREDIT_KEPT)
		packs->credit = PACKS_CREDIT_KEPT;
	packs->credit += credit;
}

unsigned
packs_price(const struct packs *packs, enum coding coding)
{
	return coder_price(packs->coders[coding]);
}

void
packs_earn(struct packs *packs, uint64_t credit)
{
	packs->credit += credit;
}

uint64_t
packs_cost(const struct packs *packs, const struct pack_events *events)
{
	const struct window *window = packs->window;
	uint64_t begin = events->span * PACKS_SPAN, bytes = 0;

	for (uint64_t left = events->bits; left != 0 && bytes <= packs->credit;
	     left &= left - 1) {
		struct event event = window_event(
		    window, window_entry(window,
				begin + (uint64_t)__builtin_ctzll(left)));

		bytes += event.data.len + EVENT_COST;
	}
	return bytes;
}

bool
packs_pay(struct packs *packs, enum coding coding, uint64_t any, uint64_t bytes)
{
	uint64_t cost = any + packs_price(packs, coding) * bytes;

	if (packs->credit < cost)
		return false;
	packs->credit -= cost;
	return true;
}
