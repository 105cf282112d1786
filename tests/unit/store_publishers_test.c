/* Tests of store_publishers: a resend is recognised, and nothing else is. */
#include "broker/hub/store_write.h"
#include "protocol/cursor_id.h"
#include "protocol/message.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/suite.h"

static struct store_folder store;
static struct sample_event sample;

static void
set_up(void)
{
	store_folder_make(&store);
}

static void
tear_down(void)
{
	store_folder_remove(&store);
}

/* The cursor of a number; 0 when there is none. */
static uint64_t
cursor_of(const struct store_publisher *publisher, uint64_t seq)
{
	uint64_t cursor = 0;
	int found = store_find_cursor(store.writer, publisher, seq, &cursor);

	ck_assert_int_ge(found, 0);
	return found == 1 ? cursor : 0;
}

static struct store_publisher
known(const char *name)
{
	struct store_publisher publisher;

	ck_assert_int_eq(
	    store_find_publisher(store.writer, slice_of_text(name), &publisher),
	    0);
	return publisher;
}

/* Commits one event of each of the two publishers by turns; the numbers of
 * the second go up in threes. */
static void
commit_by_turns(struct store_publisher two[2], uint64_t first, uint64_t count)
{
	ck_assert_int_eq(store_begin(store.writer), 0);
	for (int i = 0; i < 2; i++) {
		if (two[i].id == 0)
			ck_assert_int_eq(
			    store_make_publisher(store.writer,
				slice_of_text(i == 0 ? "one" : "two"), &two[i]),
			    0);
	}
	for (uint64_t i = 0; i < count; i++) {
		uint64_t n = first + i;
		const struct event *event = sample_make(&sample, n, 1);
		uint64_t seq = n % 2 == 0 ? n : 3 * n;

		ck_assert_int_eq(
		    store_add_event(&store, event, &two[n % 2], seq), 0);
	}
	ck_assert_int_eq(store_commit(store.writer), 0);
}

START_TEST(each_number_has_its_cursor_and_those_never_sent_have_none)
{
	struct store_publisher two[2] = {{.id = 0}, {.id = 0}};

	commit_by_turns(two, 1, 100);
	commit_by_turns(two, 200, 50);
	store_folder_reopen(&store);
	ck_assert_int_eq(known("one").id, two[0].id);
	for (uint64_t n = 1; n < 300; n++) {
		bool sent = n <= 100 || (n >= 200 && n < 250);

		ck_assert_uint_eq(
		    cursor_of(&two[0], n), sent && n % 2 == 0 ? n : 0);
		ck_assert_uint_eq(
		    cursor_of(&two[1], 3 * n), sent && n % 2 == 1 ? n : 0);
		ck_assert_uint_eq(cursor_of(&two[1], 3 * n + 1), 0);
	}
	ck_assert_uint_eq(known("one").last_seq, 248);
	ck_assert_uint_eq(known("two").last_seq, 3 * 249);
}
END_TEST

START_TEST(numbers_in_a_row_with_cursors_apart_are_found_too)
{
	ck_assert_int_eq(store_begin(store.writer), 0);
	for (uint64_t i = 1; i <= 100; i++)
		store_put(&store, 10 * i, "c", "x");
	ck_assert_int_eq(store_commit(store.writer), 0);
	for (uint64_t i = 1; i <= 100; i++)
		ck_assert_uint_eq(cursor_of(&store.publisher, i), 10 * i);
	ck_assert_uint_eq(cursor_of(&store.publisher, 101), 0);
}
END_TEST

START_TEST(an_unknown_publisher_has_no_id_and_no_number)
{
	struct store_publisher found = known("nobody");

	ck_assert_int_eq(found.id, 0);
	ck_assert_uint_eq(found.last_seq, 0);
	ck_assert_uint_eq(cursor_of(&found, 1), 0);
}
END_TEST

/* As long as a publisher may resend it, a number is known; runs that are
 * older go, so that the table does not grow with the events. */
START_TEST(a_resend_within_the_window_is_found_and_old_runs_are_let_go)
{
	uint64_t last = 3 * MESSAGE_WINDOW;

	for (uint64_t n = 1; n <= last; n += 16) {
		ck_assert_int_eq(store_begin(store.writer), 0);
		for (uint64_t i = 0; i < 16; i++)
			store_put(&store, 5 * n + i, "c", "x");
		ck_assert_int_eq(store_commit(store.writer), 0);
	}
	for (uint64_t n = last - MESSAGE_WINDOW + 1; n <= last; n++) {
		uint64_t first = (n - 1) / 16 * 16 + 1;

		ck_assert_uint_eq(
		    cursor_of(&store.publisher, n), 5 * first + n - first);
	}
	for (uint64_t n = 1; n <= last - 2 * MESSAGE_WINDOW; n++)
		ck_assert_uint_eq(cursor_of(&store.publisher, n), 0);
}
END_TEST

static uint64_t
number_with_gaps(int way, uint64_t n)
{
	return way == 0 ? n * 10 : way == 1 ? n * 100000 : n + n / 8 * 1001;
}

/* The window is of events, and numbers may have gaps: then, too. */
START_TEST(a_resend_is_found_whatever_the_gaps_between_numbers)
{
	uint64_t events = MESSAGE_WINDOW * 5 / 2;

	for (uint64_t n = 1; n <= events; n++) {
		if (n % 64 == 1)
			ck_assert_int_eq(store_begin(store.writer), 0);
		store.seq = number_with_gaps(_i, n) - 1;
		store_put(&store, n, "c", "x");
		if (n % 64 == 0)
			ck_assert_int_eq(store_commit(store.writer), 0);
	}
	for (uint64_t n = events - MESSAGE_WINDOW + 1; n <= events; n++)
		ck_assert_uint_eq(
		    cursor_of(&store.publisher, number_with_gaps(_i, n)), n);
	ck_assert_uint_eq(
	    cursor_of(&store.publisher, number_with_gaps(_i, 1)), 0);
	ck_assert_uint_lt(store_query(&store, "SELECT count(*) FROM run"),
	    MESSAGE_WINDOW * 2);
}
END_TEST

START_TEST(a_publisher_that_always_connects_anew_has_few_old_runs)
{
	for (uint64_t n = 1; n <= MESSAGE_WINDOW * 5; n++) {
		if (n % 64 == 1)
			ck_assert_int_eq(store_begin(store.writer), 0);
		/* Two milliseconds apart, and of one run each. */
		store_put(&store, n << 21, "c", "x");
		if (n % 64 != 0)
			continue;
		ck_assert_int_eq(store_commit(store.writer), 0);
		store.publisher = known("folder");
	}
	ck_assert_uint_lt(store_query(&store, "SELECT count(*) FROM run"),
	    MESSAGE_WINDOW * 3);
}
END_TEST

START_TEST(the_largest_number_is_no_trouble)
{
	store.seq = MESSAGE_SEQ_MAX - 2;
	ck_assert_int_eq(store_begin(store.writer), 0);
	store_put(&store, 1, "c", "x");
	store_put(&store, 2, "c", "x");
	ck_assert_int_eq(store_commit(store.writer), 0);
	ck_assert_uint_eq(known("folder").last_seq, MESSAGE_SEQ_MAX);
	ck_assert_uint_eq(cursor_of(&store.publisher, MESSAGE_SEQ_MAX), 2);
	ck_assert_uint_eq(cursor_of(&store.publisher, MESSAGE_SEQ_MAX - 1), 1);
	ck_assert_uint_eq(cursor_of(&store.publisher, MESSAGE_SEQ_MAX - 2), 0);
}
END_TEST

START_TEST(a_publisher_that_said_goodbye_is_forgotten)
{
	store_put_alone(&store, 1, "c", "x");
	ck_assert_int_eq(store_begin(store.writer), 0);
	store_put(&store, 2, "c", "x");
	ck_assert_int_eq(
	    store_forget_publisher(store.writer, &store.publisher), 0);
	ck_assert_int_eq(store_commit(store.writer), 0);
	ck_assert_int_eq(known("folder").id, 0);
	ck_assert_uint_eq(cursor_of(&store.publisher, 1), 0);
	ck_assert_uint_eq(cursor_of(&store.publisher, 2), 0);
	/* Its events stay. */
	ck_assert_uint_eq(store_writer_totals(store.writer)->events, 2);
}
END_TEST

static bool
keeps(int64_t id, void *context)
{
	return id == *(int64_t *)context;
}

START_TEST(old_publishers_are_forgotten_unless_somebody_keeps_them)
{
	struct store_publisher publishers[5] = {{.id = 0}};
	int64_t kept;

	ck_assert_int_eq(store_begin(store.writer), 0);
	for (uint64_t i = 0; i < 5; i++) {
		char name[8] = {'p', (char)('0' + i)};
		uint64_t cursor = cursor_id_make(1000 * (i + 1), 0);

		ck_assert_int_eq(store_make_publisher(store.writer,
				     slice_of_text(name), &publishers[i]),
		    0);
		ck_assert_int_eq(
		    store_add_event(&store, sample_make(&sample, cursor, 1),
			&publishers[i], 1),
		    0);
	}
	ck_assert_int_eq(store_commit(store.writer), 0);
	kept = publishers[1].id;
	/* By twos: the first and second, the third and fourth, the fifth. */
	ck_assert_int_eq(
	    store_forget_old_publishers(store.writer, 4000, 2, keeps, &kept),
	    1);
	ck_assert_int_eq(
	    store_forget_old_publishers(store.writer, 4000, 2, keeps, &kept),
	    1);
	ck_assert_int_eq(
	    store_forget_old_publishers(store.writer, 4000, 2, keeps, &kept),
	    0);
	ck_assert_int_eq(known("p0").id, 0);
	ck_assert_int_eq(known("p1").id, kept);
	ck_assert_int_eq(known("p2").id, 0);
	ck_assert_int_eq(known("p3").id, publishers[3].id);
	ck_assert_int_eq(known("p4").id, publishers[4].id);
	/* And it begins again with the first. */
	kept = 0;
	ck_assert_int_eq(
	    store_forget_old_publishers(store.writer, 9000, 64, keeps, &kept),
	    3);
}
END_TEST

START_TEST(publishers_of_keys_go_with_their_events)
{
	static const char *const names[] = {"+k0", "+k1", "+w0", "k0", "+k2"};
	const struct store_limits limits = {UINT64_MAX, 1, UINT64_MAX, 1000};
	int64_t nobody = 0;

	ck_assert_int_eq(store_begin(store.writer), 0);
	for (uint64_t i = 0; i < 5; i++) {
		struct store_publisher publisher = {.id = 0};

		ck_assert_int_eq(store_make_publisher(store.writer,
				     slice_of_text(names[i]), &publisher),
		    0);
		ck_assert_int_eq(
		    store_add_event(&store,
			sample_make(&sample, cursor_id_make(5000 + i, 0), 1),
			&publisher, 1),
		    0);
	}
	ck_assert_int_eq(store_commit(store.writer), 0);
	ck_assert_int_eq(
	    store_trim(store.writer, &limits, 6000, 100, &(bool){false}), 4);
	ck_assert_int_eq(
	    store_forget_old_publishers(store.writer, 0, 64, keeps, &nobody),
	    2);
	ck_assert_int_eq(known("+k0").id, 0);
	ck_assert_int_eq(known("+k1").id, 0);
	ck_assert_int_ne(known("+w0").id, 0);
	ck_assert_int_ne(known("k0").id, 0);
	/* Its event is still there. */
	ck_assert_int_ne(known("+k2").id, 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("store_publishers");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(
	    tests, each_number_has_its_cursor_and_those_never_sent_have_none);
	tcase_add_test(
	    tests, numbers_in_a_row_with_cursors_apart_are_found_too);
	tcase_add_test(tests, an_unknown_publisher_has_no_id_and_no_number);
	tcase_add_test(
	    tests, a_resend_within_the_window_is_found_and_old_runs_are_let_go);
	tcase_add_loop_test(
	    tests, a_resend_is_found_whatever_the_gaps_between_numbers, 0, 3);
	tcase_add_test(
	    tests, a_publisher_that_always_connects_anew_has_few_old_runs);
	tcase_add_test(tests, the_largest_number_is_no_trouble);
	tcase_add_test(tests, a_publisher_that_said_goodbye_is_forgotten);
	tcase_add_test(
	    tests, old_publishers_are_forgotten_unless_somebody_keeps_them);
	tcase_add_test(tests, publishers_of_keys_go_with_their_events);
	return suite_run("store_publishers", tests);
}
