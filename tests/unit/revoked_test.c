/* Tests of revoked: what is withdrawn from whom, and from when on not. */
#include "broker/worker/access/revoked.h"

#include <stdio.h>

#include "protocol/event.h"
#include "tests/unit/suite.h"

enum { T = 1000000, MODEL_STEPS = 20000, MODEL_MAX = 512 };

static struct revoked *table;

static void
set_up(void)
{
	table = revoked_create();
	ck_assert_ptr_nonnull(table);
}

static void
tear_down(void)
{
	revoked_destroy(table);
}

static void
revoke(const char *user, const char *pattern, uint64_t at_ms)
{
	ck_assert_int_eq(revoked_add(table, slice_of_text(user),
			     slice_of_text(pattern), at_ms),
	    0);
}

static size_t
restore(const char *user, const char *pattern)
{
	return revoked_restore(
	    table, slice_of_text(user), slice_of_text(pattern));
}

static bool
is_revoked(const char *user, uint64_t issued_ms, const char *channel)
{
	return revoked_channel(
	    table, slice_of_text(user), issued_ms, slice_of_text(channel));
}

START_TEST(only_the_user_and_the_channels_named_are_meant)
{
	revoke("u1", "org:1:*", T);
	ck_assert(is_revoked("u1", T, "org:1:a"));
	ck_assert(is_revoked("u1", T, "org:1:a:b"));
	ck_assert(!is_revoked("u1", T, "org:1"));
	ck_assert(!is_revoked("u1", T, "org:2:a"));
	ck_assert(!is_revoked("u2", T, "org:1:a"));
	ck_assert(!is_revoked("u", T, "org:1:a"));
	ck_assert(!is_revoked("u11", T, "org:1:a"));
	ck_assert(!is_revoked("", T, "org:1:a"));
	ck_assert(!revoked_everything(table, slice_of_text("u1"), T));
	revoke("u2", "*", T);
	ck_assert(revoked_everything(table, slice_of_text("u2"), T));
	ck_assert(revoked_everything(table, slice_of_text("u2"), 0));
	ck_assert(!revoked_everything(table, slice_of_text("u2"), T + 1));
	ck_assert(is_revoked("u2", T, "anything:at:all"));
	ck_assert(!is_revoked("u1", T, "anything:at:all"));
}
END_TEST

START_TEST(it_counts_for_tokens_issued_then_before_or_who_knows_when)
{
	revoke("u", "a", 5999);
	ck_assert(is_revoked("u", 0, "a"));
	ck_assert(is_revoked("u", 1, "a"));
	ck_assert(is_revoked("u", 5000, "a")); /* in the same second */
	ck_assert(is_revoked("u", 5999, "a"));
	ck_assert(!is_revoked("u", 6000, "a"));
}
END_TEST

START_TEST(a_wider_pattern_takes_the_place_of_those_within)
{
	revoke("u", "a:b", T);
	revoke("u", "a:c", T + 1);
	revoke("u", "ab", T + 2);
	ck_assert_uint_eq(revoked_count(table), 3);
	revoke("u", "a:*", T + 3);
	ck_assert_uint_eq(revoked_count(table), 2);
	ck_assert(is_revoked("u", T + 3, "a:b"));
	ck_assert(!is_revoked("u", T + 3, "ab"));
	revoke("u", "*", T + 4);
	ck_assert_uint_eq(revoked_count(table), 1);
	/* The same again only moves its time. */
	revoke("u", "*", T + 5);
	ck_assert_uint_eq(revoked_count(table), 1);
	ck_assert(is_revoked("u", T + 5, "x"));
}
END_TEST

START_TEST(a_clock_that_was_set_back_shortens_nothing)
{
	revoke("u", "a", T + 10);
	revoke("u", "a", T);
	revoke("u", "*", T + 5);
	ck_assert(is_revoked("u", T + 10, "a"));
	ck_assert(is_revoked("u", T + 5, "b"));
	ck_assert(!is_revoked("u", T + 6, "b"));
	revoked_forget(table, T + 6);
	ck_assert_uint_eq(revoked_count(table), 1);
	ck_assert(is_revoked("u", T + 10, "a"));
}
END_TEST

START_TEST(what_is_restored_is_not_revoked_any_more)
{
	revoke("u", "a:b", T);
	revoke("u", "a:*", T - 1);
	revoke("u", "c", T);
	revoke("v", "c", T);
	ck_assert_uint_eq(restore("u", "a:b"), 1);
	ck_assert(is_revoked("u", 1, "a:b")); /* by a:* still */
	ck_assert_uint_eq(restore("u", "a:b"), 0);
	ck_assert_uint_eq(restore("u", "a:*"), 1);
	ck_assert(!is_revoked("u", 1, "a:b"));
	ck_assert_uint_eq(restore("u", "*"), 1);
	ck_assert_uint_eq(restore("u", "*"), 0);
	ck_assert_uint_eq(restore("nobody", "*"), 0);
	ck_assert(is_revoked("v", 1, "c"));
	ck_assert_uint_eq(revoked_count(table), 1);
	/* And it can be revoked anew. */
	revoke("u", "c", T + 1);
	ck_assert(is_revoked("u", T + 1, "c"));
}
END_TEST

START_TEST(old_ones_are_forgotten)
{
	char user[16];

	for (int i = 0; i < 100; i++) {
		snprintf(user, sizeof(user), "u%d", i % 10);
		revoke(user, i % 2 == 0 ? "a" : "b", (uint64_t)(T + i));
	}
	ck_assert_uint_eq(revoked_count(table), 10);
	revoked_forget(table, T + 90);
	ck_assert_uint_eq(revoked_count(table), 10);
	revoked_forget(table, T + 95);
	ck_assert_uint_eq(revoked_count(table), 5);
	ck_assert(!is_revoked("u4", 1, "a"));
	ck_assert(is_revoked("u5", 1, "b"));
	revoked_forget(table, T + 1000);
	ck_assert_uint_eq(revoked_count(table), 0);
	revoked_forget(table, UINT64_MAX);
}
END_TEST

static void
count_pattern(struct slice pattern, void *context)
{
	size_t *count = context;

	ck_assert(event_pattern_valid(pattern));
	++*count;
}

START_TEST(each_pattern_that_counts_for_the_token_is_named)
{
	size_t count = 0;

	revoke("u", "a", T);
	revoke("u", "b:*", T + 5);
	revoke("v", "c", T);
	revoked_each(table, slice_of_text("u"), T, count_pattern, &count);
	ck_assert_uint_eq(count, 2);
	revoked_each(table, slice_of_text("u"), T + 1, count_pattern, &count);
	ck_assert_uint_eq(count, 3);
	revoked_each(table, slice_of_text("u"), T + 6, count_pattern, &count);
	revoked_each(table, slice_of_text("x"), T, count_pattern, &count);
	ck_assert_uint_eq(count, 3);
}
END_TEST

/* --- against a list that is searched from end to end --- */

static const char *const users[] = {"a", "b", "c"};
static const char *const patterns[] = {
    "*", "x", "x:*", "x:y", "x:y:*", "x:y:z", "q"};
static const char *const channels[] = {"x", "x:y", "x:y:z", "x:w", "q", "r"};

struct model_row {
	int user, pattern; /* pattern -1: restored */
	uint64_t at_ms;
};

static struct model_row model[MODEL_MAX];
static size_t model_count;

static bool
model_revoked(int user, uint64_t issued_ms, const char *channel)
{
	for (size_t i = 0; i < model_count; i++) {
		const struct model_row *row = &model[i];

		if (row->pattern >= 0 && row->user == user &&
		    issued_ms <= row->at_ms &&
		    event_pattern_covers(slice_of_text(patterns[row->pattern]),
			slice_of_text(channel)))
			return true;
	}
	return false;
}

static void
model_restore(int user, int pattern)
{
	for (size_t i = 0; i < model_count; i++) {
		struct model_row *row = &model[i];

		if (row->pattern >= 0 && row->user == user &&
		    event_pattern_covers_pattern(
			slice_of_text(patterns[pattern]),
			slice_of_text(patterns[row->pattern])))
			row->pattern = -1;
	}
}

START_TEST(it_agrees_with_a_plain_list)
{
	int pattern_count = (int)(sizeof(patterns) / sizeof(patterns[0]));

	srand(7);
	for (int step = 0; step < MODEL_STEPS; step++) {
		int user = rand() % 3, pattern = rand() % pattern_count;
		uint64_t time = (uint64_t)(1000 + rand() % 20);
		const char *channel = channels[rand() % 6];

		if (model_count == MODEL_MAX) {
			model_count = 0;
			revoked_forget(table, UINT64_MAX);
		}
		if (rand() % 4 == 0) {
			model_restore(user, pattern);
			restore(users[user], patterns[pattern]);
		} else if (rand() % 2 == 0) {
			model[model_count++] =
			    (struct model_row){user, pattern, time};
			revoke(users[user], patterns[pattern], time);
		}
		time = rand() % 5 == 0 ? 0 : (uint64_t)(1000 + rand() % 20);
		ck_assert_int_eq(is_revoked(users[user], time, channel),
		    model_revoked(user, time, channel));
	}
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("revoked");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, only_the_user_and_the_channels_named_are_meant);
	tcase_add_test(
	    tests, it_counts_for_tokens_issued_then_before_or_who_knows_when);
	tcase_add_test(tests, a_wider_pattern_takes_the_place_of_those_within);
	tcase_add_test(tests, a_clock_that_was_set_back_shortens_nothing);
	tcase_add_test(tests, what_is_restored_is_not_revoked_any_more);
	tcase_add_test(tests, old_ones_are_forgotten);
	tcase_add_test(tests, each_pattern_that_counts_for_the_token_is_named);
	tcase_add_test(tests, it_agrees_with_a_plain_list);
	return suite_run("revoked", tests);
}
