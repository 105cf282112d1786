/* Tests of hold: intervals, and rounds that end at their fence. */
#include "broker/worker/cursor/hold.h"

#include <stdio.h>

#include "broker/worker/cursor/place.h"
#include "broker/worker/subscriber.h"
#include "tests/unit/hand_worker.h"
#include "tests/unit/listener.h"
#include "tests/unit/suite.h"

enum {
	FIRST = 40,
	LARGE = 1000,
	MINUTE_US = 60000000,
	/* Intervals that do not end while a test runs: no machine is up for a
	 * round number of them. */
	LONG_MS = 100000000,
	LONGER_MS = 1000000000,
};

static struct hand_worker hand;
static struct listener listener;
static struct subscriber *subscriber;

/* A stream at the head, whose interval does not end by itself. */
static void
set_up(void)
{
	hand_worker_make(&hand);
	listener_init(&listener, hand_worker_connect(&hand), 1,
	    "GET /stream?channels=*&window=60s HTTP/1.1\r\nHost: h\r\n\r\n");
	while (hand.worker.connections->subscriber == NULL ||
	       hand.worker.connections->subscriber->place != SUBSCRIBER_AT_HEAD)
		hand_worker_turn(&hand);
	subscriber = hand.worker.connections->subscriber;
	subscriber->hold_ms = LONG_MS;
}

static void
tear_down(void)
{
	listener_finish(&listener);
	hand_worker_finish(&hand);
	ck_assert_uint_eq(hand.worker.holds.count, 0);
}

static void
publish(size_t count)
{
	for (; count > 0; count--)
		hand_worker_publish(&hand, LARGE);
	while (hand_worker_turn(&hand))
		;
}

/* Reads all that comes; how many events. */
static size_t
read_all(void)
{
	size_t events = 0;

	for (int i = 0; i < 200; i++) {
		struct slice block;

		hand_worker_turn(&hand);
		listener_read(&listener, 65536);
		while ((block = listener_block(&listener)).len > 0) {
			events +=
			    slice_starts_with(block, slice_of_text("id: "));
			buf_consume(&listener.body, block.len);
		}
	}
	return events;
}

/* As if the interval had ended. */
static void
end_interval(void)
{
	ck_assert_int_eq(subscriber->place, SUBSCRIBER_HELD);
	subscriber->hold.due_us = subscriber->hold.round_us = 0;
	subscriber->hold.waiting_ms = 1;
	place_move(&hand.worker, subscriber, SUBSCRIBER_RUNNABLE);
	hand_worker_turn(&hand);
}

START_TEST(an_interval_ends_behind_every_moment_in_it)
{
	ck_assert_uint_eq(hold_interval_end(0, 50), 50000);
	ck_assert_uint_eq(hold_interval_end(49999, 50), 50000);
	ck_assert_uint_eq(hold_interval_end(50000, 50), 100000);
	ck_assert_uint_eq(
	    hold_interval_end(7 * (uint64_t)MINUTE_US + 1, HOLD_MS_MAX),
	    8 * (uint64_t)MINUTE_US);
}
END_TEST

START_TEST(events_wait_for_the_end_of_the_interval)
{
	ck_assert_uint_eq(read_all(), 0);
	publish(3);
	ck_assert_int_eq(subscriber->place, SUBSCRIBER_HELD);
	ck_assert_uint_gt(subscriber->hold.due_us, worker_steady_us());
	ck_assert_uint_eq(hand.worker.holds.count, 1);
	ck_assert_uint_eq(read_all(), 0);
	end_interval();
	ck_assert_uint_eq(read_all(), 3);
	ck_assert_int_eq(subscriber->place, SUBSCRIBER_AT_HEAD);
	ck_assert_uint_eq(hand.worker.holds.count, 0);
}
END_TEST

/* Its socket is full in the midst of it: what comes then is for the next. */
START_TEST(a_round_ends_at_its_fence)
{
	read_all();
	publish(FIRST);
	end_interval();
	ck_assert_int_eq(subscriber->place, SUBSCRIBER_BLOCKED);
	publish(5);
	ck_assert_uint_eq(read_all(), FIRST);
	ck_assert_int_eq(subscriber->place, SUBSCRIBER_HELD);
	ck_assert_uint_gt(subscriber->hold.due_us, worker_steady_us());
	ck_assert(cursor_release(&hand.worker, subscriber));
	ck_assert_uint_eq(read_all(), 5);
	ck_assert_int_eq(subscriber->place, SUBSCRIBER_AT_HEAD);
}
END_TEST

/* A channel has a longer interval than the stream. */
START_TEST(the_longest_interval_of_what_waits_counts)
{
	const struct event event = {
	    .cursor = hand.cursor + 2, .channel = slice_of_text("c")};
	uint64_t due_us;

	publish(1);
	due_us = subscriber->hold.due_us;
	hold_event(&hand.worker, subscriber, &event, 500);
	ck_assert_uint_eq(subscriber->hold.due_us, due_us);
	hold_event(&hand.worker, subscriber, &event, LONGER_MS);
	ck_assert_uint_ge(subscriber->hold.due_us, due_us);
	ck_assert_uint_eq(subscriber->hold.due_us / 1000 % LONGER_MS, 0);
	end_interval();
	ck_assert_uint_eq(read_all(), 1);
}
END_TEST

START_TEST(a_stream_that_goes_while_it_waits_leaves_nothing)
{
	publish(1);
	ck_assert_uint_eq(hand.worker.holds.count, 1);
	connection_destroy(subscriber->connection);
	ck_assert_uint_eq(hand.worker.holds.count, 0);
	ck_assert_uint_eq(board_sum(hand.worker.board, METRIC_STREAMS_HELD), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("hold");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_interval_ends_behind_every_moment_in_it);
	tcase_add_test(tests, events_wait_for_the_end_of_the_interval);
	tcase_add_test(tests, a_round_ends_at_its_fence);
	tcase_add_test(tests, the_longest_interval_of_what_waits_counts);
	tcase_add_test(tests, a_stream_that_goes_while_it_waits_leaves_nothing);
	return suite_run("hold", tests);
}
