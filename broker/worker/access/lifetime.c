/* lifetime: streams end with their tokens. See lifetime.h. */
#include "broker/worker/access/lifetime.h"

#include "broker/worker/access/permit.h"
#include "broker/worker/access/withdraw.h"
#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/cursor/cursor.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

/* The clock may be set while a timer runs: it is looked at that often. */
enum { LOOK_AGAIN_MS = 60000 };

static uint64_t
next_ms(const struct permit *permit)
{
	return permit->announce_ms < permit->expires_ms ? permit->announce_ms
							: permit->expires_ms;
}

/* Sets the timer for what is due next. */
static void
arm(struct worker *worker, struct permit *permit)
{
	uint64_t now_ms = worker_now_ms(worker);
	uint64_t next = next_ms(permit);
	uint64_t wait_ms = next > now_ms ? next - now_ms : 0;

	ev_timer_stop(worker->loop, &permit->timer);
	if (next == UINT64_MAX)
		return;
	if (wait_ms > LOOK_AGAIN_MS)
		wait_ms = LOOK_AGAIN_MS;
	/* The loop's idea of now may be a moment old. */
	ev_now_update(worker->loop);
	ev_timer_set(&permit->timer, (double)wait_ms / 1000., 0.);
	ev_timer_start(worker->loop, &permit->timer);
}

/* False: the stream has ended. */
static bool
announce(struct worker *worker, struct subscriber *subscriber, uint64_t now_ms)
{
	if (subscriber->ended)
		return true; /* nothing comes behind its "bye" */
	control_token_expiring(
	    subscriber, subscriber->permit->expires_ms, now_ms);
	return cursor_say(worker, subscriber);
}

static void
on_due(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct subscriber *subscriber = timer->data;
	struct worker *worker = subscriber->connection->worker;
	struct permit *permit = subscriber->permit;
	uint64_t now_ms = worker_now_ms(worker);

	(void)loop;
	(void)events;
	if (now_ms >= permit->expires_ms) {
		withdraw_end(worker, subscriber, "token-expired");
		return;
	}
	if (now_ms >= permit->announce_ms) {
		permit->announce_ms = UINT64_MAX;
		if (!announce(worker, subscriber, now_ms))
			return;
	}
	arm(worker, permit);
}

/* As long ahead as is configured; halfway, when there is less time left. */
static uint64_t
announce_ms(const struct worker *worker, uint64_t expires_ms, uint64_t now_ms)
{
	uint64_t notice_ms = worker->config->auth_expiring_notice;
	uint64_t left_ms = expires_ms > now_ms ? expires_ms - now_ms : 0;

	if (notice_ms == 0)
		return UINT64_MAX;
	return left_ms > notice_ms ? expires_ms - notice_ms
				   : expires_ms - left_ms / 2;
}

void
lifetime_start(
    struct worker *worker, struct subscriber *subscriber, uint64_t expires_ms)
{
	struct permit *permit = subscriber->permit;
	uint64_t now_ms = worker_now_ms(worker);

	if (expires_ms <= now_ms)
		expires_ms += worker->config->auth_leeway;
	if (!ev_is_active(&permit->timer)) {
		ev_timer_init(&permit->timer, on_due, 0., 0.);
		permit->timer.data = subscriber;
	}
	permit->expires_ms = expires_ms;
	permit->announce_ms = expires_ms == UINT64_MAX
				  ? UINT64_MAX
				  : announce_ms(worker, expires_ms, now_ms);
	arm(worker, permit);
}

void
lifetime_stop(struct worker *worker, struct subscriber *subscriber)
{
	if (subscriber->permit != NULL)
		ev_timer_stop(worker->loop, &subscriber->permit->timer);
}
