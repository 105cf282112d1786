/*
 * Tests of subscriber: what a stream is told comes in the order in which it was
 * said, and whole or not at all; and it goes as it came.
 */
#include "broker/worker/subscriber.h"

#include "broker/worker/control.h"
#include "broker/worker/cursor/rewind.h"
#include "broker/worker/cursor/stream_start.h"
#include "tests/unit/hand_worker.h"
#include "tests/unit/listener.h"
#include "tests/unit/suite.h"

static struct hand_worker hand;
static struct listener listener;
static struct subscriber *stream;

static void
turn(void)
{
	while (hand_worker_turn(&hand))
		;
}

static void
set_up(void)
{
	hand_worker_make(&hand);
	listener_init(&listener, hand_worker_connect(&hand), 1,
	    "GET /stream?channels=c:* HTTP/1.1\r\nHost: h\r\n\r\n");
	turn();
	stream = hand.worker.connections->subscriber;
	ck_assert_int_eq(stream->place, SUBSCRIBER_AT_HEAD);
}

static void
tear_down(void)
{
	listener_finish(&listener);
	hand_worker_finish(&hand);
}

/* Publishes until the stream stands in the midst of an event. */
static void
fill_socket(void)
{
	for (int i = 0; i < 200 && stream->partial == 0; i++) {
		hand_worker_publish(&hand, 14000);
		turn();
	}
	ck_assert_uint_ne(stream->partial, 0);
}

static void
say(const char *channel)
{
	struct buf list;

	buf_init(&list, 0);
	control_list_add(&list, slice_of_text(channel));
	control_revoked(stream, &list, "revoked");
	buf_finish(&list);
}

static const char *
where(const struct buf *buf, const char *text)
{
	const char *at = listener_find(buf, text);

	ck_assert_ptr_nonnull(at);
	return at;
}

START_TEST(what_was_put_off_is_said_before_what_comes_after_it)
{
	const struct buf *out = &stream->connection->out;

	fill_socket();
	say("first");
	say("second");
	ck_assert_uint_eq(buf_length(out), 0);
	/* A step has finished the event, and the next has not begun. */
	stream->partial = 0;
	say("third");
	ck_assert(where(out, "first") < where(out, "second"));
	ck_assert(where(out, "second") < where(out, "third"));
	ck_assert_ptr_null(stream->owed);
}
END_TEST

static void
say_subscribed(const struct buf *list)
{
	struct buf none;

	buf_init(&none, 0);
	control_subscribed(stream, &none, list, &none);
}

static void
say_resync(const struct buf *list)
{
	control_resync(stream, list, "history");
}

static void
say_revoked(const struct buf *list)
{
	control_revoked(stream, list, "revoked");
}

static void
say_snapshot(const struct buf *list)
{
	control_snapshot(stream, list);
}

START_TEST(a_list_that_is_not_whole_ends_the_stream)
{
	static void (*const says[])(const struct buf *list) = {
	    say_subscribed, say_resync, say_revoked, say_snapshot};
	struct buf list;

	buf_init(&list, 8); /* as if there was no more memory */
	control_list_add(&list, slice_of_text("a"));
	control_list_add(&list, slice_of_text("channel"));
	ck_assert(buf_failed(&list));
	says[_i](&list);
	buf_finish(&list);
	ck_assert(buf_failed(&stream->connection->out));
	ck_assert_int_eq(
	    connection_send(stream->connection), CONNECTION_SENT_GONE);
	ck_assert_ptr_null(hand.worker.connections);
}
END_TEST

/* As when the memory does for the subscriptions and not for the rest. */
START_TEST(what_was_added_by_half_goes_with_the_stream)
{
	const struct stream_start start = {.cursor = hand.cursor};

	ck_assert_int_eq(
	    subscriber_add(&hand.worker, stream, slice_of_text("a")), 0);
	ck_assert_int_eq(rewind_add(&hand.worker, stream, 1, &start), 0);
	for (int i = 0; i < 9; i++) {
		const char name[2] = {(char)('b' + i), '\0'};

		ck_assert_int_eq(
		    subscriber_add(&hand.worker, stream, slice_of_text(name)),
		    0);
	}
	ck_assert_uint_eq(stream->rewind->size, 2);
	ck_assert_uint_eq(stream->member_count, 11);
	connection_destroy(stream->connection);
	ck_assert_uint_eq(channels_count(hand.worker.channels), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("subscriber");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(
	    tests, what_was_put_off_is_said_before_what_comes_after_it);
	tcase_add_loop_test(
	    tests, a_list_that_is_not_whole_ends_the_stream, 0, 4);
	tcase_add_test(tests, what_was_added_by_half_goes_with_the_stream);
	return suite_run("subscriber", tests);
}
