/* Tests of streams and stream_query: which stream a path belongs to, and what
 * its query says by the names of its block. */
#include "broker/worker/stream/streams.h"

#include <stdio.h>

#include "broker/worker/http/stream_query.h"
#include "broker/worker/worker_state.h"
#include "tests/unit/suite.h"

static struct config config;
static struct worker worker;

static void
set_up(void)
{
	static const char *const overrides[] = {"stream /.allow=a",
	    "stream /a/b.allow=a", "stream /a/b.poke=/a/b/poke",
	    "stream /a/b.stats=/a/stats", "stream /a/b.query_channels=topics",
	    "stream /a/b.query_live="};
	char error[CONFIG_ERROR_SIZE];

	ck_assert_msg(
	    config_load(&config, NULL, overrides, 6, error) == 0, "%s", error);
	worker = (struct worker){.config = &config};
}

static void
tear_down(void)
{
	config_finish(&config);
}

static const char *
name_of(const struct config_stream *stream)
{
	return stream == NULL ? "none" : stream->block.name;
}

static const struct {
	const char *path;
	const char *stream;
	const char *poke;
	const char *stats;
	const char *open;
	const char *id;
} paths[] = {
    {"/", "/", "none", "none", "/", ""},
    {"/stream", "/stream", "none", "none", "/", "stream"},
    {"/a/b", "/a/b", "none", "none", "none", NULL},
    {"/a/b/", "none", "none", "none", "/a/b", ""},
    {"/a/b/poke", "none", "/a/b", "none", "/a/b", "poke"},
    {"/a/stats", "none", "none", "/a/b", "none", NULL},
    {"/stream/x", "none", "none", "none", "/stream", "x"},
    {"/STREAM", "none", "none", "none", "/", "STREAM"},
    {"/a", "none", "none", "none", "/", "a"},
    {"*", "none", "none", "none", "none", NULL},
    {"", "none", "none", "none", "none", NULL},
};

START_TEST(a_path_belongs_to_the_stream_that_claims_it)
{
	struct slice path = slice_of_text(paths[_i].path), id;
	const struct config_stream *open;

	ck_assert_str_eq(
	    name_of(streams_find(&worker, path)), paths[_i].stream);
	ck_assert_str_eq(
	    name_of(streams_find_poke(&worker, path)), paths[_i].poke);
	ck_assert_str_eq(
	    name_of(streams_find_stats(&worker, path)), paths[_i].stats);
	open = streams_find_open(&worker, path, &id);
	ck_assert_str_eq(name_of(open), paths[_i].open);
	if (open != NULL)
		ck_assert(slice_is(id, paths[_i].id));
}
END_TEST

static struct stream_query query;

static int
read_query(const char *path, const char *text, enum problem *problem)
{
	const struct config_stream *block =
	    streams_find(&worker, slice_of_text(path));

	ck_assert_ptr_nonnull(block);
	return stream_query_read(&query, block, slice_of_text(text), problem);
}

START_TEST(a_query_is_read_by_the_names_of_the_block)
{
	enum problem problem;

	ck_assert_int_eq(
	    read_query("/a/b",
		"topics=a%2Cb&channels=c&live=false&since=-1"
		"&types=&keys=ord_%2A&format=raw&lastEventId=1-0&x=y&=z&z",
		&problem),
	    0);
	ck_assert(slice_is(query.channels, "a,b"));
	ck_assert(slice_is(query.since, "-1"));
	ck_assert(query.types.bytes != NULL && query.types.len == 0);
	ck_assert(slice_is(query.keys, "ord_*"));
	ck_assert(slice_is(query.format, "raw"));
	ck_assert_ptr_null(query.live.bytes);
	ck_assert(slice_is(query.last_event_id, "1-0"));
	stream_query_finish(&query);
	ck_assert_int_eq(read_query("/stream", "", &problem), 0);
	ck_assert_ptr_null(query.channels.bytes);
	stream_query_finish(&query);
}
END_TEST

START_TEST(a_bad_query_is_told)
{
	enum problem problem;

	ck_assert_int_eq(
	    read_query("/stream", "channels=a&channels=b", &problem), -1);
	ck_assert_int_eq(problem, PROBLEM_QUERY_DUPLICATE);
	stream_query_finish(&query);
	ck_assert_int_eq(read_query("/stream", "channels=%2", &problem), -1);
	ck_assert_int_eq(problem, PROBLEM_QUERY_INVALID);
	stream_query_finish(&query);
	/* What the block does not name may come as often as it likes. */
	ck_assert_int_eq(
	    read_query("/a/b", "channels=a&channels=b", &problem), 0);
	stream_query_finish(&query);
}
END_TEST

START_TEST(items_are_divided_by_commas)
{
	static const char *const expected[] = {"a", "", "b:*", ""};
	struct slice list = slice_of_text("a,,b:*,"), item;

	for (int i = 0; i < 4; i++) {
		ck_assert(stream_query_next_item(&list, &item));
		ck_assert(slice_is(item, expected[i]));
	}
	ck_assert(!stream_query_next_item(&list, &item));
	list = slice_of_text("");
	ck_assert(stream_query_next_item(&list, &item));
	ck_assert_uint_eq(item.len, 0);
	ck_assert(!stream_query_next_item(&list, &item));
	list = slice_of(NULL, 0);
	ck_assert(!stream_query_next_item(&list, &item));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("streams");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, a_path_belongs_to_the_stream_that_claims_it,
	    0, sizeof(paths) / sizeof(paths[0]));
	tcase_add_test(tests, a_query_is_read_by_the_names_of_the_block);
	tcase_add_test(tests, a_bad_query_is_told);
	tcase_add_test(tests, items_are_divided_by_commas);
	return suite_run("streams", tests);
}
