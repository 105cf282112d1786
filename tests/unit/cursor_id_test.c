/* Tests of cursor id: numbers, texts, and where a client wants to start. */
#include "protocol/cursor_id.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS UINT64_C(1763700000000)
#define SEQ_MAX ((UINT32_C(1) << CURSOR_ID_SEQ_BITS) - 1)
#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

START_TEST(a_later_time_starts_its_sequence_at_zero)
{
	uint64_t last = cursor_id_make(NOW_MS, 17);

	ck_assert_uint_eq(
	    cursor_id_next(last, NOW_MS + 1), cursor_id_make(NOW_MS + 1, 0));
	ck_assert_uint_eq(cursor_id_next(0, NOW_MS), cursor_id_make(NOW_MS, 0));
}
END_TEST

START_TEST(the_same_millisecond_counts_on)
{
	ck_assert_uint_eq(cursor_id_next(cursor_id_make(NOW_MS, 0), NOW_MS),
	    cursor_id_make(NOW_MS, 1));
}
END_TEST

START_TEST(a_clock_that_steps_back_counts_on_from_the_last)
{
	ck_assert_uint_eq(
	    cursor_id_next(cursor_id_make(NOW_MS, 5), NOW_MS - 3600000),
	    cursor_id_make(NOW_MS, 6));
	ck_assert_uint_eq(cursor_id_next(cursor_id_make(NOW_MS, 5), 0),
	    cursor_id_make(NOW_MS, 6));
}
END_TEST

START_TEST(a_full_sequence_carries_into_the_milliseconds)
{
	ck_assert_uint_eq(
	    cursor_id_next(cursor_id_make(NOW_MS, SEQ_MAX), NOW_MS),
	    cursor_id_make(NOW_MS + 1, 0));
}
END_TEST

static const struct {
	const char *text;
	uint64_t ms;
	uint32_t seq;
} texts[] = {
    {"0-0", 0, 0},
    {"1763700000000-0", NOW_MS, 0},
    {"1763700000000-1048575", NOW_MS, (1 << 20) - 1},
    {"1-10", 1, 10},
    {"8796093022207-1048575", (UINT64_C(1) << 43) - 1, (1 << 20) - 1},
};

START_TEST(text_and_number_are_the_same_cursor)
{
	uint64_t cursor = cursor_id_make(texts[_i].ms, texts[_i].seq);
	char text[CURSOR_ID_TEXT_SIZE];
	uint64_t parsed;

	ck_assert_uint_eq(
	    cursor_id_format(cursor, text), strlen(texts[_i].text));
	ck_assert_str_eq(text, texts[_i].text);
	ck_assert_int_eq(cursor_id_parse(text, strlen(text), &parsed), 0);
	ck_assert_uint_eq(parsed, cursor);
	ck_assert_uint_eq(cursor_id_ms(parsed), texts[_i].ms);
	ck_assert_uint_eq(cursor_id_seq(parsed), texts[_i].seq);
}
END_TEST

START_TEST(the_largest_number_fits_its_text)
{
	char text[CURSOR_ID_TEXT_SIZE];

	ck_assert_uint_lt(
	    cursor_id_format(UINT64_MAX, text), CURSOR_ID_TEXT_SIZE);
	ck_assert_str_eq(text, "17592186044415-1048575");
}
END_TEST

static const char *const broken[] = {"", "-", "1", "1-", "-1", "1763700000000",
    "01-0", "1-00", "1-01", "00-0", "+1-0", "1-+0", " 1-0", "1-0 ", "1 -0",
    "1-0-0", "1-1048576", "8796093022208-0", "99999999999999999999-0",
    "1-99999999999999999999", "0x1-0", "1-a", "a-1",
    "1\xE2\x80\x93"
    "0"};

START_TEST(anything_else_is_no_cursor)
{
	uint64_t cursor = 42;

	ck_assert_int_eq(
	    cursor_id_parse(broken[_i], strlen(broken[_i]), &cursor), -1);
	ck_assert_uint_eq(cursor, 42);
}
END_TEST

START_TEST(a_nul_inside_is_no_cursor)
{
	uint64_t cursor;

	ck_assert_int_eq(cursor_id_parse("1-0\0", 4, &cursor), -1);
	ck_assert_int_eq(cursor_id_parse("1-1234", 3, &cursor), 0);
	ck_assert_uint_eq(cursor, cursor_id_make(1, 1));
}
END_TEST

static const struct {
	const char *text;
	uint64_t ms;
} starts[] = {
    {"1763700000000-0", NOW_MS}, {"-10m", NOW_MS - 600000}, {"-0s", NOW_MS},
    {"-90s", NOW_MS - 90000}, {"-2h", NOW_MS - 7200000},
    {"-3d", NOW_MS - 3 * 86400000},
    {"-999999999d", 0}, /* before the beginning */
    {"1970-01-01T00:00:00Z", 0}, {"2025-11-21T04:40:00Z", NOW_MS},
    {"2025-11-21T04:40:00.250Z", NOW_MS + 250},
    {"2025-11-21T04:40:00.2509999Z", NOW_MS + 250},
    {"2025-11-21T04:40:00.1Z", NOW_MS + 100},
    {"2025-11-21T06:40:00+02:00", NOW_MS},
    {"2025-11-20T23:10:00-05:30", NOW_MS},
    {"2024-02-29T00:00:00Z", UINT64_C(1709164800000)},
    {"2000-02-29T12:00:00Z", UINT64_C(951825600000)},
    {"2016-12-31T23:59:60Z", UINT64_C(1483228800000)}, /* a leap second */
};

START_TEST(a_start_is_a_cursor_or_a_time)
{
	uint64_t cursor;

	ck_assert_int_eq(cursor_id_parse_since(starts[_i].text,
			     strlen(starts[_i].text), NOW_MS, &cursor),
	    0);
	ck_assert_uint_eq(cursor, cursor_id_make(starts[_i].ms, 0));
}
END_TEST

START_TEST(now_is_the_end_of_the_log)
{
	uint64_t cursor;

	ck_assert_int_eq(cursor_id_parse_since("now", 3, NOW_MS, &cursor), 0);
	ck_assert_uint_eq(cursor, UINT64_MAX);
}
END_TEST

static const char *const no_starts[] = {"", "Now", "now ", "-", "-m", "-10",
    "10m", "-10M", "-10w", "-1.5h", "--1m", "-10mm", "-9999999999s",
    "2025-11-21", "2025-11-21T04:40Z", "2025-11-21T04:40:00",
    "2025-11-21 04:40:00Z", "2025-13-21T04:40:00Z", "2025-00-21T04:40:00Z",
    "2025-11-31T04:40:00Z", "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
    "2025-11-00T04:40:00Z", "2025-11-21T24:00:00Z", "2025-11-21T04:60:00Z",
    "2025-11-21T04:40:61Z", "2025-11-21T04:40:00.Z", "2025-11-21T04:40:00z",
    "2025-11-21T04:40:00+2:00", "2025-11-21T04:40:00+24:00",
    "2025-11-21T04:40:00+02:60", "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+00:01", "2025-11-21T04:40:00ZZ",
    "02025-11-21T04:40:00Z", "9999-12-31T23:59:59Z"};

START_TEST(anything_else_is_no_start)
{
	uint64_t cursor;

	ck_assert_int_eq(cursor_id_parse_since(no_starts[_i],
			     strlen(no_starts[_i]), NOW_MS, &cursor),
	    -1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("cursor_id");
	TCase *tests = tcase_create("cursor_id");

	tcase_add_test(tests, a_later_time_starts_its_sequence_at_zero);
	tcase_add_test(tests, the_same_millisecond_counts_on);
	tcase_add_test(tests, a_clock_that_steps_back_counts_on_from_the_last);
	tcase_add_test(tests, a_full_sequence_carries_into_the_milliseconds);
	tcase_add_loop_test(
	    tests, text_and_number_are_the_same_cursor, 0, COUNT(texts));
	tcase_add_test(tests, the_largest_number_fits_its_text);
	tcase_add_loop_test(
	    tests, anything_else_is_no_cursor, 0, COUNT(broken));
	tcase_add_test(tests, a_nul_inside_is_no_cursor);
	tcase_add_loop_test(
	    tests, a_start_is_a_cursor_or_a_time, 0, COUNT(starts));
	tcase_add_test(tests, now_is_the_end_of_the_log);
	tcase_add_loop_test(
	    tests, anything_else_is_no_start, 0, COUNT(no_starts));
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
