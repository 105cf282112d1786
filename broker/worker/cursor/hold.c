/* hold: streams that wait for the end of an interval. See hold.h. */
#include "broker/worker/cursor/hold.h"

#include <stddef.h>

#include "broker/worker/cursor/place.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

/* Who is due within the same tick shares a wake. */
enum { TICK_US = 4000 };

static uint64_t
tick_after(uint64_t moment_us)
{
	return (moment_us + TICK_US - 1) / TICK_US;
}

static struct subscriber *
owner_of(struct wheel_node *node)
{
	return (struct subscriber *)(void *)((char *)node -
					     offsetof(
						 struct subscriber, hold.node));
}

/* Its being due is what ends the loop's sleep. */
static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct holds *holds = timer->data;

	(void)loop;
	(void)events;
	holds->armed = 0;
}

void
holds_init(struct worker *worker)
{
	struct holds *holds = &worker->holds;

	wheel_init(&holds->wheel, worker_steady_us() / TICK_US);
	ev_timer_init(&holds->timer, on_timer, 0., 0.);
	holds->timer.data = holds;
}

void
holds_stop(struct worker *worker)
{
	ev_timer_stop(worker->loop, &worker->holds.timer);
	worker->holds.armed = 0;
}

static void
set(struct worker *worker, struct subscriber *subscriber)
{
	struct wheel *wheel = &worker->holds.wheel;
	uint64_t tick = tick_after(subscriber->hold.due_us);
	uint64_t ticks = tick > wheel->now ? tick - wheel->now : 1;

	if (ticks > WHEEL_SLOTS - 1)
		ticks = WHEEL_SLOTS - 1; /* it is set again then */
	wheel_set(wheel, &subscriber->hold.node, (uint32_t)ticks);
}

static void
on_due(struct wheel_node *node, void *context)
{
	struct worker *worker = context;
	struct subscriber *subscriber = owner_of(node);

	if (tick_after(subscriber->hold.due_us) > worker->holds.wheel.now)
		set(worker, subscriber);
	else
		place_move(worker, subscriber, SUBSCRIBER_RUNNABLE);
}

void
holds_turn(struct worker *worker)
{
	struct holds *holds = &worker->holds;

	if (holds->count > 0)
		wheel_turn(&holds->wheel, worker_steady_us() / TICK_US, on_due,
		    worker);
}

void
holds_arm(struct worker *worker)
{
	struct holds *holds = &worker->holds;
	uint64_t tick = 0;
	uint64_t now_us;

	if (holds->count > 0)
		tick = holds->wheel.now + wheel_next(&holds->wheel);
	if (tick == holds->armed)
		return;
	holds_stop(worker);
	if (tick == 0)
		return;
	now_us = worker_steady_us();
	/* The loop's idea of now may be a moment old. */
	ev_now_update(worker->loop);
	ev_timer_set(&holds->timer,
	    tick * TICK_US > now_us ? (double)(tick * TICK_US - now_us) / 1e6
				    : 0.,
	    0.);
	ev_timer_start(worker->loop, &holds->timer);
	holds->armed = tick;
}

void
hold_enter(struct worker *worker, struct subscriber *subscriber)
{
	struct holds *holds = &worker->holds;

	if (holds->count++ == 0) /* nothing is on it: it was not turned */
		holds->wheel.now = worker_steady_us() / TICK_US;
	worker_count(worker, METRIC_STREAMS_HELD, 1);
	set(worker, subscriber);
}

void
hold_leave(struct worker *worker, struct subscriber *subscriber)
{
	wheel_remove(&subscriber->hold.node);
	worker->holds.count--;
	board_subtract(worker->board, METRIC_STREAMS_HELD, 1);
}

uint64_t
hold_interval_end(uint64_t moment_us, uint32_t interval_ms)
{
	uint64_t interval_us = (uint64_t)interval_ms * 1000;

	return (moment_us / interval_us + 1) * interval_us;
}

void
hold_event(struct worker *worker, struct subscriber *subscriber,
    const struct event *event, uint32_t interval_ms)
{
	struct hold *hold = &subscriber->hold;
	uint64_t due_us;

	if (hold->waiting_ms >= interval_ms ||
	    (subscriber->picky && !subscriber_takes(subscriber, event)))
		return;
	hold->waiting_ms = interval_ms;
	if (subscriber->place != SUBSCRIBER_AT_HEAD &&
	    subscriber->place != SUBSCRIBER_HELD)
		return;
	due_us = hold_interval_end(worker_steady_us(), interval_ms);
	if (subscriber->place == SUBSCRIBER_AT_HEAD) {
		/* All before it is written, or will be with this turn's. */
		subscriber->cursor = event->cursor - 1;
		hold->due_us = due_us;
		place_move(worker, subscriber, SUBSCRIBER_HELD);
	} else if (due_us > hold->due_us) {
		hold->due_us = due_us;
		set(worker, subscriber);
	}
}

/* When the round after this one may begin. */
static uint64_t
next_round_us(const struct hold *hold)
{
	uint64_t due_us;

	if (hold->waiting_ms == 0)
		return 0;
	due_us = hold_interval_end(hold->round_us, hold->waiting_ms);
	return due_us > hold->due_us ? due_us : hold->due_us;
}

bool
hold_waits(struct worker *worker, struct subscriber *subscriber)
{
	struct hold *hold = &subscriber->hold;
	uint64_t due_us, now_us;

	if (subscriber->cursor < hold->fence || subscriber->partial != 0)
		return false;
	now_us = worker_steady_us();
	due_us = next_round_us(hold);
	if (due_us > now_us && !subscriber->ends) {
		hold->due_us = due_us;
		place_move(worker, subscriber, SUBSCRIBER_HELD);
		return true;
	}
	hold->fence = worker->window.head;
	hold->round_us = now_us;
	hold->waiting_ms = 0;
	hold->due_us = 0;
	return false;
}

uint64_t
hold_reach(const struct worker *worker, const struct subscriber *subscriber)
{
	const struct hold *hold = &subscriber->hold;

	/* What it is to be told comes right behind what is half written; and
	 * what was said to be lost does not come with it. */
	if (subscriber->partial != 0 &&
	    (subscriber->owed != NULL ||
		subscriber->partial < subscriber->lost_to))
		return subscriber->partial;
	if (subscriber->cursor < hold->fence)
		return hold->fence;
	/* What is half written is finished; what has come since waits. */
	if (subscriber->partial != 0 && hold->waiting_ms > 0)
		return subscriber->partial;
	return worker->window.head;
}
