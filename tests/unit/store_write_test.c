/* Tests of store_write: what is committed is found again, and nothing else. */
#include "broker/hub/store_write.h"

#include <sqlite3.h>

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

/* What a replay gave. */
struct replayed {
	uint64_t count;
	uint64_t last;
	uint64_t stop_after; /* events; 0: never */
};

static bool
take(const struct event *event, void *context)
{
	struct replayed *replayed = context;

	ck_assert_uint_gt(event->cursor, replayed->last);
	ck_assert(sample_intact(event));
	replayed->last = event->cursor;
	return ++replayed->count != replayed->stop_after;
}

static struct replayed
replay(uint64_t after)
{
	struct replayed replayed = {.last = after};

	ck_assert_int_eq(store_replay(store.writer, after, take, &replayed), 0);
	return replayed;
}

static void
put_samples(uint64_t first, uint64_t count, size_t data_len)
{
	if (store.publisher.id == 0)
		ck_assert_int_eq(
		    store_make_publisher(store.writer, slice_of_text("samples"),
			&store.publisher),
		    0);
	for (uint64_t i = 0; i < count; i++)
		ck_assert_int_eq(
		    store_add_event(&store,
			sample_make(&sample, first + i, data_len + i),
			&store.publisher, ++store.seq),
		    0);
}

static void
commit_samples(uint64_t first, uint64_t count, size_t data_len)
{
	ck_assert_int_eq(store_begin(store.writer), 0);
	put_samples(first, count, data_len);
	ck_assert_int_eq(store_commit(store.writer), 0);
}

START_TEST(a_new_store_is_empty)
{
	const struct store_totals *totals = store_writer_totals(store.writer);

	ck_assert_uint_eq(totals->last_cursor, 0);
	ck_assert_uint_eq(totals->events, 0);
	ck_assert_uint_eq(totals->channels, 0);
	ck_assert_uint_eq(replay(0).count, 0);
}
END_TEST

START_TEST(what_was_committed_is_replayed_byte_for_byte)
{
	commit_samples(10, 100, 0);
	commit_samples(500, 50, 3000);
	ck_assert_uint_eq(replay(0).count, 150);
	ck_assert_uint_eq(replay(59).count, 100);
	ck_assert_uint_eq(replay(549).count, 0);
	store_folder_reopen(&store);
	ck_assert_uint_eq(replay(0).count, 150);
}
END_TEST

static char every_byte[256];

static bool
take_every_byte(const struct event *event, void *context)
{
	int *kind = context;

	ck_assert_int_eq(event->kind, *kind);
	ck_assert(slice_is(event->channel, "c"));
	ck_assert_uint_eq(event->type.len, 0);
	ck_assert(slice_is(event->key, "key"));
	ck_assert(slice_equal(event->data, slice_of(every_byte, 256)));
	(*kind)++;
	return true;
}

START_TEST(every_kind_and_byte_is_replayed)
{
	struct event event = {.channel = slice_of_text("c"),
	    .key = slice_of_text("key"),
	    .data = slice_of(every_byte, 256)};
	int kind;

	for (int i = 0; i < 256; i++)
		every_byte[i] = (char)i;
	store_put_alone(&store, 1, "c", "");
	ck_assert_int_eq(store_begin(store.writer), 0);
	for (kind = EVENT_TEXT; kind <= EVENT_RESYNC; kind++) {
		event.cursor = (uint64_t)kind + 2;
		event.kind = (enum event_kind)kind;
		ck_assert_int_eq(store_add_event(&store, &event,
				     &store.publisher, ++store.seq),
		    0);
	}
	ck_assert_int_eq(store_commit(store.writer), 0);
	kind = EVENT_TEXT;
	ck_assert_int_eq(
	    store_replay(store.writer, 1, take_every_byte, &kind), 0);
	ck_assert_int_eq(kind, EVENT_RESYNC + 1);
}
END_TEST

START_TEST(a_replay_ends_when_it_is_told_to)
{
	struct replayed replayed = {.stop_after = 3};

	commit_samples(1, 10, 10);
	ck_assert_int_eq(store_replay(store.writer, 0, take, &replayed), 0);
	ck_assert_uint_eq(replayed.count, 3);
	ck_assert_uint_eq(replay(0).count, 10);
}
END_TEST

START_TEST(totals_outlive_a_restart)
{
	struct store_totals before;

	commit_samples(10, 100, 5);
	before = *store_writer_totals(store.writer);
	ck_assert_uint_eq(before.last_cursor, 109);
	ck_assert_uint_eq(before.events, 100);
	ck_assert_uint_eq(before.channels, 7);
	ck_assert_uint_gt(before.bytes, 100 * 5);
	store_folder_reopen(&store);
	ck_assert_mem_eq(
	    store_writer_totals(store.writer), &before, sizeof(before));
}
END_TEST

START_TEST(a_rollback_leaves_nothing)
{
	struct store_publisher found;
	struct store_totals before;

	commit_samples(1, 10, 10);
	before = *store_writer_totals(store.writer);
	ck_assert_int_eq(store_begin(store.writer), 0);
	store_put(&store, 100, "only:here", "x");
	found.id = 0;
	ck_assert_int_eq(store_make_publisher(
			     store.writer, slice_of_text("only-here"), &found),
	    0);
	store_rollback(store.writer);
	ck_assert_mem_eq(
	    store_writer_totals(store.writer), &before, sizeof(before));
	ck_assert_uint_eq(replay(0).count, 10);
	ck_assert_int_eq(store_find_publisher(
			     store.writer, slice_of_text("only-here"), &found),
	    0);
	ck_assert_int_eq(found.id, 0);
	/* The channel that was made is made again. */
	store_put_alone(&store, 100, "only:here", "x");
	store_folder_reopen(&store);
	ck_assert_uint_eq(store_writer_totals(store.writer)->events, 11);
	ck_assert_uint_eq(store_writer_totals(store.writer)->channels, 8);
}
END_TEST

START_TEST(an_uncommitted_batch_is_gone_after_a_crash)
{
	commit_samples(1, 10, 10);
	ck_assert_int_eq(store_begin(store.writer), 0);
	put_samples(11, 10, 10);
	store_folder_reopen(&store);
	ck_assert_uint_eq(replay(0).count, 10);
	ck_assert_uint_eq(store_writer_totals(store.writer)->last_cursor, 10);
}
END_TEST

START_TEST(the_tail_is_the_newest_part_that_fits)
{
	uint64_t from;
	uint64_t each = 1000 + RECORD_OVERHEAD_MAX;

	ck_assert_int_eq(store_begin(store.writer), 0);
	for (uint64_t i = 1; i <= 50; i++)
		put_samples(i, 1, 1000);
	ck_assert_int_eq(store_commit(store.writer), 0);
	ck_assert_int_eq(store_find_tail(store.writer, 0, 10 * each, &from), 0);
	ck_assert_uint_eq(from, 40);
	ck_assert_int_eq(
	    store_find_tail(store.writer, 0, 10 * each - 1, &from), 0);
	ck_assert_uint_eq(from, 41);
	ck_assert_int_eq(
	    store_find_tail(store.writer, 45, 10 * each, &from), 0);
	ck_assert_uint_eq(from, 45);
	ck_assert_int_eq(store_find_tail(store.writer, 0, 1, &from), 0);
	ck_assert_uint_eq(from, 50);
	ck_assert_int_eq(store_find_tail(store.writer, 50, 1, &from), 0);
	ck_assert_uint_eq(from, 50);
}
END_TEST

/* A number that changes when another connection has written. */
static uint64_t
data_version(sqlite3 *db)
{
	sqlite3_stmt *statement;
	uint64_t version;

	ck_assert_int_eq(
	    sqlite3_prepare_v2(db, "PRAGMA data_version", -1, &statement, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	version = (uint64_t)sqlite3_column_int64(statement, 0);
	ck_assert_int_eq(sqlite3_finalize(statement), SQLITE_OK);
	return version;
}

START_TEST(a_store_that_is_there_is_opened_without_writing)
{
	sqlite3 *watcher;
	uint64_t before;

	commit_samples(1, 10, 10);
	ck_assert_int_eq(sqlite3_open(store.path, &watcher), SQLITE_OK);
	before = data_version(watcher);
	store_folder_reopen(&store);
	ck_assert_uint_eq(data_version(watcher), before);
	commit_samples(11, 1, 10);
	ck_assert_uint_ne(data_version(watcher), before);
	ck_assert_int_eq(sqlite3_close(watcher), SQLITE_OK);
}
END_TEST

START_TEST(what_is_no_store_or_of_another_layout_is_not_opened)
{
	struct sqlite3 *db;
	char *error;
	FILE *file;

	db = store_open_writer(store.path, "OFF", NULL, &error);
	ck_assert_ptr_nonnull(db);
	ck_assert_int_eq(
	    sqlite3_exec(db, "PRAGMA user_version = 2", NULL, NULL, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	ck_assert_ptr_null(store_open_writer(store.path, "OFF", NULL, &error));
	ck_assert_ptr_nonnull(strstr(error, "layout 2"));
	sqlite3_free(error);
	store_writer_close(store.writer);
	store.writer = NULL;
	file = fopen(store.path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs("this is no database at all, is it?", file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_ptr_null(store_open_writer(store.path, "OFF", NULL, &error));
	ck_assert_ptr_nonnull(strstr(error, store.path));
	sqlite3_free(error);
	ck_assert_ptr_null(store_writer_open(store.path, "OFF"));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("store_write");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_new_store_is_empty);
	tcase_add_test(tests, what_was_committed_is_replayed_byte_for_byte);
	tcase_add_test(tests, every_kind_and_byte_is_replayed);
	tcase_add_test(tests, a_replay_ends_when_it_is_told_to);
	tcase_add_test(tests, totals_outlive_a_restart);
	tcase_add_test(tests, a_rollback_leaves_nothing);
	tcase_add_test(tests, an_uncommitted_batch_is_gone_after_a_crash);
	tcase_add_test(tests, the_tail_is_the_newest_part_that_fits);
	tcase_add_test(tests, a_store_that_is_there_is_opened_without_writing);
	tcase_add_test(
	    tests, what_is_no_store_or_of_another_layout_is_not_opened);
	return suite_run("store_write", tests);
}
