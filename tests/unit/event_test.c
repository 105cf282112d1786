/* Tests of event: what a publisher may offer, and what a pattern covers. */
#include "protocol/event.h"

#include <check.h>
#include <stdlib.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

enum { DATA_MAX = 100 };

static char long_text[EVENT_CHANNEL_MAX + 2];

static struct slice
long_of(size_t len)
{
	memset(long_text, 'a', sizeof(long_text));
	return slice_of(long_text, len);
}

static struct fault
check(struct event event, enum event_meaning meaning)
{
	if (event.channel.bytes == NULL)
		event.channel = slice_of_text("orders");
	return event_check(&event, meaning, DATA_MAX);
}

static void
assert_refused(struct event event, enum event_meaning meaning,
    enum refusal refusal, const char *field)
{
	struct fault fault = check(event, meaning);

	ck_assert_str_eq(refusal_code(fault.refusal), refusal_code(refusal));
	ck_assert_str_eq(fault.field, field);
}

static void
assert_taken(struct event event, enum event_meaning meaning)
{
	struct fault fault = check(event, meaning);

	ck_assert_str_eq(refusal_code(fault.refusal), "");
	ck_assert_ptr_null(fault.field);
}

START_TEST(channels_are_made_of_the_allowed_characters)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.:~@/-";

	for (int c = 0; c < 256; c++) {
		char text[2] = {(char)c, 'x'};
		bool is_allowed = c != 0 && strchr(allowed, c) != NULL;

		ck_assert_msg(
		    event_channel_valid(slice_of(text, 1)) == is_allowed,
		    "%d alone", c);
		ck_assert_msg(
		    event_channel_valid(slice_of(text, 2)) == is_allowed,
		    "%d first", c);
	}
}
END_TEST

START_TEST(channels_have_1_to_200_characters)
{
	ck_assert(!event_channel_valid(slice_of(NULL, 0)));
	ck_assert(event_channel_valid(long_of(1)));
	ck_assert(event_channel_valid(long_of(EVENT_CHANNEL_MAX)));
	ck_assert(!event_channel_valid(long_of(EVENT_CHANNEL_MAX + 1)));
}
END_TEST

static const struct {
	const char *pattern;
	bool valid;
} patterns[] = {{"*", true}, {"a", true}, {"a:*", true}, {"a:b:*", true},
    {"", false}, {":*", true}, {"a*", false}, {"*:a", false}, {"**", false},
    {"a:**", false}, {"a:*:b", false}, {"a b", false}, {"a:", true}};

START_TEST(a_pattern_is_a_channel_a_prefix_or_all)
{
	ck_assert_msg(event_pattern_valid(slice_of_text(
			  patterns[_i].pattern)) == patterns[_i].valid,
	    "%s", patterns[_i].pattern);
}
END_TEST

START_TEST(the_longest_prefix_is_a_pattern_too)
{
	char text[EVENT_CHANNEL_MAX + 2];

	memset(text, 'a', sizeof(text));
	text[EVENT_CHANNEL_MAX - 1] = ':';
	text[EVENT_CHANNEL_MAX] = '*';
	ck_assert(event_pattern_valid(slice_of(text, EVENT_CHANNEL_MAX + 1)));
}
END_TEST

static const struct {
	const char *pattern;
	const char *channel;
	bool covers;
} covers[] = {{"*", "a", true}, {"*", "a:b", true}, {"a", "a", true},
    {"a", "a:b", false}, {"a", "ab", false}, {"a:*", "a:b", true},
    {"a:*", "a:b:c", true}, {"a:*", "a", false}, {"a:*", "a:", true},
    {"a:*", "ab:c", false}, {"a:b:*", "a:c", false}, {"A", "a", false}};

START_TEST(a_pattern_covers_what_it_names)
{
	ck_assert_msg(
	    event_pattern_covers(slice_of_text(covers[_i].pattern),
		slice_of_text(covers[_i].channel)) == covers[_i].covers,
	    "%s %s", covers[_i].pattern, covers[_i].channel);
}
END_TEST

/* The n-th text of up to `max` characters of "a", "b" and ":"; its length, 0
 * when n is too large. */
static size_t
nth_text(char *text, size_t n, size_t max)
{
	size_t count = 3, len = 1;

	while (n >= count) {
		n -= count;
		count *= 3;
		if (++len > max)
			return 0;
	}
	for (size_t i = 0; i < len; i++, n /= 3)
		text[i] = "ab:"[n % 3];
	return len;
}

/* As above for patterns: "*", a channel, or a prefix. */
static struct slice
nth_pattern(char *text, size_t n)
{
	size_t len;

	if (n == 0)
		return slice_of("*", 1);
	len = nth_text(text, (n - 1) / 2, 3);
	if (len == 0 || n % 2 == 1)
		return slice_of(text, len);
	memcpy(text + len, ":*", 2);
	return slice_of(text, len + 2);
}

/* By definition, with every channel there can be of up to six characters. */
static bool
covers_all_of(struct slice wide, struct slice narrow)
{
	char text[8];
	size_t len;

	for (size_t i = 0; (len = nth_text(text, i, 6)) > 0; i++) {
		struct slice channel = slice_of(text, len);

		if (event_pattern_covers(narrow, channel) &&
		    !event_pattern_covers(wide, channel))
			return false;
	}
	return true;
}

START_TEST(a_pattern_covers_a_pattern_when_it_covers_all_its_channels)
{
	char wide_text[8], narrow_text[8];
	struct slice wide, narrow;
	size_t pairs = 0;

	for (size_t i = 0; (wide = nth_pattern(wide_text, i)).len > 0; i++) {
		for (size_t j = 0;
		     (narrow = nth_pattern(narrow_text, j)).len > 0; j++) {
			pairs++;
			ck_assert_msg(
			    event_pattern_covers_pattern(wide, narrow) ==
				covers_all_of(wide, narrow),
			    "%.*s %.*s", (int)wide.len, wide.bytes,
			    (int)narrow.len, narrow.bytes);
		}
	}
	ck_assert_uint_eq(pairs, 79 * 79);
}
END_TEST

START_TEST(a_bad_channel_is_refused_by_name)
{
	assert_refused((struct event){.channel = slice_of_text("a b")},
	    EVENT_GUESS, REFUSAL_CHANNEL, "channel");
}
END_TEST

/* type and key have the same bounds. */
START_TEST(labels_are_one_line_of_utf8)
{
	static const char *const broken[] = {
	    "a\nb", "a\rb", "\t", "\x01", "a\x7F", "\x1B[0m"};

	for (int i = 0; i < COUNT(broken); i++) {
		struct slice label = slice_of_text(broken[i]);

		assert_refused((struct event){.type = label}, EVENT_GUESS,
		    REFUSAL_TYPE, "type");
		assert_refused((struct event){.key = label}, EVENT_GUESS,
		    REFUSAL_KEY, "key");
	}
	assert_refused((struct event){.type = slice_of("a\0b", 3)}, EVENT_GUESS,
	    REFUSAL_TYPE, "type");
	assert_refused((struct event){.type = slice_of_text("\xFF")},
	    EVENT_GUESS, REFUSAL_UTF8, "type");
	assert_refused((struct event){.key = slice_of_text("\xC3")},
	    EVENT_GUESS, REFUSAL_UTF8, "key");
	assert_taken((struct event){.type = slice_of_text("\xC3\xA4 b"),
			 .key = slice_of_text("id: 1")},
	    EVENT_GUESS);
}
END_TEST

START_TEST(a_type_cannot_pass_for_a_control_event)
{
	static const char *const names[] = {"connected", "live", "resync",
	    "subscribed", "token-expiring", "revoked", "bye", "ping",
	    "snapshot"};

	for (int i = 0; i < COUNT(names); i++)
		assert_refused((struct event){.type = slice_of_text(names[i])},
		    EVENT_GUESS, REFUSAL_TYPE, "type");
	assert_taken((struct event){.type = slice_of_text("live.score"),
			 .key = slice_of_text("live")},
	    EVENT_GUESS);
}
END_TEST

START_TEST(labels_have_200_bytes_at_most)
{
	assert_taken(
	    (struct event){.type = long_of(EVENT_TYPE_MAX)}, EVENT_GUESS);
	assert_refused((struct event){.type = long_of(EVENT_TYPE_MAX + 1)},
	    EVENT_GUESS, REFUSAL_TYPE, "type");
	assert_taken(
	    (struct event){.key = long_of(EVENT_KEY_MAX)}, EVENT_GUESS);
	assert_refused((struct event){.key = long_of(EVENT_KEY_MAX + 1)},
	    EVENT_GUESS, REFUSAL_KEY, "key");
}
END_TEST

START_TEST(data_may_be_just_as_long_as_allowed)
{
	for (int meaning = EVENT_GUESS; meaning <= EVENT_AS_BYTES; meaning++) {
		if (meaning == EVENT_AS_JSON)
			continue;
		assert_taken((struct event){.data = long_of(DATA_MAX)},
		    (enum event_meaning)meaning);
		assert_refused((struct event){.data = long_of(DATA_MAX + 1)},
		    (enum event_meaning)meaning, REFUSAL_TOO_LARGE, "data");
	}
}
END_TEST

static const struct {
	const char *data;
	enum event_meaning meaning;
	enum refusal refusal;
	enum event_kind kind;
} meanings[] = {
    {"{\"a\":1}", EVENT_GUESS, REFUSAL_NONE, EVENT_JSON},
    {"[1]", EVENT_GUESS, REFUSAL_NONE, EVENT_JSON},
    {"{\"a\":1}", EVENT_AS_TEXT, REFUSAL_NONE, EVENT_TEXT},
    {"{\"a\":1", EVENT_GUESS, REFUSAL_NONE, EVENT_TEXT},
    {"1", EVENT_GUESS, REFUSAL_NONE, EVENT_TEXT},
    {"1", EVENT_AS_JSON, REFUSAL_NONE, EVENT_JSON},
    {"\"a\"", EVENT_AS_JSON, REFUSAL_NONE, EVENT_JSON},
    {"nope", EVENT_AS_JSON, REFUSAL_JSON, EVENT_TEXT},
    {"", EVENT_AS_JSON, REFUSAL_JSON, EVENT_TEXT},
    {"", EVENT_GUESS, REFUSAL_NONE, EVENT_TEXT},
    {"", EVENT_AS_BYTES, REFUSAL_NONE, EVENT_BYTES},
    {"\xFF", EVENT_GUESS, REFUSAL_UTF8, EVENT_TEXT},
    {"\xFF", EVENT_AS_TEXT, REFUSAL_UTF8, EVENT_TEXT},
    {"\"\xFF\"", EVENT_AS_JSON, REFUSAL_UTF8, EVENT_TEXT},
    {"\xFF", EVENT_AS_BYTES, REFUSAL_NONE, EVENT_BYTES},
    {"{}", EVENT_AS_BYTES, REFUSAL_NONE, EVENT_BYTES},
};

START_TEST(data_become_what_the_publisher_means)
{
	struct event event = {.channel = slice_of_text("a"),
	    .data = slice_of_text(meanings[_i].data)};
	struct fault fault =
	    event_check(&event, meanings[_i].meaning, DATA_MAX);

	ck_assert_str_eq(
	    refusal_code(fault.refusal), refusal_code(meanings[_i].refusal));
	if (fault.refusal == REFUSAL_NONE)
		ck_assert_int_eq(event.kind, meanings[_i].kind);
	else
		ck_assert_str_eq(fault.field, "data");
}
END_TEST

START_TEST(every_refusal_is_found_by_its_code)
{
	for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
		const char *code = refusal_code((enum refusal)i);

		ck_assert_int_eq(refusal_of_code(slice_of_text(code)), i);
		ck_assert_uint_gt(strlen(refusal_sentence((enum refusal)i)), 5);
	}
	ck_assert_int_eq(
	    refusal_of_code(slice_of_text("no-such-code")), REFUSAL_NONE);
	ck_assert_int_eq(refusal_of_code(slice_of(NULL, 0)), REFUSAL_NONE);
}
END_TEST

START_TEST(only_what_passes_by_itself_is_temporary)
{
	for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
		ck_assert_int_eq(refusal_is_temporary((enum refusal)i),
		    i == REFUSAL_FULL || i == REFUSAL_STORE ||
			i == REFUSAL_SHUTDOWN || i == REFUSAL_BUSY ||
			i == REFUSAL_TIMEOUT);
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("event");
	TCase *tests = tcase_create("event");

	tcase_add_test(tests, channels_are_made_of_the_allowed_characters);
	tcase_add_test(tests, channels_have_1_to_200_characters);
	tcase_add_loop_test(
	    tests, a_pattern_is_a_channel_a_prefix_or_all, 0, COUNT(patterns));
	tcase_add_test(tests, the_longest_prefix_is_a_pattern_too);
	tcase_add_loop_test(
	    tests, a_pattern_covers_what_it_names, 0, COUNT(covers));
	tcase_add_test(
	    tests, a_pattern_covers_a_pattern_when_it_covers_all_its_channels);
	tcase_add_test(tests, a_bad_channel_is_refused_by_name);
	tcase_add_test(tests, labels_are_one_line_of_utf8);
	tcase_add_test(tests, a_type_cannot_pass_for_a_control_event);
	tcase_add_test(tests, labels_have_200_bytes_at_most);
	tcase_add_test(tests, data_may_be_just_as_long_as_allowed);
	tcase_add_loop_test(
	    tests, data_become_what_the_publisher_means, 0, COUNT(meanings));
	tcase_add_test(tests, every_refusal_is_found_by_its_code);
	tcase_add_test(tests, only_what_passes_by_itself_is_temporary);
	suite_add_tcase(suite, tests);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
