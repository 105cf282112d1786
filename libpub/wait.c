/* wait: the calls that wait for the broker. See <ssemux/pub.h> and wait.h. */
#include "libpub/wait.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "libpub/failure.h"
#include "libpub/session.h"

int64_t
wait_deadline(int timeout_ms)
{
	return timeout_ms < 0 ? INT64_MAX : handle_now_ms() + timeout_ms;
}

int
wait_allowed(struct ssemux_pub *pub)
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

enum wait_step
wait_step(struct ssemux_pub *pub, int64_t deadline_ms)
{
	struct pollfd poll_fd = {.fd = pub->conn.fd, .events = POLLIN};

	if (session_wants_write(pub))
		poll_fd.events |= POLLOUT;
	if (handle_now_ms() >= deadline_ms)
		return WAIT_LATE;
	if (poll(&poll_fd, 1, poll_timeout(pub, deadline_ms)) < 0 &&
	    errno != EINTR) {
		failure_set(&pub->failure, errno, "cannot wait: %s",
		    strerrordesc_np(errno));
		return WAIT_FAILED;
	}
	return session_turn(pub) < 0 ? WAIT_FAILED : WAIT_DONE;
}

int
ssemux_pub_dispatch(struct ssemux_pub *pub)
{
	return wait_allowed(pub) < 0 ? -1 : session_turn(pub);
}

int
ssemux_pub_flush(struct ssemux_pub *pub, int timeout_ms)
{
	int64_t deadline_ms = wait_deadline(timeout_ms);

	if (wait_allowed(pub) < 0 || session_turn(pub) < 0)
		return -1;
	while (pub->queue.events > 0) {
		switch (wait_step(pub, deadline_ms)) {
		case WAIT_DONE:
			break;
		case WAIT_LATE:
			return 1;
		case WAIT_FAILED:
			return -1;
		}
	}
	return 0;
}

int
wait_fail_late(struct ssemux_pub *pub, int number, const char *what)
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
		case WAIT_DONE:
			connection = pub->failure;
			break;
		case WAIT_LATE:
			return wait_fail_late(
			    pub, EAGAIN, "no room for the event");
		case WAIT_FAILED:
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
	int64_t deadline_ms = wait_deadline(timeout_ms);
	enum wait_step step = WAIT_DONE;

	if (wait_allowed(pub) < 0 || take_in_time(pub, event, deadline_ms) < 0)
		return -1;
	pub->watch = (struct watch){.number = pub->queue.taken};
	if (session_push(pub) < 0)
		step = WAIT_FAILED;
	while (step == WAIT_DONE && !pub->watch.settled)
		step = wait_step(pub, deadline_ms);
	if (pub->watch.settled)
		return return_settled(pub, cursor);
	pub->watch.number = 0;
	if (step == WAIT_FAILED)
		return -1;
	return wait_fail_late(pub, ETIMEDOUT, "not acknowledged");
}

const char *
ssemux_pub_status(struct ssemux_pub *pub, int timeout_ms)
{
	int64_t deadline_ms = wait_deadline(timeout_ms);
	enum wait_step step = WAIT_DONE;

	if (wait_allowed(pub) < 0 || session_turn(pub) < 0)
		return NULL;
	if (pub->report_state != REPORT_ASKED)
		pub->report_state = REPORT_WANTED;
	while (step == WAIT_DONE && pub->report_state != REPORT_HERE)
		step = wait_step(pub, deadline_ms);
	if (pub->report_state != REPORT_HERE) {
		if (step == WAIT_LATE)
			wait_fail_late(pub, ETIMEDOUT, "no report");
		return NULL;
	}
	pub->report_state = REPORT_NONE;
	if (!buf_failed(&pub->report))
		return buf_bytes(&pub->report);
	failure_set(&pub->failure, ENOMEM, "no memory for the report");
	return NULL;
}
