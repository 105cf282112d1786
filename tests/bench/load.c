/*
 * load: publishers and subscribers by the thousand, for make bench.
 *
 *	load accept SOCKET send|loop PUBLISHERS EVENTS BYTES
 *		publishes so many events in all; prints the seconds it took
 *	load deliver SOCKET PORT SUBSCRIBERS EVENTS BYTES
 *		opens streams, then publishes as fast as it goes; prints
 *		deliveries, seconds, and how many events were missing, doubled
 *		or out of order
 *	load storm PORT SUBSCRIBERS QUERY NUMBER
 *		opens streams with the query and reads until each has the event
 *		with the number, or, with 0, is live; prints events, seconds,
 *		missing, doubled and out of order. NUMBER with a minus: first
 *		waits until all are live, prints a line, and reads on when its
 *		input has one
 *	load probe SOCKET PORT SUBSCRIBERS RATE
 *		publishes so many events per second on a channel of its own;
 *		for each line of its input prints how long they took to get to
 *		its streams since the line before: how many, and median, 99th
 *		of 100, and longest, in microseconds
 *
 * Each event's data begins with its number, so a subscriber knows which one
 * comes next. Streams are in the raw format.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ssemux/pub.h>

#include "tests/bench/probe.h"
#include "tests/bench/streams.h"

enum { PUBLISHERS_MAX = 64, EVENT_BYTES_MAX = 65536 };

static double
now_s(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) == -1)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static __attribute__((noreturn)) void
fail(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(1);
}

static uint64_t
number_of(const char *text)
{
	char *end;
	uint64_t number = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0')
		fail("not a number");
	return number;
}

static void
count_result(const struct ssemux_pub_result *result, void *context)
{
	uint64_t *acked = context;

	if (result->outcome != SSEMUX_PUB_ACKED)
		fail(result->text);
	(*acked)++;
}

static struct ssemux_pub *
open_publisher(const char *socket, uint64_t *acked)
{
	struct ssemux_pub_options options = {
	    .size = sizeof(options),
	    .socket = socket,
	    .on_result = count_result,
	    .context = acked,
	};
	struct ssemux_pub *pub = ssemux_pub_open(&options);

	if (pub == NULL)
		fail("cannot open a publisher");
	return pub;
}

/* An event of `bytes` bytes whose data begin with its number. */
static struct ssemux_pub_event
make_event(char data[EVENT_BYTES_MAX], uint64_t number, size_t bytes)
{
	int len = snprintf(data, 32, "%" PRIu64 " ", number);

	if (len < 0 || bytes > EVENT_BYTES_MAX)
		fail("bad size");
	if ((size_t)len < bytes)
		memset(data + len, 'x', bytes - (size_t)len);
	return (struct ssemux_pub_event){
	    .size = sizeof(struct ssemux_pub_event),
	    .channel = "bench",
	    .data = data,
	    .data_bytes = (size_t)len < bytes ? bytes : (size_t)len,
	};
}

static void
publish_blocking(const char *socket, uint64_t events, size_t bytes)
{
	static char data[EVENT_BYTES_MAX];
	uint64_t acked = 0;
	struct ssemux_pub *pub = open_publisher(socket, &acked);

	for (uint64_t number = 1; number <= events; number++) {
		struct ssemux_pub_event event = make_event(data, number, bytes);

		if (ssemux_pub_send(pub, &event, 30000, NULL) == -1)
			fail(ssemux_pub_error(pub));
	}
	if (ssemux_pub_close(pub) != 0)
		fail("events were given up");
}

/* Gives events until the library is full. */
static void
give(struct ssemux_pub *pub, uint64_t *given, uint64_t events, size_t bytes)
{
	static char data[EVENT_BYTES_MAX];

	while (*given < events) {
		struct ssemux_pub_event event =
		    make_event(data, *given + 1, bytes);

		if (ssemux_pub_publish(pub, &event) == -1) {
			if (errno == EAGAIN)
				return;
			fail(ssemux_pub_error(pub));
		}
		(*given)++;
	}
}

static void
publish_in_loop(
    const char *socket, size_t publishers, uint64_t events, size_t bytes)
{
	struct ssemux_pub *pubs[PUBLISHERS_MAX];
	uint64_t given[PUBLISHERS_MAX] = {0};
	struct pollfd polled[PUBLISHERS_MAX];
	uint64_t acked = 0, share = events / publishers;

	if (publishers > PUBLISHERS_MAX)
		fail("too many publishers");
	for (size_t i = 0; i < publishers; i++)
		pubs[i] = open_publisher(socket, &acked);
	while (acked < share * publishers) {
		for (size_t i = 0; i < publishers; i++) {
			give(pubs[i], &given[i], share, bytes);
			if (ssemux_pub_dispatch(pubs[i]) == -1)
				fail(ssemux_pub_error(pubs[i]));
			polled[i].fd = ssemux_pub_fd(pubs[i]);
			polled[i].events = POLLIN;
			if (ssemux_pub_wants_write(pubs[i]))
				polled[i].events |= POLLOUT;
		}
		if (poll(polled, publishers, 10) == -1 && errno != EINTR)
			fail("poll");
	}
	for (size_t i = 0; i < publishers; i++)
		ssemux_pub_close(pubs[i]);
}

static int
run_accept(char **argv)
{
	uint64_t events = number_of(argv[3]);
	size_t bytes = number_of(argv[4]);
	double start = now_s();

	if (strcmp(argv[1], "send") == 0)
		publish_blocking(argv[0], events, bytes);
	else
		publish_in_loop(argv[0], number_of(argv[2]), events, bytes);
	printf("%.6f\n", now_s() - start);
	return 0;
}

/* As fast as it goes; the publisher is a process of its own. */
static void
deliver_in_bulk(
    struct streams *streams, const char *socket, uint64_t events, size_t bytes)
{
	pid_t child = fork();
	int status;

	if (child == -1)
		fail("fork");
	if (child == 0) {
		publish_in_loop(socket, 1, events, bytes);
		_exit(0);
	}
	streams_wait_number(streams, events);
	if (waitpid(child, &status, 0) == -1 || status != 0)
		fail("the publisher failed");
}

static int
run_deliver(char **argv)
{
	uint64_t events = number_of(argv[3]);
	size_t bytes = number_of(argv[4]);
	struct streams *streams = streams_open(
	    number_of(argv[1]), number_of(argv[2]), "channels=bench");
	struct streams_counts counts;
	double start;

	streams_wait_live(streams);
	/* The driver takes the processes' times now, and says go. */
	printf("ready\n");
	fflush(stdout);
	if (getchar() == EOF)
		return 1;
	start = now_s();
	deliver_in_bulk(streams, argv[0], events, bytes);
	counts = streams_counts(streams);
	printf("%" PRIu64 " %.6f %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
	    counts.events, now_s() - start, counts.missing, counts.doubled,
	    counts.disordered);
	fflush(stdout);
	getchar(); /* until the driver has looked at the processes again */
	streams_close(streams);
	return 0;
}

static int
run_storm(char **argv)
{
	bool stall = argv[3][0] == '-';
	uint64_t number = number_of(argv[3] + stall);
	double start = now_s();
	struct streams *streams =
	    streams_open(number_of(argv[0]), number_of(argv[1]), argv[2]);
	struct streams_counts counts;

	if (number == 0 || stall)
		streams_wait_live(streams);
	if (stall) {
		printf("ready\n");
		fflush(stdout);
		if (getchar() == EOF)
			return 1;
		start = now_s();
	}
	if (number > 0)
		streams_wait_number(streams, number);
	counts = streams_counts(streams);
	printf("%" PRIu64 " %.6f %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
	    counts.events, now_s() - start, counts.missing, counts.doubled,
	    counts.disordered);
	streams_close(streams);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 7 && strcmp(argv[1], "accept") == 0)
		return run_accept(argv + 2);
	if (argc == 7 && strcmp(argv[1], "deliver") == 0)
		return run_deliver(argv + 2);
	if (argc == 6 && strcmp(argv[1], "storm") == 0)
		return run_storm(argv + 2);
	if (argc == 6 && strcmp(argv[1], "probe") == 0)
		return probe_run(argv[2], number_of(argv[3]),
		    number_of(argv[4]), number_of(argv[5]));
	fprintf(stderr, "usage: see the start of tests/bench/load.c\n");
	return 64;
}
