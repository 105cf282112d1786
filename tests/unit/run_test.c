/*
 * Tests of run: streams that have the same before them get it once found; the
 * bytes are those that each would have got by itself.
 */
#include "broker/worker/cursor/run.h"

#include "broker/worker/subscriber.h"
#include "tests/unit/hand_worker.h"
#include "tests/unit/listener.h"
#include "tests/unit/suite.h"

enum { EVENTS = 40, CROWD = 8, DATA = 150 };

static struct hand_worker hand;
static uint64_t cursors[EVENTS];
static struct listener listeners[CROWD];

static void
make(void)
{
	hand_worker_make(&hand);
	/* The first is before what they come back for. */
	for (int i = 0; i < EVENTS; i++)
		cursors[i] = hand_worker_publish(&hand, DATA);
	while (hand_worker_turn(&hand))
		;
}

static void
finish(void)
{
	for (int i = 0; i < CROWD; i++)
		listener_finish(&listeners[i]);
	hand_worker_finish(&hand);
}

/* Opens a stream behind the event of that index. */
static void
join(int which, const char *query, int minor, int index)
{
	char request[256], since[CURSOR_ID_TEXT_SIZE];

	cursor_id_format(cursors[index], since);
	snprintf(request, sizeof(request),
	    "GET /stream?%s&since=%s HTTP/1.%d\r\nHost: h\r\n\r\n", query,
	    since, minor);
	listener_init(
	    &listeners[which], hand_worker_connect(&hand), minor, request);
}

static bool
turn(void)
{
	bool more = hand_worker_turn(&hand);

	for (int i = 0; i < CROWD; i++) {
		if (listeners[i].fd > 0)
			listener_read(&listeners[i], 1 << 16);
	}
	return more;
}

/* Until all are at the head; whose socket is full goes on in the next turn. */
static void
settle(void)
{
	turn();
	turn();
	while (
	    turn() || board_sum(hand.worker.board, METRIC_STREAMS_BEHIND) > 0)
		;
	turn();
}

/* The stream has got exactly the events of this channel ("*": all) from that
 * index to below the other, to the byte. */
static void
assert_got(int which, const char *channel, const struct sse_shape *shape,
    int from, int to)
{
	struct buf *body = &listeners[which].body;
	struct slice block;
	struct buf made;

	buf_init(&made, 0);
	while ((block = listener_block(&listeners[which])).len > 0 &&
	       !slice_starts_with(block, slice_of_text("id: ")) &&
	       !slice_starts_with(block, slice_of_text("event: live")))
		buf_consume(body, block.len);
	for (int i = from; i < to; i++) {
		static struct sample_event sample;
		const struct event *event =
		    sample_make(&sample, cursors[i], DATA);

		if (event_pattern_covers(
			slice_of_text(channel), event->channel))
			sse_append_event(&made, event, shape);
	}
	ck_assert_uint_ge(buf_length(body), buf_length(&made));
	ck_assert(slice_starts_with(slice_of(buf_bytes(body), buf_length(body)),
	    slice_of(buf_bytes(&made), buf_length(&made))));
	buf_consume(body, buf_length(&made));
	block = listener_block(&listeners[which]);
	ck_assert(slice_starts_with(block, slice_of_text("event: live")));
	buf_finish(&made);
}

START_TEST(what_a_crowd_has_before_it_is_found_once)
{
	for (int i = 0; i < CROWD; i++)
		join(i, "channels=c:*&format=raw", 1, 4);
	settle();
	for (int i = 0; i < CROWD; i++)
		assert_got(i, "c:*", &sse_raw, 5, EVENTS);
	/* One looks for itself, one for all who come then. */
	ck_assert_uint_eq(hand.worker.runs.shared, CROWD - 2);
}
END_TEST

START_TEST(who_stands_in_its_midst_gets_the_rest)
{
	static const int begins[CROWD] = {2, 2, 2, 9, 17, 30, 3, 24};

	for (int i = 0; i < CROWD; i++) {
		join(i, "channels=c:1,c:3&format=raw", 1, begins[i]);
		settle();
	}
	for (int i = 0; i < CROWD; i++) {
		struct listener *one = &listeners[i];
		struct slice block;
		int next = begins[i] + 1;

		while ((block = listener_block(one)).len > 0) {
			static struct sample_event sample;
			char id[CURSOR_ID_TEXT_SIZE + 8];

			if (!slice_starts_with(block, slice_of_text("id: "))) {
				buf_consume(&one->body, block.len);
				continue;
			}
			for (;; next++) {
				struct slice channel =
				    sample_make(&sample, cursors[next], 0)
					->channel;

				ck_assert_int_lt(next, EVENTS);
				if (slice_is(channel, "c:1") ||
				    slice_is(channel, "c:3"))
					break;
			}
			snprintf(id, sizeof(id), "id: %llu-%u\n",
			    (unsigned long long)cursor_id_ms(cursors[next]),
			    cursor_id_seq(cursors[next]));
			ck_assert(slice_starts_with(block, slice_of_text(id)));
			buf_consume(&one->body, block.len);
			next++;
		}
		for (; next < EVENTS; next++) {
			static struct sample_event sample;
			struct slice channel =
			    sample_make(&sample, cursors[next], 0)->channel;

			ck_assert(!slice_is(channel, "c:1") &&
				  !slice_is(channel, "c:3"));
		}
	}
	ck_assert_uint_ge(hand.worker.runs.shared, 3);
}
END_TEST

START_TEST(other_channels_and_other_forms_are_not_mixed_up)
{
	static const struct {
		const char *query;
		const char *channel;
		const struct sse_shape *shape;
		int minor;
	} kinds[] = {
	    {"channels=c:*&format=raw", "c:*", &sse_raw, 1},
	    {"channels=c:*&format=tagged", "c:*", &sse_tagged, 1},
	    {"channels=c:*&format=raw", "c:*", &sse_raw, 0},
	    {"channels=c:2&format=raw", "c:2", &sse_raw, 1},
	};

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < CROWD; i++)
			join(i, kinds[i % 4].query, kinds[i % 4].minor,
			    20 + round);
		settle();
		for (int i = 0; i < CROWD; i++) {
			assert_got(i, kinds[i % 4].channel, kinds[i % 4].shape,
			    21 + round, EVENTS);
			listener_finish(&listeners[i]);
		}
		settle();
	}
	ck_assert_uint_gt(hand.worker.runs.shared, 8);
}
END_TEST

START_TEST(who_takes_some_types_alone_looks_for_itself)
{
	struct slice block;

	for (int i = 0; i < CROWD - 1; i++)
		join(i, "channels=c:*&format=raw", 1, 0);
	settle();
	join(CROWD - 1, "channels=c:*&format=raw&types=none", 1, 0);
	settle();
	while ((block = listener_block(&listeners[CROWD - 1])).len > 0) {
		ck_assert(!slice_starts_with(block, slice_of_text("id: ")));
		buf_consume(&listeners[CROWD - 1].body, block.len);
	}
}
END_TEST

START_TEST(what_comes_later_is_added_to_it)
{
	static const char query[] = "channels=*&format=raw";

	for (int i = 0; i < 3; i++) {
		join(i, query, 1, 0);
		settle();
	}
	for (int i = 0; i < CROWD; i++)
		cursors[i] = hand_worker_publish(&hand, DATA);
	for (int i = 3; i < CROWD; i++) {
		join(i, query, 1, EVENTS - 1);
		settle();
		assert_got(i, "*", &sse_raw, 0, CROWD);
	}
}
END_TEST

START_TEST(frames_that_were_let_go_are_not_sent)
{
	static const char *const queries[] = {
	    "channels=*&format=raw", "channels=*&format=tagged"};
	static const struct sse_shape *const shapes[] = {&sse_raw, &sse_tagged};

	/* All events are in the window; frames of one form alone are. */
	for (int round = 0; round < 6; round++) {
		int form = round % 2;

		for (int i = 0; i < CROWD; i++) {
			join(i, queries[form], 1, 0);
			settle();
			assert_got(i, "*", shapes[form], 1, EVENTS);
			listener_finish(&listeners[i]);
		}
	}
	ck_assert_uint_gt(hand.worker.runs.shared, CROWD);
}
END_TEST

START_TEST(it_goes_with_the_window)
{
	static const char query[] = "channels=*&format=raw";

	for (int round = 0; round < 30; round++) {
		for (int i = 0; i < EVENTS; i++)
			cursors[i] = hand_worker_publish(&hand, DATA);
		settle();
		for (int i = 0; i < CROWD; i++)
			join(i, query, 1, i);
		settle();
		for (int i = 0; i < CROWD; i++) {
			assert_got(i, "*", &sse_raw, i + 1, EVENTS);
			listener_finish(&listeners[i]);
		}
	}
}
END_TEST

START_TEST(a_head_without_an_event_can_be_reached)
{
	static const char *const queries[] = {
	    "channels=*&format=raw",
	    "channels=*&format=raw&window=5",
	    "channels=*&format=raw&conflate=5",
	};

	/* As after what was missed was read from the store, and the newest of
	 * it was not there. */
	hand.worker.window.head++;
	join(0, queries[_i], 1, EVENTS - 1);
	for (int i = 0; i < 8; i++)
		turn();
	ck_assert(!turn());
	ck_assert_ptr_null(hand.worker.behind_first);
	assert_got(0, "*", &sse_raw, 0, 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("run");

	tcase_add_checked_fixture(tests, make, finish);
	tcase_add_test(tests, what_a_crowd_has_before_it_is_found_once);
	tcase_add_test(tests, who_stands_in_its_midst_gets_the_rest);
	tcase_add_test(tests, other_channels_and_other_forms_are_not_mixed_up);
	tcase_add_test(tests, what_comes_later_is_added_to_it);
	tcase_add_test(tests, who_takes_some_types_alone_looks_for_itself);
	tcase_add_test(tests, it_goes_with_the_window);
	tcase_add_test(tests, frames_that_were_let_go_are_not_sent);
	tcase_add_loop_test(
	    tests, a_head_without_an_event_can_be_reached, 0, 3);
	return suite_run("run", tests);
}
