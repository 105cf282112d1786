/* Tests of json_line: a line of -j is an event, exactly as it is written. */
#include "publisher-cli/json_line.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static char error[JSON_LINE_ERROR_SIZE];
static struct ssemux_pub_event event;
static char *line_copy;
static struct json_line *json_line;

static void
tear_down(void)
{
	json_line_free(json_line);
	free(line_copy);
	json_line = NULL;
	line_copy = NULL;
}

/* Reads the line from memory of just its size, without a NUL. */
static bool
take(const char *line)
{
	size_t len = strlen(line);

	tear_down();
	line_copy = malloc(len > 0 ? len : 1);
	ck_assert_ptr_nonnull(line_copy);
	memcpy(line_copy, line, len);
	event = (struct ssemux_pub_event){.size = sizeof(event)};
	error[0] = '\0';
	json_line = json_line_read(line_copy, len, &event, error);
	return json_line != NULL;
}

static void
assert_data(enum ssemux_pub_data data_is, const char *data)
{
	ck_assert_int_eq(event.data_is, data_is);
	ck_assert_uint_eq(event.data_bytes, strlen(data));
	ck_assert_mem_eq(event.data, data, strlen(data));
}

START_TEST(all_members_are_taken)
{
	ck_assert(take("{\"channel\":\"a:b\",\"type\":\"t\",\"key\":\"k\","
		       "\"data\":{\"x\":1}}"));
	ck_assert_str_eq(event.channel, "a:b");
	ck_assert_str_eq(event.type, "t");
	ck_assert_str_eq(event.key, "k");
	assert_data(SSEMUX_PUB_JSON, "{\"x\":1}");
}
END_TEST

START_TEST(only_the_channel_must_be_there)
{
	ck_assert(take(" { \"channel\" : \"a\" } "));
	ck_assert_ptr_null(event.type);
	ck_assert_ptr_null(event.key);
	ck_assert_uint_eq(event.data_bytes, 0);
	ck_assert(!take("{\"data\":1}"));
	ck_assert_str_eq(error, "\"channel\" is missing");
}
END_TEST

START_TEST(what_a_line_does_not_say_stays)
{
	struct ssemux_pub_event given = {
	    .size = sizeof(given), .channel = "c", .type = "t", .key = "k"};

	json_line = json_line_read("{\"key\":null}", 12, &given, error);
	ck_assert_ptr_nonnull(json_line);
	ck_assert_str_eq(given.channel, "c");
	ck_assert_str_eq(given.type, "t");
	ck_assert_ptr_null(given.key);
}
END_TEST

/* Data that are any JSON value but a string are passed on byte for byte. */
static const char *const values[] = {"19.990", "0", "-0", "1E+2", "null",
    "true", "false", "[]", "{}", "123456789012345678901234567890",
    "9007199254740993", "[1, 2 ,\t3]", "{ \"a\" : \"}\" }",
    "{\"s\":\"\\\"]}\",\"t\":[\"{[\\\\\"]}", "[[[{\"a\":[]}]],\"\"]",
    "{\"\xC3\xA4\":\"\\u00e4\"}"};

START_TEST(values_stay_as_they_are_written)
{
	char line[256];

	snprintf(line, sizeof(line),
	    "{\"channel\":\"a\",\"data\":%s,\"key\":\"k\"}", values[_i]);
	ck_assert_msg(take(line), "%s", error);
	assert_data(SSEMUX_PUB_JSON, values[_i]);
	snprintf(line, sizeof(line), "{ \"data\" : %s , \"channel\":\"a\"}",
	    values[_i]);
	ck_assert_msg(take(line), "%s", error);
	assert_data(SSEMUX_PUB_JSON, values[_i]);
	snprintf(line, sizeof(line),
	    "{\"type\":\"\\\"data\\\":7\",\"channel\":\"a\",\"data\":%s}",
	    values[_i]);
	ck_assert_msg(take(line), "%s", error);
	assert_data(SSEMUX_PUB_JSON, values[_i]);
}
END_TEST

START_TEST(a_string_becomes_text_that_stays_text)
{
	ck_assert(take("{\"channel\":\"a\",\"data\":\"{\\\"x\\\":1}\\n\"}"));
	assert_data(SSEMUX_PUB_TEXT, "{\"x\":1}\n");
	ck_assert(take("{\"channel\":\"a\",\"data\":\"\"}"));
	assert_data(SSEMUX_PUB_TEXT, "");
	ck_assert(take("{\"channel\":\"a\",\"data\":\"\\uD83D\\uDE00\"}"));
	assert_data(SSEMUX_PUB_TEXT, "\xF0\x9F\x98\x80");
}
END_TEST

START_TEST(a_nul_in_a_text_is_kept)
{
	ck_assert(take("{\"channel\":\"a\",\"data\":\"x\\u0000y\"}"));
	ck_assert_uint_eq(event.data_bytes, 3);
	ck_assert_mem_eq(event.data, "x\0y", 3);
}
END_TEST

START_TEST(a_name_may_be_written_with_escapes)
{
	ck_assert(take("{\"ch\\u0061nnel\":\"a\",\"key\":\"k\","
		       "\"d\\u0061t\\u0061\":[1]}"));
	ck_assert_str_eq(event.channel, "a");
	assert_data(SSEMUX_PUB_JSON, "[1]");
}
END_TEST

static const struct {
	const char *line;
	const char *error; /* what the message contains */
} broken[] = {
    {"", "not JSON"},
    {"{", "not JSON"},
    {"x", "not JSON"},
    {"{\"channel\":\"a\"} x", "not JSON"},
    {"{\"channel\":\"a\"}{}", "not JSON"},
    {"{\"channel\":\"a\",}", "not JSON"},
    {"{'channel':'a'}", "not JSON"},
    {"{\"channel\":\"a\",\"data\":01}", "not JSON"},
    {"{\"channel\":\"a\",\"data\":nul}", "not JSON"},
    {"{\"channel\":\"\xFF\"}", "not JSON"},
    {"{\"channel\":\"a\",\"data\":\"\\uD83D\"}", "not JSON"},
    {"{\"channel\":\"a\",\"channel\":\"b\"}", "duplicate"},
    {"{\"channel\":\"a\",\"data\":{\"x\":1,\"x\":2}}", "duplicate"},
    {"[]", "not a JSON object"},
    {"\"a\"", "not JSON"},
    {"{\"channel\":1}", "\"channel\" is not a string"},
    {"{\"channel\":null}", "\"channel\" is not a string"},
    {"{\"channel\":\"a\\u0000\"}", "\"channel\" contains NUL"},
    {"{\"channel\":\"a\",\"type\":7}", "\"type\" is not a string"},
    {"{\"channel\":\"a\",\"key\":[]}", "\"key\" is not a string"},
    {"{\"channel\":\"a\",\"chanel\":\"b\"}", "no member \"chanel\""},
    {"{\"channel\":\"a\",\"Data\":\"b\"}", "no member \"Data\""},
};

START_TEST(a_broken_line_is_refused_with_a_reason)
{
	ck_assert(!take(broken[_i].line));
	ck_assert_msg(strstr(error, broken[_i].error) != NULL, "'%s' in '%s'",
	    broken[_i].error, error);
}
END_TEST

START_TEST(a_line_cut_off_anywhere_is_broken)
{
	static const char whole[] = "{\"channel\":\"a\",\"data\":[1,{\"b\":"
				    "\"\\\"}\"}],\"key\":\"k\"}";
	char part[sizeof(whole)];

	ck_assert(take(whole));
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		memcpy(part, whole, len);
		part[len] = '\0';
		ck_assert(!take(part));
	}
}
END_TEST

START_TEST(a_very_deep_line_is_refused)
{
	static char line[100000];
	size_t len = (size_t)snprintf(
	    line, sizeof(line), "{\"channel\":\"a\",\"data\":");

	memset(line + len, '[', 50000);
	ck_assert(!take(line));
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("json_line");
	TCase *tests = tcase_create("json_line");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, all_members_are_taken);
	tcase_add_test(tests, only_the_channel_must_be_there);
	tcase_add_test(tests, what_a_line_does_not_say_stays);
	tcase_add_loop_test(
	    tests, values_stay_as_they_are_written, 0, COUNT(values));
	tcase_add_test(tests, a_string_becomes_text_that_stays_text);
	tcase_add_test(tests, a_nul_in_a_text_is_kept);
	tcase_add_test(tests, a_name_may_be_written_with_escapes);
	tcase_add_loop_test(
	    tests, a_broken_line_is_refused_with_a_reason, 0, COUNT(broken));
	tcase_add_test(tests, a_line_cut_off_anywhere_is_broken);
	tcase_add_test(tests, a_very_deep_line_is_refused);
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
