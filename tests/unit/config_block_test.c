/* Tests of config: blocks: streams and publishers, what they are by
 * themselves, and what each fault is told as. */
#include "broker/shared/config.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "broker/shared/config_channel.h"
#include "broker/shared/config_value.h"
#include "protocol/event.h"
#include "tests/unit/config_block_faults.h"
#include "tests/unit/config_file.h"
#include "tests/unit/suite.h"

static int
try(const char *text, const char *const *overrides, size_t count)
{
	return config_file_load(slice_of_text(text), overrides, count);
}

static void
load(const char *text)
{
	ck_assert_msg(try(text, NULL, 0) == 0, "%s", error);
}

static const struct config_stream *
stream_at(const char *name)
{
	for (size_t i = 0; i < config.stream_count; i++) {
		if (slice_is(config.streams[i].path, name))
			return &config.streams[i];
	}
	ck_abort_msg("no stream %s", name);
	return NULL;
}

START_TEST(a_stream_is_there_by_itself)
{
	const struct config_stream *stream;

	load("");
	ck_assert_uint_eq(config.stream_count, 1);
	ck_assert_uint_eq(config.publisher_count, 0);
	stream = stream_at("/stream");
	ck_assert_int_eq(stream->access, CONFIG_ACCESS_PUBLIC);
	ck_assert_uint_eq(stream->allow.count, 1);
	ck_assert_str_eq(stream->allow.items[0], "*");
	ck_assert_uint_eq(stream->channels.count, 0);
	ck_assert_uint_eq(stream->heartbeat_interval, 15000);
	ck_assert_int_eq(stream->heartbeat.kind, NOTICE_COMMENT);
	ck_assert_int_eq(stream->greeting.kind, NOTICE_EVENT);
	ck_assert_str_eq(stream->greeting.name, "connected");
	ck_assert_str_eq(stream->live.text, "{\"cursor\":{cursor}}");
	ck_assert_int_eq(stream->start, CONFIG_START_NOW);
	ck_assert_uint_eq(stream->shapes[SSE_TAGGED], 0);
	ck_assert_uint_eq(stream->shapes[SSE_RAW], 1);
	ck_assert_uint_eq(stream->shapes[SSE_ENVELOPE], CONFIG_SHAPE_NONE);
	ck_assert_uint_eq(config.shape_count, 2);
	config_finish(&config);
}
END_TEST

START_TEST(with_tokens_that_stream_gives_nothing_by_itself)
{
	load("[auth]\nmode = jwt\n[stream /x]\naccess = public\nallow=a\n");
	ck_assert_int_eq(
	    stream_at("/stream")->access, CONFIG_ACCESS_AUTHENTICATED);
	ck_assert_uint_eq(stream_at("/stream")->allow.count, 0);
	ck_assert_int_eq(stream_at("/x")->access, CONFIG_ACCESS_PUBLIC);
	config_finish(&config);
}
END_TEST

START_TEST(a_block_for_it_takes_its_place)
{
	load("[stream /stream]\nallow = a:*\nformat = raw\n");
	ck_assert_uint_eq(config.stream_count, 1);
	ck_assert_str_eq(stream_at("/stream")->allow.items[0], "a:*");
	ck_assert_int_eq(stream_at("/stream")->format, SSE_RAW);
	config_finish(&config);
}
END_TEST

START_TEST(every_key_of_a_stream_is_read)
{
	const struct config_stream *stream;

	load("[stream  /a/b-c_d.e~f@g:h ]\naccess = optional\n"
	     "channels = user:{sub}, org:{org}:*\nallow = page:*\n"
	     "default = page:home\nquery_channels = topics\nquery_since =\n"
	     "query_types = t\nquery_keys = k\nquery_format = f\n"
	     "query_live = l\nquery_window = w\nwindow = 2s\n"
	     "query_limit = n\n"
	     "query_conflate = z\nconflate = 100ms\n"
	     "types = order.*, !order.x, {kinds}.*\nformat = envelope\n"
	     "envelope = type:channel.last, event:data\nname_events = on\n"
	     "greeting = data hello\nlive = none\n"
	     "heartbeat = event ping {\"ts\":{ts}}\nheartbeat_interval = 7s\n"
	     "start = oldest\npoke = /p\npoke_channel = u:{sub}:x\n"
	     "poke_type =\npoke_data = go\nstats = /s\n");
	stream = stream_at("/a/b-c_d.e~f@g:h");
	ck_assert_int_eq(stream->access, CONFIG_ACCESS_OPTIONAL);
	ck_assert_uint_eq(stream->channels.count, 2);
	ck_assert_str_eq(stream->channels.items[1], "org:{org}:*");
	ck_assert_str_eq(stream->default_channels.items[0], "page:home");
	ck_assert_str_eq(stream->query_channels, "topics");
	ck_assert_str_eq(stream->query_since, "");
	ck_assert_str_eq(stream->query_keys, "k");
	ck_assert_str_eq(stream->query_window, "w");
	ck_assert_uint_eq(stream->window, 2000);
	ck_assert_str_eq(stream->query_limit, "n");
	ck_assert_str_eq(stream->query_conflate, "z");
	ck_assert_uint_eq(stream->conflate, 100);
	ck_assert_uint_eq(stream->types.count, 3);
	ck_assert_int_eq(stream->name_events, CONFIG_NAME_EVENTS_ON);
	ck_assert_int_eq(stream->greeting.kind, NOTICE_DATA);
	ck_assert_str_eq(stream->greeting.text, "hello");
	ck_assert_int_eq(stream->live.kind, NOTICE_NONE);
	ck_assert_str_eq(stream->heartbeat.name, "ping");
	ck_assert_uint_eq(stream->heartbeat_interval, 7000);
	ck_assert_int_eq(stream->start, CONFIG_START_OLDEST);
	ck_assert_str_eq(stream->poke, "/p");
	ck_assert_str_eq(stream->poke_channel.items[0], "u:{sub}:x");
	ck_assert_str_eq(stream->poke_type, "");
	ck_assert_str_eq(stream->poke_data, "go");
	ck_assert_str_eq(stream->stats, "/s");
	ck_assert_uint_eq(stream->block.line, 1);
	ck_assert_uint_eq(stream->block.lines[CONFIG_STREAM_INDEX_access], 2);
	ck_assert_uint_eq(stream->block.lines[CONFIG_STREAM_INDEX_stats], 30);
	config_finish(&config);
}
END_TEST

START_TEST(shapes_are_numbered_and_equal_ones_shared)
{
	load("[stream /a]\nallow=a\nformat=envelope\nenvelope=x:data\n"
	     "[stream /b]\nallow=a\nenvelope= x : data\nname_events=off\n"
	     "[stream /c]\nallow=a\nformat=raw\nquery_format=\n"
	     "envelope=y:data\n"
	     "[stream /d]\nallow=a\nname_events=on\n");
	ck_assert_uint_eq(stream_at("/a")->shapes[SSE_TAGGED], 0);
	ck_assert_uint_eq(stream_at("/a")->shapes[SSE_RAW], 1);
	ck_assert_uint_eq(stream_at("/a")->shapes[SSE_ENVELOPE], 2);
	ck_assert_uint_eq(stream_at("/b")->shapes[SSE_ENVELOPE], 2);
	ck_assert_uint_eq(stream_at("/b")->shapes[SSE_RAW], 3);
	ck_assert_uint_eq(stream_at("/c")->shapes[SSE_RAW], 1);
	ck_assert_uint_eq(
	    stream_at("/c")->shapes[SSE_TAGGED], CONFIG_SHAPE_NONE);
	ck_assert_uint_eq(
	    stream_at("/c")->shapes[SSE_ENVELOPE], CONFIG_SHAPE_NONE);
	ck_assert_uint_eq(stream_at("/d")->shapes[SSE_TAGGED], 4);
	ck_assert_uint_eq(stream_at("/d")->shapes[SSE_RAW], 1);
	ck_assert_uint_eq(config.shape_count, 5);
	config_finish(&config);
}
END_TEST

START_TEST(users_and_groups_are_found_by_name_and_by_number)
{
	const struct passwd *root = getpwuid(0);
	const struct group *first;
	char text[400];

	ck_assert_ptr_nonnull(root);
	snprintf(text, sizeof(text), "[publisher user %s]\nadmin = on\n",
	    root->pw_name);
	first = getgrgid(0);
	ck_assert_ptr_nonnull(first);
	snprintf(text + strlen(text), sizeof(text) - strlen(text),
	    "[publisher group %s]\nchannels = a, b:*, *\n"
	    "[publisher user 4000000000]\n[publisher group\t12]\n",
	    first->gr_name);
	/* Two spaces, and a tab, are as good as one. */
	load(text);
	ck_assert_uint_eq(config.publisher_count, 4);
	ck_assert_int_eq(config.publishers[0].kind, CONFIG_PUBLISHER_USER);
	ck_assert_uint_eq(config.publishers[0].id, 0);
	ck_assert(config.publishers[0].admin);
	ck_assert_uint_eq(config.publishers[0].channels.count, 0);
	ck_assert_int_eq(config.publishers[1].kind, CONFIG_PUBLISHER_GROUP);
	ck_assert_uint_eq(config.publishers[1].channels.count, 3);
	ck_assert_uint_eq(config.publishers[2].id, 4000000000);
	ck_assert_uint_eq(config.publishers[3].id, 12);
	config_finish(&config);
}
END_TEST

static const char *
block_of(const char *channel)
{
	const struct config_channel *found =
	    config_channel_find(&config, slice_of_text(channel));

	return found != NULL ? found->block.name : "";
}

START_TEST(every_key_of_a_channel_is_read)
{
	const struct config_channel *channel;

	load("[channel a]\n[channel b:*]\nkeep = latest\nmax_age = 30d\n"
	     "max_events = 7\nmax_bytes = 2m\n[channel c]\nmax_bytes =\n"
	     "keep = all\nconflate = 3s\n");
	ck_assert_uint_eq(config.channel_count, 3);
	ck_assert(config.channels_conflate);
	channel = config_channel_find(&config, slice_of_text("c"));
	ck_assert_uint_eq(channel->conflate, 3000);
	channel = config_channel_find(&config, slice_of_text("a"));
	ck_assert_int_eq(channel->keep, CONFIG_KEEP_ALL);
	ck_assert_uint_eq(channel->conflate, 0);
	ck_assert_uint_eq(channel->max_age, CONFIG_AUTO);
	ck_assert_uint_eq(channel->max_events, CONFIG_AUTO);
	ck_assert_uint_eq(channel->max_bytes, CONFIG_AUTO);
	channel = config_channel_find(&config, slice_of_text("b:x"));
	ck_assert_int_eq(channel->keep, CONFIG_KEEP_LATEST);
	ck_assert_uint_eq(channel->max_age, 30ULL * 86400000);
	ck_assert_uint_eq(channel->max_events, 7);
	ck_assert_uint_eq(channel->max_bytes, 2 << 20);
	config_finish(&config);
}
END_TEST

START_TEST(a_channel_has_the_most_exact_block)
{
	static const struct {
		const char *pattern;
		bool may;
	} latest[] = {{"a:x", true}, {"a:*", true}, {"*", true},
	    {"a:x:*", true}, {"a:b:*", false}, {"a:b:c", false}, {"c", true},
	    {"d", false}, {"c:*", false}, {"a", false}};
	char longest[EVENT_CHANNEL_MAX + 1];

	load("[channel b:*]\n[channel *]\n[channel a:b:*]\n[channel a:*]\n"
	     "[channel a:b:c]\n[channel a]\n[channel a:b]\n"
	     "[channel a:b:c:*]\n");
	ck_assert_str_eq(block_of("a"), "a");
	ck_assert_str_eq(block_of("a:b"), "a:b");
	ck_assert_str_eq(block_of("a:c"), "a:*");
	ck_assert_str_eq(block_of("a:b:c"), "a:b:c");
	ck_assert_str_eq(block_of("a:b:d"), "a:b:*");
	ck_assert_str_eq(block_of("a:b:c:d:e"), "a:b:c:*");
	ck_assert_str_eq(block_of("a:b:cd"), "a:b:*");
	ck_assert_str_eq(block_of("b"), "*");
	ck_assert_str_eq(block_of("b:"), "b:*");
	ck_assert_str_eq(block_of("c:b:c"), "*");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = 'b';
	longest[1] = longest[EVENT_CHANNEL_MAX - 1] = ':';
	longest[EVENT_CHANNEL_MAX] = '\0';
	ck_assert_str_eq(block_of(longest), "b:*");
	config_finish(&config);
	load("[channel a:*]\nkeep = latest\n[channel a:b:*]\n[channel c]\n"
	     "keep = latest\n[channel d]\n");
	for (size_t i = 0; i < sizeof(latest) / sizeof(latest[0]); i++)
		ck_assert_msg(
		    config_channel_latest(&config,
			slice_of_text(latest[i].pattern)) == latest[i].may,
		    "%s", latest[i].pattern);
	config_finish(&config);
	load("[channel a:*]\n");
	ck_assert_str_eq(block_of("a"), "");
	ck_assert_str_eq(block_of("b:a:*"), "");
	config_finish(&config);
	load("");
	ck_assert_str_eq(block_of("a"), "");
	config_finish(&config);
}
END_TEST

START_TEST(an_override_makes_a_block_or_changes_one)
{
	static const char *const overrides[] = {"stream /a.format=raw",
	    "stream /b.v1.allow=x", "publisher user 0.admin=on",
	    "stream /b.v1.allow=y", "channel v1.2:*.keep=none"};

	ck_assert_msg(
	    try("[stream /a]\nallow = a\nformat = tagged\n", overrides, 5) == 0,
	    "%s", error);
	ck_assert_uint_eq(config.stream_count, 3);
	ck_assert_int_eq(stream_at("/a")->format, SSE_RAW);
	ck_assert_str_eq(stream_at("/a")->allow.items[0], "a");
	ck_assert_str_eq(stream_at("/b.v1")->allow.items[0], "y");
	ck_assert(config.publishers[0].admin);
	ck_assert_str_eq(block_of("v1.2:3"), "v1.2:*");
	ck_assert_int_eq(config.channels[0].keep, CONFIG_KEEP_NONE);
	config_finish(&config);
}
END_TEST

START_TEST(a_fault_is_named_with_its_line)
{
	ck_assert_int_eq(try(faults[_i].text, NULL, 0), -1);
	ck_assert_uint_eq(strncmp(error, path, strlen(path)), 0);
	ck_assert_str_eq(error + strlen(path), faults[_i].error);
	/* Nothing is left behind. */
	ck_assert_ptr_null(config.streams);
	ck_assert_ptr_null(config.shapes);
}
END_TEST

static const struct {
	const char *text;
	const char *error;
} bad_overrides[] = {
    {"stream /a=x", "-o stream /a=x: expected section.key=value"},
    {"stream.allow=x",
	"-o stream.allow=x: got section \"stream\", expected [stream PATH]"},
    {"stream /a.alow=x", "-o stream /a.alow=x: there is no such setting, "
			 "did you mean [stream PATH] allow?"},
    {"stream /a.format=raw", "-o: [stream /a] allow: a public stream needs "
			     "channels, allow or default"},
    {"stream /stream.poke=/stream",
	"-o: [stream /stream] poke: got \"/stream\", which [stream /stream] "
	"has as its path"},
};

START_TEST(a_fault_of_an_override_is_named_with_it)
{
	const char *overrides[] = {
	    bad_overrides[_i].text, "stream /stream.allow=a"};

	ck_assert_int_eq(config_load(&config, NULL, overrides, 2, error), -1);
	ck_assert_str_eq(error, bad_overrides[_i].error);
}
END_TEST

/* So many blocks, with a number between each two of the parts. */
static int
try_blocks(const char *const parts[3], int count)
{
	FILE *file = fopen(path, "w");

	for (int i = 0; i < count; i++)
		fprintf(
		    file, "%s%d%s%d%s\n", parts[0], i, parts[1], i, parts[2]);
	ck_assert_int_eq(fclose(file), 0);
	return config_load(&config, path, NULL, 0, error);
}

START_TEST(blocks_are_bounded)
{
	static const char *const stream[] = {"[stream /", "]\nallow=a", ""};
	static const char *const publisher[] = {
	    "[publisher user 1", "]\nchannels=a", ""};
	static const char *const channel[] = {
	    "[channel c", "]\nmax_events=1", ""};

	ck_assert_int_eq(try_blocks(stream, CONFIG_STREAMS_MAX - 1), 0);
	config_finish(&config);
	/* One is for /stream. */
	ck_assert_int_eq(try_blocks(stream, CONFIG_STREAMS_MAX), -1);
	ck_assert_str_eq(
	    error + strlen(path), ": expected 64 [stream PATH] at most");
	ck_assert_int_eq(try_blocks(stream, CONFIG_STREAMS_MAX + 1), -1);
	ck_assert_str_eq(
	    error + strlen(path), ":129: expected 64 [stream PATH] at most");
	ck_assert_int_eq(try_blocks(publisher, CONFIG_PUBLISHERS_MAX), 0);
	config_finish(&config);
	ck_assert_int_eq(try_blocks(publisher, CONFIG_PUBLISHERS_MAX + 1), -1);
	ck_assert_int_eq(try_blocks(channel, CONFIG_CHANNELS_MAX), 0);
	ck_assert_str_eq(block_of("c1023"), "c1023");
	config_finish(&config);
	ck_assert_int_eq(try_blocks(channel, CONFIG_CHANNELS_MAX + 1), -1);
	ck_assert_str_eq(error + strlen(path),
	    ":2049: expected 1024 [channel PATTERN] at most");
}
END_TEST

START_TEST(shapes_are_bounded)
{
	static const char *const form[] = {"[stream /",
	    "]\nallow=a\nformat=envelope\nquery_format=\nenvelope=n", ":data"};

	ck_assert_int_eq(try_blocks(form, CONFIG_SHAPES_MAX - 2), 0);
	ck_assert_uint_eq(config.shape_count, CONFIG_SHAPES_MAX);
	config_finish(&config);
	ck_assert_int_eq(try_blocks(form, CONFIG_SHAPES_MAX - 1), -1);
	ck_assert_str_eq(error + strlen(path),
	    ":155: [stream /30] envelope: expected 32 ways to write events "
	    "at most, in all streams");
}
END_TEST

START_TEST(every_key_of_a_block_is_printed)
{
	static char text[1 << 16];
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_ptr_nonnull(out);
	config_print_settings(out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_ptr_nonnull(strstr(text, "\n\n[stream PATH]\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "\n\n[publisher user|group NAME]\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n\n[channel PATTERN]\n"));
	for (size_t i = 0; i < CONFIG_STREAM_SETTING_COUNT; i++) {
		char expected[600];

		snprintf(expected, sizeof(expected), "\n%s = %s\n    %s\n",
		    config_stream_settings[i].key,
		    config_stream_settings[i].preset,
		    config_stream_settings[i].sentence);
		ck_assert_ptr_nonnull(strstr(text, expected));
	}
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("config_block");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_stream_is_there_by_itself);
	tcase_add_test(tests, with_tokens_that_stream_gives_nothing_by_itself);
	tcase_add_test(tests, a_block_for_it_takes_its_place);
	tcase_add_test(tests, every_key_of_a_stream_is_read);
	tcase_add_test(tests, shapes_are_numbered_and_equal_ones_shared);
	tcase_add_test(tests, users_and_groups_are_found_by_name_and_by_number);
	tcase_add_test(tests, every_key_of_a_channel_is_read);
	tcase_add_test(tests, a_channel_has_the_most_exact_block);
	tcase_add_test(tests, an_override_makes_a_block_or_changes_one);
	tcase_add_loop_test(tests, a_fault_is_named_with_its_line, 0,
	    sizeof(faults) / sizeof(faults[0]));
	tcase_add_loop_test(tests, a_fault_of_an_override_is_named_with_it, 0,
	    sizeof(bad_overrides) / sizeof(bad_overrides[0]));
	tcase_add_test(tests, blocks_are_bounded);
	tcase_add_test(tests, shapes_are_bounded);
	tcase_add_test(tests, every_key_of_a_block_is_printed);
	return suite_run("config_block", tests);
}
