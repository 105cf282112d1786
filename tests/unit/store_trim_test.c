/* Tests of store_trim: what goes, in which order, and what is said of it. */
#include <sqlite3.h>

#include "broker/hub/store_write.h"
#include "protocol/cursor_id.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/suite.h"

/* Events of this test: one second after the other, of 1 + 9 bytes each. */
enum { EVENT_MS = 1000, EVENT_SIZE = 10, EVENTS = 100, ROWS = 1000 };

static struct store_folder store;
static struct store_limits limits;
static bool more;

static uint64_t
cursor_of(uint64_t number)
{
	return cursor_id_make(EVENT_MS * number, 0);
}

static void
set_up(void)
{
	static const char *const channels[] = {"a", "b", "c"};

	store_folder_make(&store);
	limits = (struct store_limits){UINT64_MAX, UINT64_MAX, UINT64_MAX, 100};
	ck_assert_int_eq(store_begin(store.writer), 0);
	for (uint64_t i = 1; i <= EVENTS; i++)
		store_put(&store, cursor_of(i), channels[i % 3], "123456789");
	ck_assert_int_eq(store_commit(store.writer), 0);
}

static void
tear_down(void)
{
	store_folder_remove(&store);
}

static int
trim(uint64_t now_ms, int rows)
{
	return store_trim(store.writer, &limits, now_ms, rows, &more);
}

/* The totals must say what is in the tables, and `left` events at that, the
 * newest ones. */
static void
assert_left(uint64_t left)
{
	const struct store_totals *totals = store_writer_totals(store.writer);

	ck_assert_uint_eq(
	    store_query(&store, "SELECT count(*) FROM event"), left);
	ck_assert_uint_eq(totals->events, left);
	ck_assert_uint_eq(totals->bytes, left * EVENT_SIZE);
	ck_assert_uint_eq(totals->last_cursor, cursor_of(EVENTS));
	ck_assert_uint_eq(
	    store_query(&store, "SELECT events FROM state"), left);
	ck_assert_uint_eq(
	    store_query(&store, "SELECT bytes FROM state"), left * EVENT_SIZE);
	ck_assert_uint_eq(store_query(&store, "SELECT count(*) FROM channel"),
	    totals->channels);
	if (left > 0)
		ck_assert_uint_eq(
		    store_query(&store, "SELECT min(cursor) FROM event"),
		    cursor_of(EVENTS - left + 1));
	ck_assert_uint_eq(
	    totals->max_horizon, left < EVENTS ? cursor_of(EVENTS - left) : 0);
}

START_TEST(within_its_limits_nothing_goes)
{
	limits = (struct store_limits){
	    EVENTS * EVENT_MS, EVENTS, EVENTS * EVENT_SIZE, 3};
	ck_assert_int_eq(trim(cursor_id_ms(cursor_of(EVENTS)), ROWS), 0);
	assert_left(EVENTS);
	ck_assert_uint_eq(store_writer_totals(store.writer)->losses, 0);
}
END_TEST

START_TEST(the_oldest_go_when_there_are_too_many)
{
	limits.max_events = 40;
	ck_assert_int_eq(trim(0, ROWS), 60);
	assert_left(40);
	ck_assert_int_eq(trim(0, ROWS), 0);
}
END_TEST

START_TEST(the_oldest_go_when_they_have_too_many_bytes)
{
	limits.max_bytes = 40 * EVENT_SIZE + EVENT_SIZE - 1;
	ck_assert_int_eq(trim(0, ROWS), 60);
	assert_left(40);
}
END_TEST

START_TEST(what_is_older_than_allowed_goes)
{
	limits.max_age_ms = 10 * EVENT_MS;
	ck_assert_int_eq(trim(EVENT_MS * 50, ROWS), 39);
	assert_left(61);
	ck_assert_int_eq(trim(EVENT_MS * 50 + 1, ROWS), 1);
	assert_left(60);
	/* All of them, and the store goes on. */
	ck_assert_int_eq(trim(EVENT_MS * 1000, ROWS), 60);
	assert_left(0);
	ck_assert_int_eq(trim(EVENT_MS * 1000, ROWS), 0);
	store_put_alone(&store, cursor_of(5000), "a", "x");
	ck_assert_uint_eq(store_writer_totals(store.writer)->events, 1);
	ck_assert_int_eq(trim(EVENT_MS * 5010, ROWS), 0);
	ck_assert_int_eq(trim(EVENT_MS * 5011, ROWS), 1);
}
END_TEST

START_TEST(a_clock_that_was_set_back_ages_nothing)
{
	limits.max_age_ms = 1000;
	ck_assert_int_eq(trim(0, ROWS), 0);
	assert_left(EVENTS);
}
END_TEST

START_TEST(a_step_takes_no_more_rows_than_allowed)
{
	limits.max_events = 10;
	ck_assert_int_eq(trim(0, 25), 25);
	assert_left(75);
	ck_assert_int_eq(trim(0, 25), 25);
	ck_assert_int_eq(trim(0, 25), 25);
	ck_assert_int_eq(trim(0, 25), 15);
	assert_left(10);
	ck_assert_uint_eq(store_writer_totals(store.writer)->losses, 4);
}
END_TEST

START_TEST(very_many_rows_are_cut_down_to_one_step)
{
	uint64_t many = STORE_TRIM_ROWS_MAX + 500;

	ck_assert_int_eq(store_begin(store.writer), 0);
	for (uint64_t i = 1; i <= many; i++)
		store_put(&store, cursor_of(EVENTS + i), "a", "x");
	ck_assert_int_eq(store_commit(store.writer), 0);
	limits.max_events = 0;
	ck_assert_int_eq(trim(0, INT32_MAX), STORE_TRIM_ROWS_MAX);
	ck_assert_int_eq(trim(0, INT32_MAX), EVENTS + 500);
	ck_assert_uint_eq(store_query(&store, "SELECT count(*) FROM event"), 0);
}
END_TEST

START_TEST(each_channel_remembers_the_last_event_it_let_go)
{
	limits.max_events = 40; /* 1 .. 60 go */
	ck_assert_int_eq(trim(0, 59), 59);
	ck_assert_int_eq(trim(0, 59), 1); /* 60, of "a" */
	ck_assert_uint_eq(
	    store_query(&store, "SELECT horizon FROM channel WHERE name = 'a'"),
	    cursor_of(60));
	ck_assert_uint_eq(
	    store_query(&store, "SELECT horizon FROM channel WHERE name = 'b'"),
	    cursor_of(58));
	ck_assert_uint_eq(
	    store_query(&store, "SELECT horizon FROM channel WHERE name = 'c'"),
	    cursor_of(59));
	ck_assert_uint_eq(
	    store_query(&store, "SELECT lost FROM channel WHERE name = 'a'"),
	    2);
	ck_assert_uint_eq(
	    store_query(&store, "SELECT lost FROM channel WHERE name = 'b'"),
	    1);
	assert_left(40);
}
END_TEST

START_TEST(trims_outlive_a_restart)
{
	struct store_totals before;

	limits.max_events = 40;
	ck_assert_int_eq(trim(0, ROWS), 60);
	before = *store_writer_totals(store.writer);
	store_folder_reopen(&store);
	ck_assert_mem_eq(
	    store_writer_totals(store.writer), &before, sizeof(before));
	assert_left(40);
}
END_TEST

/* Trims until nothing changes any more. */
static void
trim_all(void)
{
	for (int i = 0; i < 200; i++)
		ck_assert_int_ge(trim(0, 16), 0);
}

START_TEST(of_too_many_channels_those_without_events_are_forgotten)
{
	const struct store_totals *totals = store_writer_totals(store.writer);

	limits.max_events = EVENTS;
	for (uint64_t i = 1; i <= 50; i++) {
		char name[16];

		snprintf(name, sizeof(name), "once:%u", (unsigned)i);
		store_put_alone(&store, cursor_of(EVENTS + i), name, "x");
	}
	ck_assert_uint_eq(totals->channels, 53);
	limits.max_events = 20; /* once:31 .. once:50 */
	limits.max_channels = 21;
	trim_all();
	ck_assert_uint_eq(totals->events, 20);
	ck_assert_uint_eq(totals->channels, 21);
	ck_assert_uint_eq(
	    store_query(&store, "SELECT count(*) FROM channel"), 21);
	ck_assert_uint_ge(totals->floor, cursor_of(EVENTS + 29));
	ck_assert_uint_le(totals->floor, cursor_of(EVENTS + 30));
	ck_assert_uint_eq(
	    store_query(&store, "SELECT floor FROM state"), totals->floor);
	/* None with events goes, however many there are. */
	limits.max_channels = 1;
	trim_all();
	ck_assert_uint_eq(totals->channels, 20);
	ck_assert_uint_eq(totals->events, 20);
}
END_TEST

START_TEST(a_channel_that_comes_back_lost_what_the_floor_says)
{
	uint64_t floor;

	limits.max_events = 0;
	limits.max_channels = 0;
	trim_all();
	floor = store_writer_totals(store.writer)->floor;
	ck_assert_uint_eq(floor, cursor_of(EVENTS));
	store_put_alone(&store, cursor_of(1000), "a", "x");
	store_put_alone(&store, cursor_of(1001), "b", "x");
	store_put_alone(&store, cursor_of(1002), "c", "x");
	ck_assert_uint_ge(
	    store_query(&store, "SELECT min(horizon) FROM channel"), floor);
	store_folder_reopen(&store);
	ck_assert_uint_eq(
	    store_query(&store, "SELECT count(*) FROM event e"
				" JOIN channel c ON c.id = e.channel"),
	    3);
}
END_TEST

/* Pages of the log that are in the database file, as SQLite tells all who read
 * (its "wal-index", at 96). */
static uint32_t
moved(void)
{
	char path[STORE_PATH_SIZE + 8];
	uint32_t pages = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s-shm", store.path);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, 96, SEEK_SET), 0);
	ck_assert_uint_eq(fread(&pages, sizeof(pages), 1, file), 1);
	ck_assert_int_eq(fclose(file), 0);
	return pages;
}

/* A reader that begins to read what is newest now, and goes on reading. */
static sqlite3 *
begin_reading(void)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(store.path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db, "BEGIN; SELECT 1 FROM state", NULL, NULL, NULL),
	    SQLITE_OK);
	return db;
}

/* Stores that many events, each with a checkpoint if one is due; while
 * somebody reads, always the newest. How many there were. */
static int
checkpoints_of(uint64_t events, sqlite3 **reader)
{
	uint64_t first = store_writer_totals(store.writer)->last_cursor;
	uint32_t before = moved();
	int checkpoints = 0;

	for (uint64_t i = 1; i <= events; i++) {
		sqlite3 *next = NULL;

		store_put_alone(&store, first + i, "a", "x");
		if (*reader != NULL)
			next = begin_reading();
		ck_assert_int_eq(sqlite3_close(*reader), SQLITE_OK);
		*reader = next;
		store_checkpoint(store.writer);
		checkpoints += moved() > before;
		before = moved();
	}
	return checkpoints;
}

/* The log cannot begin anew then, and each checkpoint costs the disk. */
START_TEST(while_somebody_reads_there_is_no_checkpoint_for_each_event)
{
	sqlite3 *reader = begin_reading();
	int checkpoints = checkpoints_of(1000, &reader);

	ck_assert_int_ge(checkpoints, 2);
	ck_assert_int_le(checkpoints, 6);
	/* Nobody reads: the log begins anew, and is as short as ever. */
	ck_assert_int_eq(sqlite3_close(reader), SQLITE_OK);
	reader = NULL;
	checkpoints = checkpoints_of(1000, &reader);
	ck_assert_int_ge(checkpoints, 3);
	ck_assert_int_le(checkpoints, 6);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("store_trim");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, within_its_limits_nothing_goes);
	tcase_add_test(tests, the_oldest_go_when_there_are_too_many);
	tcase_add_test(tests, the_oldest_go_when_they_have_too_many_bytes);
	tcase_add_test(tests, what_is_older_than_allowed_goes);
	tcase_add_test(tests, a_clock_that_was_set_back_ages_nothing);
	tcase_add_test(tests, a_step_takes_no_more_rows_than_allowed);
	tcase_add_test(tests, very_many_rows_are_cut_down_to_one_step);
	tcase_add_test(tests, each_channel_remembers_the_last_event_it_let_go);
	tcase_add_test(tests, trims_outlive_a_restart);
	tcase_add_test(
	    tests, of_too_many_channels_those_without_events_are_forgotten);
	tcase_add_test(
	    tests, a_channel_that_comes_back_lost_what_the_floor_says);
	tcase_add_test(
	    tests, while_somebody_reads_there_is_no_checkpoint_for_each_event);
	return suite_run("store_trim", tests);
}
