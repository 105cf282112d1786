/* Tests of lines: every line once, whole, as soon as it is there. */
#include "publisher-cli/lines.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct lines lines;
static int input; /* our end of the pipe */

static void
set_up(void)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	input = fds[1];
	lines_init(&lines, fds[0], 10);
}

static void
tear_down(void)
{
	lines_finish(&lines);
	close(lines.fd);
	if (input >= 0)
		close(input);
}

static void
feed(const char *text)
{
	ck_assert_int_eq(write(input, text, strlen(text)), strlen(text));
	ck_assert_int_eq(lines_read(&lines), 0);
}

static void
feed_end(void)
{
	close(input);
	input = -1;
	ck_assert_int_eq(lines_read(&lines), 0);
}

static void
assert_next(enum lines_next expected)
{
	const char *line;
	size_t len;

	ck_assert_int_eq(lines_next(&lines, &line, &len), expected);
}

static void
assert_line(uint64_t number, const char *text)
{
	const char *line;
	size_t len;

	ck_assert_int_eq(lines_next(&lines, &line, &len), LINES_LINE);
	ck_assert_uint_eq(lines.number, number);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_mem_eq(line, text, len);
}

START_TEST(a_line_comes_out_as_soon_as_it_ends)
{
	assert_next(LINES_WAIT);
	feed("on");
	assert_next(LINES_WAIT);
	feed("e\ntw");
	assert_line(1, "one");
	assert_next(LINES_WAIT);
	feed("o\n");
	assert_line(2, "two");
	assert_next(LINES_WAIT);
}
END_TEST

START_TEST(many_lines_of_one_read_come_out_one_by_one)
{
	feed("a\n\nb\r\n\n");
	assert_line(1, "a");
	assert_line(2, "");
	assert_line(3, "b\r");
	assert_line(4, "");
	assert_next(LINES_WAIT);
	feed_end();
	assert_next(LINES_END);
	assert_next(LINES_END);
}
END_TEST

START_TEST(the_last_line_may_lack_its_end)
{
	feed("a\nb");
	assert_line(1, "a");
	assert_next(LINES_WAIT);
	feed_end();
	assert_line(2, "b");
	assert_next(LINES_END);
}
END_TEST

START_TEST(an_empty_input_has_no_lines)
{
	feed_end();
	assert_next(LINES_END);
}
END_TEST

START_TEST(a_line_may_be_just_as_long_as_allowed)
{
	feed("0123456789\n01234567890\n0123456789");
	assert_line(1, "0123456789");
	assert_next(LINES_LONG);
	ck_assert_uint_eq(lines.number, 2);
	assert_next(LINES_WAIT);
	feed_end();
	assert_line(3, "0123456789");
}
END_TEST

/* It is reported when it is known to be too long, not at its end; and its
 * memory is bounded. */
START_TEST(an_endless_line_is_passed_over_in_bounded_memory)
{
	char piece[1001];

	memset(piece, 'x', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	feed("a\n01234567890");
	assert_line(1, "a");
	assert_next(LINES_LONG);
	for (int i = 0; i < 2000; i++) {
		feed(piece);
		assert_next(LINES_WAIT);
	}
	ck_assert_uint_le(lines.size, 200000);
	feed("\nafter\n");
	assert_line(3, "after");
}
END_TEST

START_TEST(a_long_line_at_the_end_is_reported_once)
{
	feed("01234567890");
	assert_next(LINES_LONG);
	feed("more");
	feed_end();
	assert_next(LINES_END);
	ck_assert_uint_eq(lines.number, 1);
}
END_TEST

START_TEST(a_nul_is_part_of_its_line)
{
	const char *line;
	size_t len;

	ck_assert_int_eq(write(input, "a\0b\n", 4), 4);
	ck_assert_int_eq(lines_read(&lines), 0);
	ck_assert_int_eq(lines_next(&lines, &line, &len), LINES_LINE);
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(line, "a\0b", 3);
}
END_TEST

/* Pieces of all sizes, so that lines lie across all places of the buffer. */
START_TEST(a_long_input_in_odd_pieces_comes_out_whole)
{
	static char text[200000];
	size_t len = 0, at = 0, piece = 1;
	uint64_t number = 0, taken = 0;

	lines.max = 4000;
	for (int i = 1; len < sizeof(text) - 5000; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%d %*s\n", i, i * 37 % 3900, "");
	while (at < len || taken < len) {
		const char *line;
		size_t line_len;

		if (lines_next(&lines, &line, &line_len) == LINES_LINE) {
			ck_assert_int_eq(strtol(line, NULL, 10), ++number);
			ck_assert_mem_eq(line, text + taken, line_len);
			taken += line_len + 1;
			continue;
		}
		piece = piece * 7 % 4001 + 1;
		if (piece > len - at)
			piece = len - at;
		ck_assert_int_eq(write(input, text + at, piece), piece);
		ck_assert_int_eq(lines_read(&lines), 0);
		at += piece;
	}
	ck_assert_uint_eq(lines.taken, len);
}
END_TEST

START_TEST(an_input_that_cannot_be_read_is_an_error)
{
	lines.fd = -1;
	ck_assert_int_eq(lines_read(&lines), -1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("lines");
	TCase *tests = tcase_create("lines");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_line_comes_out_as_soon_as_it_ends);
	tcase_add_test(tests, many_lines_of_one_read_come_out_one_by_one);
	tcase_add_test(tests, the_last_line_may_lack_its_end);
	tcase_add_test(tests, an_empty_input_has_no_lines);
	tcase_add_test(tests, a_line_may_be_just_as_long_as_allowed);
	tcase_add_test(tests, an_endless_line_is_passed_over_in_bounded_memory);
	tcase_add_test(tests, a_long_line_at_the_end_is_reported_once);
	tcase_add_test(tests, a_nul_is_part_of_its_line);
	tcase_add_test(tests, a_long_input_in_odd_pieces_comes_out_whole);
	tcase_add_test(tests, an_input_that_cannot_be_read_is_an_error);
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
