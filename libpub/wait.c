/* wait: the calls that wait for the broker. See <ssemux/pub.h>. */
#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "libpub/failure.h"
#include "libpub/handle.h"
#include "libpub/session.h"

/* Where a wait ends; for ever is INT64_MAX. */
static int64_t
deadline_after(int timeout_ms)
{
	return timeout_ms < 0 ? INT64_MAX : handle_now_ms() + timeout_ms;
}

/* 0 when the handle may be worked with; else -1 with errno. */
static int
check_may_wait(struct ssemux_pub *pub)
{
	if (pub == NULL) {
		errno = EINVAL;
		return -1;
	}
	if (pub->telling)
		return failure_set(&pub->failure, EDEADLK,
		    "not possible inside the result function");
	return 0;
}

static int
poll_timeout(const struct ssemux_pub *pub, int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - handle_now_ms();
	int due_ms = session_due_in_ms(pub);

	if (left_ms < 0)
		left_ms = 0;
	if (due_ms >= 0 && due_ms < left_ms)
		return due_ms;
	if (deadline_ms == INT64_MAX)
		return -1;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

enum step { STEP_DONE, STEP_LATE, STEP_FAILED };

/* Waits until something can be done or the time is up, and does it. */
static enum step
wait_step(struct ssemux_pub *pub, int64_t deadline_ms)
{
	struct pollfd poll_fd = {.fd = pub->conn.fd, .events = POLLIN};

	if (session_wants_write(pub))
		poll_fd.events |= POLLOUT;
	if (handle_now_ms() >= deadline_ms)
		return STEP_LATE;
	if (poll(&poll_fd, 1, poll_timeout(pub, deadline_ms)) < 0 &&
	    errno != EINTR) {
		failure_set(&pub->failure, errno, "cannot wait: %s",
		    strerrordesc_np(errno));
		return STEP_FAILED;
	}
	return session_turn(pub) < 0 ? STEP_FAILED : STEP_DONE;
}

int
ssemux_pub_dispatch(struct ssemux_pub *pub)
{
	return check_may_wait(pub) < 0 ? -1 : session_turn(pub);
}

int
ssemux_pub_flush(struct ssemux_pub *pub, int timeout_ms)
{
	int64_t deadline_ms = deadline_after(timeout_ms);

	if (check_may_wait(pub) < 0 || session_turn(pub) < 0)
		return -1;
	while (pub->queue.events > 0) {
		switch (wait_step(pub, deadline_ms)) {
		case STEP_DONE:
			break;
		case STEP_LATE:
			return 1;
		case STEP_FAILED:
			return -1;
		}
	}
	return 0;
}

/* Adds what keeps the connection from being there to a time-out. */
static int
fail_late(struct ssemux_pub *pub, int number, const char *what)
{
	struct failure why = pub->failure;

	if (pub->state == SSEMUX_PUB_CONNECTED || why.text[0] == '\0')
		return failure_set(&pub->failure, number, "%s in time", what);
	return failure_set(
	    &pub->failure, number, "%s in time: %.200s", what, why.text);
}

/* Publishes as soon as there is room. */
static int
take_in_time(struct ssemux_pub *pub, const struct ssemux_pub_event *event,
    int64_t deadline_ms)
{
	struct failure connection = pub->failure;

	while (ssemux_pub_publish(pub, event) < 0) {
		if (errno != EAGAIN)
			return -1;
		pub->failure = connection;
		switch (wait_step(pub, deadline_ms)) {
		case STEP_DONE:
			connection = pub->failure;
			break;
		case STEP_LATE:
			return fail_late(pub, EAGAIN, "no room for the event");
		case STEP_FAILED:
			return -1;
		}
	}
	return 0;
}

static int
return_settled(struct ssemux_pub *pub, char cursor[SSEMUX_PUB_CURSOR_SIZE])
{
	struct watch *watch = &pub->watch;

	watch->number = 0;
	if (watch->outcome == SSEMUX_PUB_ACKED) {
		if (cursor != NULL)
			memcpy(cursor, watch->cursor, sizeof(watch->cursor));
		return 0;
	}
	pub->failure = watch->failure;
	errno = pub->failure.number;
	return -1;
}

int
ssemux_pub_send(struct ssemux_pub *pub, const struct ssemux_pub_event *event,
    int timeout_ms, char cursor[SSEMUX_PUB_CURSOR_SIZE])
{
	int64_t deadline_ms = deadline_after(timeout_ms);
	enum step step = STEP_DONE;

	if (check_may_wait(pub) < 0 ||
	    take_in_time(pub, event, deadline_ms) < 0)
		return -1;
	pub->watch = (struct watch){.number = pub->queue.taken};
	if (session_turn(pub) < 0)
		step = STEP_FAILED;
	while (step == STEP_DONE && !pub->watch.settled)
		step = wait_step(pub, deadline_ms);
	if (pub->watch.settled)
		return return_settled(pub, cursor);
	pub->watch.number = 0;
	if (step == STEP_FAILED)
		return -1;
	return fail_late(pub, ETIMEDOUT, "not acknowledged");
}

const char *
ssemux_pub_status(struct ssemux_pub *pub, int timeout_ms)
{
	int64_t deadline_ms = deadline_after(timeout_ms);
	enum step step = STEP_DONE;

	if (check_may_wait(pub) < 0 || session_turn(pub) < 0)
		return NULL;
	if (pub->report_state != REPORT_ASKED)
		pub->report_state = REPORT_WANTED;
	while (step == STEP_DONE && pub->report_state != REPORT_HERE)
		step = wait_step(pub, deadline_ms);
	if (pub->report_state != REPORT_HERE) {
		if (step == STEP_LATE)
			fail_late(pub, ETIMEDOUT, "no report");
		return NULL;
	}
	pub->report_state = REPORT_NONE;
	if (!buf_failed(&pub->report))
		return buf_bytes(&pub->report);
	failure_set(&pub->failure, ENOMEM, "no memory for the report");
	return NULL;
}
