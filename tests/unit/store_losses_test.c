/* Tests of store_losses where very many channels lost something: what is said
 * stays short, and who asks for few channels gets a precise answer. */
#include "broker/worker/cursor/store_read.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/suite.h"

enum { CHANNELS = 3000, NAMES_MAX = 1000 };

static struct store_folder store;
static struct store_reader *reader;

/* What was told. */
static struct {
	char last[32];
	size_t count;
} told;

/* Channels many:1 .. many:3000 and few:1 .. few:3, one event each; all but the
 * last of few lose theirs. */
static void
set_up(void)
{
	const struct store_limits limits = {
	    UINT64_MAX, 1, UINT64_MAX, 2 * CHANNELS};
	char name[32];

	store_folder_make(&store);
	ck_assert_int_eq(store_begin(store.writer), 0);
	for (uint64_t i = 1; i <= CHANNELS + 3; i++) {
		bool many = i <= CHANNELS;

		snprintf(name, sizeof(name), "%s:%u", many ? "many" : "few",
		    (unsigned)(many ? i : i - CHANNELS));
		store_put(&store, i, name, "x");
	}
	ck_assert_int_eq(store_commit(store.writer), 0);
	ck_assert_int_eq(store_trim(store.writer, &limits, 0,
			     STORE_TRIM_ROWS_MAX, &(bool){false}),
	    CHANNELS + 2);
	reader = store_reader_open(store.path);
	ck_assert_ptr_nonnull(reader);
}

static void
tear_down(void)
{
	store_reader_close(reader);
	store_folder_remove(&store);
}

static void
tell(struct slice name, void *context)
{
	ck_assert_ptr_eq(context, &told);
	snprintf(
	    told.last, sizeof(told.last), "%.*s", (int)name.len, name.bytes);
	told.count++;
}

/* How many names are told to one at this cursor. */
static size_t
ask(const char *pattern, uint64_t after)
{
	const struct slice patterns[] = {slice_of_text(pattern)};
	const struct store_request request = {
	    .patterns = patterns, .pattern_count = 1, .after = after};
	uint64_t losses = 0;

	memset(&told, 0, sizeof(told));
	ck_assert_int_eq(store_read_begin(reader), 0);
	ck_assert_int_eq(
	    store_read_losses(reader, &request, &losses, tell, &told), 0);
	store_read_end(reader);
	ck_assert_uint_eq(losses, 1);
	return told.count;
}

START_TEST(of_very_many_channels_some_are_named_and_then_the_pattern)
{
	ck_assert_uint_eq(ask("*", 0), NAMES_MAX + 1);
	ck_assert_str_eq(told.last, "*");
	ck_assert_uint_eq(ask("many:*", 0), NAMES_MAX + 1);
	ck_assert_str_eq(told.last, "many:*");
}
END_TEST

START_TEST(as_many_as_can_be_named_are_named)
{
	/* The last 997 of many, and two of few. */
	ck_assert_uint_eq(ask("*", CHANNELS - 997), 999);
	ck_assert_str_ne(told.last, "*");
	ck_assert_uint_eq(ask("many:*", CHANNELS - 997), 997);
}
END_TEST

START_TEST(few_channels_are_precise_however_many_others_lost_something)
{
	ck_assert_uint_eq(ask("few:*", 0), 2);
	ck_assert_uint_eq(ask("few:3", 0), 0);
	ck_assert_uint_eq(ask("few:2", 0), 1);
	ck_assert_str_eq(told.last, "few:2");
	ck_assert_uint_eq(ask("few:*", CHANNELS + 1), 1);
	ck_assert_uint_eq(ask("few:*", CHANNELS + 2), 0);
	ck_assert_uint_eq(ask("many:17", 16), 1);
	ck_assert_uint_eq(ask("many:17", 17), 0);
	ck_assert_uint_eq(ask("unknown", 0), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("store_losses");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(
	    tests, of_very_many_channels_some_are_named_and_then_the_pattern);
	tcase_add_test(tests, as_many_as_can_be_named_are_named);
	tcase_add_test(
	    tests, few_channels_are_precise_however_many_others_lost_something);
	return suite_run("store_losses", tests);
}
