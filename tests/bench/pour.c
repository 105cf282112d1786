/* pour: how a crowd's publisher publishes. See pour.h. */
#include "tests/bench/pour.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/wire.h"

#define SECOND_NS UINT64_C(1000000000)

/* The longest time that acknowledgements may take. */
#define ACKS_NS (60 * SECOND_NS)

void
pour_init(struct pour *pour, const struct plan *plan,
    struct plan_shared *shared, struct target *target)
{
	*pour = (struct pour){
	    .plan = plan,
	    .shared = shared,
	    .target = target,
	    .numbers = calloc(plan->channels, sizeof(*pour->numbers)),
	    .readers = calloc(plan->channels, sizeof(*pour->readers)),
	};
	if (pour->numbers == NULL || pour->readers == NULL)
		plan_fail("no memory");
	for (size_t i = 0; i < plan->channels; i++)
		pour->numbers[i] = plan->first;
	for (size_t i = 0; i < plan->subscribers; i++)
		for (size_t j = 0; j < plan->per_subscriber; j++)
			pour->readers[plan_channel(plan, i, j)]++;
}

/* Waits for room where there is none. Its time begins when it was due; 0: when
 * it is published. */
static void
publish_one(struct pour *pour, size_t channel, uint64_t number, uint64_t due_ns)
{
	static char data[PLAN_EVENT_MAX];
	struct wire_mark mark = {.channel = channel, .number = number};
	size_t len;

	do {
		mark.time_ns = due_ns > 0 ? due_ns : plan_now_ns();
		len = pour->plan->json ? wire_write_order(&mark, data)
				       : wire_write_event(&mark,
					     pour->plan->event_bytes, data);
	} while (target_publish(pour->target, channel, data, len) == -1 &&
		 (target_wait(pour->target, -1, -1), true));
}

/* The next event; channels take turns, in no order. */
static void
publish_next(struct pour *pour, uint64_t due_ns)
{
	size_t channel =
	    (size_t)(pour->published++ * 7919 % pour->plan->channels);

	publish_one(pour, channel, ++pour->numbers[channel], due_ns);
	pour->expected += pour->readers[channel];
}

static uint64_t
received(const struct pour *pour)
{
	return atomic_load(&pour->shared->received);
}

/* Until all have what was published, or nothing has come for long since it was
 * acknowledged. */
static void
wait_for_all(struct pour *pour)
{
	uint64_t seen = received(pour), since = plan_now_ns(), rung;
	uint64_t patience = since + ACKS_NS;

	atomic_store(&pour->shared->awaited, pour->expected);
	while (received(pour) < pour->expected &&
	       plan_now_ns() - since < pour->plan->give_up_s * SECOND_NS) {
		target_wait(pour->target, pour->shared->bell, SECOND_NS);
		if (received(pour) != seen ||
		    (target_pending(pour->target) > 0 &&
			plan_now_ns() < patience)) {
			seen = received(pour);
			since = plan_now_ns();
		}
	}
	atomic_store(&pour->shared->awaited, UINT64_MAX);
	while (read(pour->shared->bell, &rung, sizeof(rung)) > 0)
		;
}

static void
wait_for_acks(struct pour *pour)
{
	uint64_t since = plan_now_ns();

	while (target_pending(pour->target) > 0) {
		target_wait(pour->target, -1, SECOND_NS);
		if (plan_now_ns() - since > ACKS_NS)
			plan_fail("events are not acknowledged");
	}
}

void
pour_paced(struct pour *pour, double rate, double seconds)
{
	uint64_t step = (uint64_t)((double)SECOND_NS / rate);
	uint64_t start = plan_now_ns(), due = start;
	uint64_t end = start + (uint64_t)(seconds * (double)SECOND_NS);

	while (due < end) {
		uint64_t now = plan_now_ns();

		if (now < due) {
			target_wait(pour->target, -1, (long)(due - now));
			continue;
		}
		/* Who publishes late must not make it look early. */
		publish_next(pour, due);
		target_wait(pour->target, -1, 0);
		due += step;
	}
	wait_for_all(pour);
	wait_for_acks(pour);
}

void
pour_steady(struct pour *pour, uint64_t events, double seconds)
{
	uint64_t start = plan_now_ns();
	uint64_t limit = (uint64_t)(seconds * (double)SECOND_NS);

	for (uint64_t i = 0; i < events && plan_now_ns() - start < limit; i++) {
		publish_next(pour, 0);
		wait_for_all(pour);
	}
	wait_for_acks(pour);
}

void
pour_burst(struct pour *pour, uint64_t events)
{
	for (uint64_t i = 0; i < events; i++) {
		publish_next(pour, 0);
		if (i % 64 == 63)
			target_wait(pour->target, -1, 0);
	}
	wait_for_all(pour);
	wait_for_acks(pour);
}

void
pour_nobody(struct pour *pour, uint64_t events)
{
	for (uint64_t i = 0; i < events; i++) {
		publish_one(pour, pour->plan->channels, i + 1, 0);
		if (i % 64 == 63)
			target_wait(pour->target, -1, 0);
	}
	wait_for_acks(pour);
}
