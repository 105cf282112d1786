/* target: publishing to a broker. See target.h. */
#include "tests/bench/target.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ssemux/pub.h>

#include "tests/bench/plan.h"
#include "tests/bench/target_state.h"
#include "tests/bench/wire.h"

static void
on_result(const struct ssemux_pub_result *result, void *context)
{
	(void)context;
	if (result->outcome != SSEMUX_PUB_ACKED) {
		errno = 0;
		plan_fail(result->text);
	}
}

static void
open_broker(struct target *target, const char *socket)
{
	struct ssemux_pub_options options = {
	    .size = sizeof(options),
	    .socket = socket,
	    .on_result = on_result,
	};

	target->pub = ssemux_pub_open(&options);
	if (target->pub == NULL)
		plan_fail("cannot open a publisher");
	if (ssemux_pub_status(target->pub, 10000) == NULL)
		plan_fail(ssemux_pub_error(target->pub));
}

static int
publish_to_broker(
    struct target *target, size_t channel, const char *data, size_t len)
{
	char name[WIRE_CHANNEL + 8];
	struct ssemux_pub_event event = {
	    .size = sizeof(event),
	    .channel = name,
	    .data = data,
	    .data_bytes = len,
	};

	snprintf(name, sizeof(name), "b%zu", channel);
	if (ssemux_pub_publish(target->pub, &event) == 0)
		return 0;
	if (errno != EAGAIN) {
		errno = 0;
		plan_fail(ssemux_pub_error(target->pub));
	}
	return -1;
}

struct target *
target_open(const char *where)
{
	struct target *target = calloc(1, sizeof(*target));

	if (target == NULL)
		plan_fail("no memory");
	target->fd = -1;
	if (strncmp(where, "ssemux:", 7) == 0) {
		open_broker(target, where + 7);
	} else if (strncmp(where, "floor:", 6) == 0) {
		target_open_floor(target, where + 6);
	} else {
		target_open_http(target, where);
	}
	return target;
}

int
target_publish(
    struct target *target, size_t channel, const char *data, size_t len)
{
	if (target->pub != NULL)
		return publish_to_broker(target, channel, data, len);
	if (target->path != NULL)
		return target_publish_http(target, channel, data, len);
	return target_publish_floor(target, data, len);
}

size_t
target_pending(const struct target *target)
{
	return target->pub != NULL ? ssemux_pub_unacked(target->pub)
				   : target->outstanding;
}

static short
wanted(const struct target *target)
{
	bool write = target->pub != NULL ? ssemux_pub_wants_write(target->pub)
					 : target->used > 0;

	return (short)(POLLIN | (write ? POLLOUT : 0));
}

void
target_wait(struct target *target, int other, long timeout_ns)
{
	struct timespec timeout = {
	    timeout_ns / 1000000000, timeout_ns % 1000000000};
	struct pollfd polled[2] = {{.fd = other, .events = POLLIN}};

	/* What was given goes out first. */
	if (target->pub != NULL && ssemux_pub_dispatch(target->pub) == -1)
		plan_fail(ssemux_pub_error(target->pub));
	polled[1] = (struct pollfd){
	    .fd = target->pub != NULL ? ssemux_pub_fd(target->pub) : target->fd,
	    .events = wanted(target),
	};
	if (ppoll(polled, 2, timeout_ns < 0 ? NULL : &timeout, NULL) == -1 &&
	    errno != EINTR)
		plan_fail("cannot wait");
	if (polled[1].revents == 0)
		return;
	if (target->pub != NULL)
		ssemux_pub_dispatch(target->pub);
	else if (target->path != NULL)
		target_dispatch_http(target);
}
