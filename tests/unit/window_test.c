/* Tests of window: everything above the floor is here, and its frames are what
 * they were made as. */
#include "broker/worker/cursor/window.h"

#include "protocol/buf.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/some_shapes.h"
#include "tests/unit/suite.h"

enum { WINDOW_BYTES = 65536, WINDOW_EVENTS = 128 };

static struct window window;
static uint64_t newest; /* cursor */
static uint64_t state;
static struct buf expected;

static struct sse_shape shapes[SHAPES];

static void
set_up(void)
{
	make_some_shapes(shapes);
	ck_assert_int_eq(
	    window_init(&window, WINDOW_BYTES, WINDOW_EVENTS, shapes, SHAPES),
	    0);
	buf_init(&expected, 0);
	newest = 100;
	state = 141421;
	window_reset(&window, newest);
}

static void
tear_down(void)
{
	window_finish(&window);
	buf_finish(&expected);
}

/* Adds the next event; its entry's number. */
static uint64_t
add(size_t data_len)
{
	const struct record *record = sample_record(newest += 2, data_len);
	void *room = window_reserve(&window, record->size);

	ck_assert_ptr_nonnull(room);
	memcpy(room, record, record->size);
	return window_commit(&window, 0);
}

/* Everything above the floor is here, whole and in order; its cursors go up
 * by two. */
static void
assert_whole(void)
{
	uint64_t cursor = window.floor;

	for (uint64_t i = window.first; i < window.end; i++) {
		const struct window_entry *entry = window_entry(&window, i);
		struct event event = window_event(&window, entry);

		cursor += 2;
		ck_assert_uint_eq(entry->cursor, cursor);
		ck_assert_uint_eq(event.cursor, cursor);
		ck_assert(sample_intact(&event));
	}
	ck_assert_uint_eq(cursor, window.head);
	ck_assert_uint_eq(window.head, newest);
}

START_TEST(an_empty_window_knows_where_it_is)
{
	ck_assert_uint_eq(window.floor, 100);
	ck_assert_uint_eq(window.head, 100);
	ck_assert_uint_eq(window_find(&window, 0), window.end);
	ck_assert_uint_eq(window_find(&window, 1000), window.end);
}
END_TEST

START_TEST(what_is_above_the_floor_is_here_after_any_number_of_events)
{
	for (int i = 0; i < 3000; i++) {
		add(sample_below(&state, i % 500 < 250 ? 100 : 8000));
		assert_whole();
	}
	ck_assert_uint_gt(window.floor, 100);
}
END_TEST

START_TEST(it_holds_as_many_small_events_as_it_has_entries)
{
	for (int i = 0; i < 1000; i++)
		add(1);
	ck_assert_uint_eq(window.end - window.first, WINDOW_EVENTS);
	ck_assert_uint_eq(window.floor, newest - 2 * WINDOW_EVENTS);
}
END_TEST

START_TEST(a_cursor_is_found_between_the_events_it_lies_between)
{
	for (int i = 0; i < 400; i++)
		add(10);
	for (uint64_t i = window.first; i < window.end; i++) {
		uint64_t cursor = window_entry(&window, i)->cursor;

		ck_assert_uint_eq(window_find(&window, cursor - 1), i);
		ck_assert_uint_eq(window_find(&window, cursor - 2), i);
		ck_assert_uint_eq(window_find(&window, cursor), i + 1);
	}
	ck_assert_uint_eq(window_find(&window, 0), window.first);
	ck_assert_uint_eq(window_find(&window, UINT64_MAX), window.end);
}
END_TEST

START_TEST(a_record_too_large_for_it_gets_no_room)
{
	add(10);
	ck_assert_ptr_null(window_reserve(&window, WINDOW_BYTES / 4 + 8));
	ck_assert_ptr_nonnull(window_reserve(&window, WINDOW_BYTES / 4));
}
END_TEST

START_TEST(room_that_is_not_used_costs_nothing_but_the_oldest)
{
	for (int i = 0; i < 500; i++) {
		ck_assert_ptr_nonnull(window_reserve(
		    &window, 8 + sample_below(&state, 1000) * 8));
		assert_whole();
		add(sample_below(&state, 500));
		assert_whole();
	}
}
END_TEST

START_TEST(a_reset_empties_it)
{
	for (int i = 0; i < 100; i++)
		add(10);
	newest = 5000;
	window_reset(&window, newest);
	assert_whole();
	ck_assert_uint_eq(window_find(&window, 0), window.end);
	for (int i = 0; i < 500; i++) {
		add(300);
		assert_whole();
	}
}
END_TEST

START_TEST(a_receipt_is_told_by_its_entry)
{
	uint64_t number = add(10);
	struct record *record =
	    (void *)(window.records.bytes +
		     window_entry(&window, number)->record_at);

	ck_assert_uint_eq(
	    window_receipt(&window, window_entry(&window, number)), 0);
	record->receipt = 7;
	ck_assert_uint_eq(
	    window_receipt(&window, window_entry(&window, number)), 7);
}
END_TEST

/* --- frames --- */

static void
assert_frame(const struct frame *frame, uint64_t number, size_t shape)
{
	struct event event =
	    window_event(&window, window_entry(&window, number));
	struct frame made;

	buf_clear(&expected);
	made = frame_append(&expected, &event, &shapes[shape]);
	ck_assert_uint_eq(frame->len, made.len);
	ck_assert_uint_eq(frame->head_len, made.head_len);
	ck_assert_mem_eq(frame->bytes, made.bytes, made.len);
}

static struct frame
frame_of(uint64_t number, size_t shape, enum window_got got)
{
	uint64_t pin = UINT64_MAX;
	struct frame frame;

	ck_assert_int_eq(
	    window_frame(&window, number, shape, &pin, &frame), got);
	assert_frame(&frame, number, shape);
	return frame;
}

START_TEST(a_frame_is_made_once_for_each_format)
{
	uint64_t number = add(100);
	struct frame tagged = frame_of(number, 0, WINDOW_FRAME);
	struct frame raw = frame_of(number, 1, WINDOW_FRAME);

	ck_assert_ptr_ne(tagged.bytes, raw.bytes);
	ck_assert_ptr_eq(frame_of(number, 0, WINDOW_FRAME).bytes, tagged.bytes);
	ck_assert_ptr_eq(frame_of(number, 1, WINDOW_FRAME).bytes, raw.bytes);
}
END_TEST

START_TEST(frames_made_in_a_row_lie_in_a_row)
{
	struct frame first = frame_of(add(100), 1, WINDOW_FRAME);
	struct frame second = frame_of(add(100), 1, WINDOW_FRAME);

	ck_assert_ptr_eq(first.bytes + first.len, second.bytes);
}
END_TEST

START_TEST(a_frame_is_right_again_after_it_was_let_go)
{
	for (int i = 0; i < 5000; i++) {
		uint64_t number;

		if (i % 3 == 0)
			add(sample_below(&state, 2000));
		number =
		    window.end - 1 -
		    sample_below(&state, (size_t)(window.end - window.first));
		frame_of(
		    number, sample_below(&state, 2) == 0 ? 1 : 0, WINDOW_FRAME);
	}
}
END_TEST

START_TEST(a_frame_too_large_to_keep_stands_alone)
{
	uint64_t large = add(WINDOW_BYTES / 4 - 200);

	frame_of(large, 1, WINDOW_ALONE);
	ck_assert_uint_eq(window_entry(&window, large)->frames[1].len, 0);
	frame_of(add(10), 1, WINDOW_FRAME);
}
END_TEST

/* What a write has collected is not overwritten before it is written. */
START_TEST(frames_in_use_are_not_let_go)
{
	struct frame kept[WINDOW_EVENTS];
	uint64_t pin = UINT64_MAX, number;
	enum window_got got = WINDOW_FRAME;
	size_t count = 0;

	for (int i = 0; i < 100; i++)
		add(450);
	/* The frames' arena is somewhere, not at its beginning. */
	for (uint64_t i = window.first; i < window.end - 50; i++)
		frame_of(i, 0, WINDOW_FRAME);
	for (number = window.first; number < window.end; number++) {
		got = window_frame(&window, number, 1, &pin, &kept[count]);
		if (got != WINDOW_FRAME)
			break;
		count++;
	}
	ck_assert_int_eq(got, WINDOW_WAIT);
	ck_assert_uint_gt(count, 20);
	for (size_t i = 0; i < count; i++)
		assert_frame(&kept[i], window.first + i, 1);
	/* Once they are used up, it goes on. */
	frame_of(number, 1, WINDOW_FRAME);
}
END_TEST

static void
add_frame_tests(TCase *tests)
{
	tcase_add_test(tests, a_frame_is_made_once_for_each_format);
	tcase_add_test(tests, frames_made_in_a_row_lie_in_a_row);
	tcase_add_test(tests, a_frame_is_right_again_after_it_was_let_go);
	tcase_add_test(tests, a_frame_too_large_to_keep_stands_alone);
	tcase_add_test(tests, frames_in_use_are_not_let_go);
}

int
main(void)
{
	TCase *tests = tcase_create("window");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_empty_window_knows_where_it_is);
	tcase_add_test(
	    tests, what_is_above_the_floor_is_here_after_any_number_of_events);
	tcase_add_test(tests, it_holds_as_many_small_events_as_it_has_entries);
	tcase_add_test(
	    tests, a_cursor_is_found_between_the_events_it_lies_between);
	tcase_add_test(tests, a_record_too_large_for_it_gets_no_room);
	tcase_add_test(
	    tests, room_that_is_not_used_costs_nothing_but_the_oldest);
	tcase_add_test(tests, a_reset_empties_it);
	tcase_add_test(tests, a_receipt_is_told_by_its_entry);
	add_frame_tests(tests);
	return suite_run("window", tests);
}
