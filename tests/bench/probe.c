/* probe: publishes steadily, and takes the time. See probe.h. */
#include "tests/bench/probe.h"

#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ssemux/pub.h>

#include "tests/bench/streams.h"

enum { TIMES_MAX = 4000000 };

struct probe {
	struct ssemux_pub *pub;
	struct streams *streams;
	uint64_t interval_us;
	uint64_t due_us;
	uint32_t *times_us; /* of events since the last report */
	size_t count;
};

static uint64_t
now_us(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) == -1)
		abort();
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The number of an event is the moment in which it was published. */
static void
take_time(uint64_t number, void *context)
{
	struct probe *probe = context;

	if (probe->count < TIMES_MAX)
		probe->times_us[probe->count++] = (uint32_t)(now_us() - number);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
report(struct probe *probe)
{
	const uint32_t *times = probe->times_us;
	size_t count = probe->count;

	qsort(probe->times_us, count, sizeof(*times), compare);
	if (count == 0)
		printf("0 0 0 0\n");
	else
		printf("%zu %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", count,
		    times[count / 2], times[count * 99 / 100],
		    times[count - 1]);
	fflush(stdout);
	probe->count = 0;
}

static void
publish(struct probe *probe)
{
	char data[32];
	int len = snprintf(data, sizeof(data), "%" PRIu64 " ", now_us());
	struct ssemux_pub_event event = {
	    .size = sizeof(event),
	    .channel = "probe",
	    .data = data,
	    .data_bytes = (size_t)len,
	};

	ssemux_pub_publish(probe->pub, &event);
	probe->due_us += probe->interval_us;
}

/* Waits until something is to be done. False: the input has ended. */
static bool
wait_and_act(struct probe *probe)
{
	uint64_t now = now_us();
	uint64_t wait_us = probe->due_us > now ? probe->due_us - now : 0;
	struct timespec wait = {.tv_nsec = (long)wait_us * 1000};
	struct pollfd polled[] = {
	    {.fd = STDIN_FILENO, .events = POLLIN},
	    {.fd = streams_fd(probe->streams), .events = POLLIN},
	    {.fd = ssemux_pub_fd(probe->pub), .events = POLLIN},
	};
	char line[16];

	if (ssemux_pub_wants_write(probe->pub))
		polled[2].events |= POLLOUT;
	ppoll(polled, 3, &wait, NULL);
	if (polled[1].revents != 0)
		streams_read(probe->streams, 0);
	if (now_us() >= probe->due_us)
		publish(probe);
	ssemux_pub_dispatch(probe->pub);
	if (polled[0].revents == 0)
		return true;
	if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
		return false;
	report(probe);
	return true;
}

int
probe_run(
    const char *socket, uint64_t port, uint64_t subscribers, uint64_t rate)
{
	struct ssemux_pub_options options = {
	    .size = sizeof(options),
	    .socket = socket,
	};
	struct probe probe = {
	    .pub = ssemux_pub_open(&options),
	    .streams = streams_open(port, subscribers, "channels=probe"),
	    .interval_us = 1000000 / rate,
	    .times_us = calloc(TIMES_MAX, sizeof(uint32_t)),
	};

	if (probe.pub == NULL || probe.times_us == NULL)
		return 1;
	streams_wait_live(probe.streams);
	streams_watch(probe.streams, take_time, &probe);
	probe.due_us = now_us();
	printf("ready\n");
	fflush(stdout);
	while (wait_and_act(&probe))
		;
	return 0;
}
