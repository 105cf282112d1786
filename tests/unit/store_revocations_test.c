/* Tests of store_revocations and of reading them back: what is committed is
 * found by every reader, whenever it looks, and no more than is allowed. */
#include "broker/hub/store_revocations.h"

#include <sqlite3.h>

#include "broker/worker/access/revoked.h"
#include "broker/worker/cursor/store_read.h"
#include "protocol/event.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/suite.h"

enum { MAX = 100, T = 1000000, STEPS = 3000 };

static struct store_folder store;
static struct store_reader *reader;
static uint64_t newest;

static void
open_reader(void)
{
	reader = store_reader_open(store.path);
	ck_assert_ptr_nonnull(reader);
	ck_assert_int_eq(store_count_revocations(store.writer, &newest), 0);
}

static void
set_up(void)
{
	store_folder_make(&store);
	open_reader();
	ck_assert_uint_eq(newest, 0);
}

static void
tear_down(void)
{
	store_reader_close(reader);
	store_folder_remove(&store);
}

static void
reopen(void)
{
	store_reader_close(reader);
	store_folder_reopen(&store);
	open_reader();
}

static struct store_revocation
row_of(const char *user, const char *pattern, uint64_t now_ms)
{
	return (struct store_revocation){
	    slice_of_text(user), slice_of_text(pattern), now_ms};
}

static int
revoke_at(const char *user, const char *pattern, uint64_t now_ms)
{
	struct store_revocation row = row_of(user, pattern, now_ms);
	uint64_t number = 0;
	int result = store_revoke(store.writer, &row, MAX, &number);

	if (result == 1) {
		ck_assert_uint_eq(number, newest + 1);
		newest = number;
	}
	return result;
}

static int64_t
restore_at(const char *user, const char *pattern, uint64_t now_ms)
{
	struct store_revocation row = row_of(user, pattern, now_ms);
	uint64_t number = 0;
	int64_t taken = store_restore(store.writer, &row, &number);

	if (taken > 0) {
		ck_assert_uint_eq(number, newest + 1);
		newest = number;
	} else {
		ck_assert_uint_eq(number, 0);
	}
	return taken;
}

/* A worker's table and how far it has read. */
struct follower {
	struct revoked *table;
	uint64_t number;
};

static void
take(const struct store_revoked *row, void *context)
{
	struct follower *follower = context;

	ck_assert_uint_gt(row->number, follower->number);
	follower->number = row->number;
	if (row->restores)
		revoked_restore(follower->table, row->user, row->pattern);
	else
		ck_assert_int_eq(revoked_add(follower->table, row->user,
				     row->pattern, row->at_ms),
		    0);
}

static int
read_some(struct follower *follower, int rows)
{
	return store_read_revocations(
	    reader, follower->number, rows, take, follower);
}

static struct follower
follow_all(void)
{
	struct follower follower = {.table = revoked_create()};

	while (read_some(&follower, 7) == 7)
		;
	return follower;
}

static bool
is_revoked(const char *user, uint64_t issued_ms, const char *channel)
{
	struct follower follower = follow_all();
	bool found = revoked_channel(follower.table, slice_of_text(user),
	    issued_ms, slice_of_text(channel));

	revoked_destroy(follower.table);
	return found;
}

START_TEST(what_is_revoked_is_read_back_also_after_a_restart)
{
	ck_assert_int_eq(revoke_at("u", "org:1:*", T), 1);
	ck_assert_int_eq(revoke_at("\xC3\xA4 'x", "*", T), 1);
	reopen();
	ck_assert_uint_eq(newest, 2);
	ck_assert_uint_eq(store_revocations(store.writer), 2);
	ck_assert(is_revoked("u", T, "org:1:a"));
	ck_assert(!is_revoked("u", T + 1, "org:1:a"));
	ck_assert(!is_revoked("u", T, "org:2:a"));
	ck_assert(is_revoked("\xC3\xA4 'x", T, "b"));
}
END_TEST

START_TEST(a_number_is_never_used_again)
{
	revoke_at("u", "a", T);
	ck_assert_int_eq(restore_at("u", "a", T), 1);
	ck_assert_int_eq(store_forget_revocations(store.writer, T + 1, 100), 0);
	ck_assert_uint_eq(store_revocations(store.writer), 0);
	reopen();
	ck_assert_uint_eq(newest, 2);
	ck_assert_int_eq(revoke_at("u", "a", T), 1);
	ck_assert_uint_eq(newest, 3);
}
END_TEST

START_TEST(a_wider_pattern_takes_the_place_of_those_within)
{
	revoke_at("u", "a:b", T);
	revoke_at("u", "a:b:c", T);
	revoke_at("u", "ab", T);
	revoke_at("v", "a:b", T);
	ck_assert_uint_eq(store_revocations(store.writer), 4);
	revoke_at("u", "a:*", T + 1);
	ck_assert_uint_eq(store_revocations(store.writer), 3);
	revoke_at("u", "*", T + 2);
	ck_assert_uint_eq(store_revocations(store.writer), 2);
	revoke_at("u", "*", T + 3);
	ck_assert_uint_eq(store_revocations(store.writer), 2);
	ck_assert(is_revoked("u", T + 3, "a:b"));
	ck_assert(is_revoked("v", T, "a:b"));
}
END_TEST

START_TEST(a_clock_that_was_set_back_shortens_nothing)
{
	revoke_at("u", "a", T + 10);
	revoke_at("u", "*", T);
	ck_assert(is_revoked("u", T + 10, "a"));
	ck_assert(is_revoked("u", T + 10, "b"));
}
END_TEST

START_TEST(what_is_restored_is_gone_for_old_and_new_readers)
{
	struct follower old;

	revoke_at("u", "a", T);
	revoke_at("u", "b:*", T);
	revoke_at("v", "a", T);
	old = follow_all();
	ck_assert_int_eq(restore_at("u", "b:c", T), 0); /* not within */
	ck_assert_int_eq(restore_at("u", "b:*", T), 1);
	ck_assert_int_eq(restore_at("u", "*", T), 1);
	ck_assert_int_eq(restore_at("u", "*", T), 0);
	ck_assert_int_eq(restore_at("nobody", "*", T), 0);
	ck_assert_int_ge(read_some(&old, 100), 1);
	ck_assert_uint_eq(revoked_count(old.table), 1);
	revoked_destroy(old.table);
	ck_assert(!is_revoked("u", 1, "a"));
	ck_assert(!is_revoked("u", 1, "b:c"));
	ck_assert(is_revoked("v", 1, "a"));
}
END_TEST

START_TEST(no_more_are_kept_than_allowed)
{
	char user[16];

	for (int i = 0; i < MAX; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		ck_assert_int_eq(revoke_at(user, "a:b", T), 1);
	}
	ck_assert_int_eq(revoke_at("one:more", "a:b", T), 0);
	ck_assert(!is_revoked("one:more", 1, "a:b"));
	/* What takes no room can be done. */
	ck_assert_int_eq(revoke_at("u1", "a:b", T + 1), 1);
	ck_assert_int_eq(revoke_at("u1", "*", T + 1), 1);
	ck_assert_int_eq(restore_at("u2", "*", T), 1);
	ck_assert_uint_eq(store_revocations(store.writer), MAX);
	ck_assert_int_eq(store_forget_revocations(store.writer, T + 1, 10), 0);
	ck_assert_uint_eq(store_revocations(store.writer), MAX - 10);
	ck_assert_int_eq(revoke_at("one:more", "a:b", T), 1);
}
END_TEST

START_TEST(no_more_of_one_user_are_kept_than_allowed)
{
	struct store_revocation row = row_of("u", "*", T);
	char pattern[16];
	uint64_t number;

	for (int i = 0; i <= STORE_REVOCATIONS_PER_USER; i++) {
		snprintf(pattern, sizeof(pattern), "c:%d", i);
		row.pattern = slice_of_text(pattern);
		ck_assert_int_eq(
		    store_revoke(store.writer, &row, 1000000, &number),
		    i < STORE_REVOCATIONS_PER_USER);
	}
	row.pattern = slice_of_text("c:*");
	ck_assert_int_eq(store_revoke(store.writer, &row, 1000000, &number), 1);
	ck_assert_uint_eq(store_revocations(store.writer), 1);
}
END_TEST

START_TEST(old_ones_are_forgotten_a_bounded_number_at_once)
{
	char user[16];

	for (int i = 0; i < 50; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		revoke_at(user, "a", (uint64_t)(T + i));
	}
	ck_assert_int_eq(store_forget_revocations(store.writer, T, 10), 0);
	ck_assert_uint_eq(store_revocations(store.writer), 50);
	ck_assert_int_eq(store_forget_revocations(store.writer, T + 40, 10), 0);
	ck_assert_uint_eq(store_revocations(store.writer), 40);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
		    store_forget_revocations(store.writer, T + 40, 10), 0);
	ck_assert_uint_eq(store_revocations(store.writer), 10);
	ck_assert(!is_revoked("u39", 1, "a"));
	ck_assert(is_revoked("u40", 1, "a"));
}
END_TEST

START_TEST(a_store_without_the_table_gets_it)
{
	sqlite3 *db;

	store_reader_close(reader);
	store_writer_close(store.writer);
	ck_assert_int_eq(sqlite3_open(store.path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db, "DROP TABLE revocation", NULL, NULL, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	store_folder_open(&store);
	open_reader();
	ck_assert_int_eq(revoke_at("u", "a", T), 1);
	reopen();
	ck_assert(is_revoked("u", T, "a"));
}
END_TEST

/* --- whoever looks, whenever: the same holds --- */

static const char *const users[] = {"a", "b"};
static const char *const patterns[] = {
    "*", "x", "x:*", "x:y", "x:y:*", "x:y:z", "q"};
static const char *const channels[] = {"x", "x:y", "x:y:z", "x:w", "q", "r"};

static void
assert_same(const struct follower *a, const struct follower *b)
{
	for (int u = 0; u < 2; u++) {
		for (int c = 0; c < 6; c++) {
			for (uint64_t at = T; at < T + 12; at++) {
				struct slice user = slice_of_text(users[u]);
				struct slice name = slice_of_text(channels[c]);

				ck_assert_int_eq(
				    revoked_channel(a->table, user, at, name),
				    revoked_channel(b->table, user, at, name));
			}
		}
	}
}

START_TEST(a_reader_that_was_there_all_along_agrees_with_a_new_one)
{
	/* One reads after each change, one now and then. */
	struct follower always = {.table = revoked_create()};
	struct follower seldom = {.table = revoked_create()};

	srand(11);
	for (int step = 0; step < STEPS; step++) {
		const char *user = users[rand() % 2];
		const char *pattern = patterns[rand() % 7];
		uint64_t now_ms = (uint64_t)(T + rand() % 10);

		if (rand() % 3 == 0)
			ck_assert_int_ge(restore_at(user, pattern, now_ms), 0);
		else
			ck_assert_int_eq(revoke_at(user, pattern, now_ms), 1);
		ck_assert_int_ge(read_some(&always, 10), 0);
		if (rand() % 5 == 0) {
			struct follower fresh = follow_all();

			while (read_some(&seldom, 3) == 3)
				;
			assert_same(&always, &fresh);
			assert_same(&seldom, &fresh);
			revoked_destroy(fresh.table);
		}
	}
	ck_assert_uint_le(store_revocations(store.writer), 14);
	revoked_destroy(always.table);
	revoked_destroy(seldom.table);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("store_revocations");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(
	    tests, what_is_revoked_is_read_back_also_after_a_restart);
	tcase_add_test(tests, a_number_is_never_used_again);
	tcase_add_test(tests, a_wider_pattern_takes_the_place_of_those_within);
	tcase_add_test(tests, a_clock_that_was_set_back_shortens_nothing);
	tcase_add_test(tests, what_is_restored_is_gone_for_old_and_new_readers);
	tcase_add_test(tests, no_more_are_kept_than_allowed);
	tcase_add_test(tests, no_more_of_one_user_are_kept_than_allowed);
	tcase_add_test(tests, old_ones_are_forgotten_a_bounded_number_at_once);
	tcase_add_test(tests, a_store_without_the_table_gets_it);
	tcase_add_test(
	    tests, a_reader_that_was_there_all_along_agrees_with_a_new_one);
	return suite_run("store_revocations", tests);
}
