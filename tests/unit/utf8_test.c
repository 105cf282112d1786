/* Tests of utf8: exactly what RFC 3629 allows. */
#include "protocol/utf8.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

/* The UTF-8 of a code point below 0x110000, surrogates too. */
static size_t
encode(uint32_t point, char *out)
{
	static const uint8_t heads[] = {0, 0, 0xC0, 0xE0, 0xF0};
	size_t len = point < 0x80      ? 1
		     : point < 0x800   ? 2
		     : point < 0x10000 ? 3
				       : 4;

	for (size_t i = len - 1; i > 0; i--, point >>= 6)
		out[i] = (char)(0x80 | (point & 0x3F));
	out[0] = (char)(heads[len] | point);
	return len;
}

/* At every offset from a machine word, so that each path is taken. */
static bool
valid_anywhere(const char *text, size_t len)
{
	char padded[64];
	bool valid = utf8_valid(text, len);

	for (size_t before = 0; before < 12; before++) {
		memset(padded, 'a', sizeof(padded));
		memcpy(padded + before, text, len);
		ck_assert_int_eq(utf8_valid(padded, before + len), valid);
		ck_assert_int_eq(utf8_valid(padded, 40), valid);
	}
	return valid;
}

START_TEST(every_code_point_is_valid_and_no_surrogate_is)
{
	char text[4];

	for (uint32_t point = 0; point < 0x110000; point++) {
		size_t len = encode(point, text);
		bool surrogate = point >= 0xD800 && point < 0xE000;

		ck_assert_msg(
		    utf8_valid(text, len) == !surrogate, "U+%04X", point);
	}
}
END_TEST

/* The count of valid sequences among all of two and three bytes says that
 * none too many is accepted. */
START_TEST(no_other_two_or_three_bytes_are_valid)
{
	unsigned twos = 0, threes = 0;

	for (unsigned i = 0x8000; i < 0x10000; i++) {
		char text[2] = {(char)(i >> 8), (char)i};

		if ((i & 0x80) != 0)
			twos += utf8_valid(text, 2);
	}
	for (unsigned i = 0x800000; i < 0x1000000; i++) {
		char text[3] = {(char)(i >> 16), (char)(i >> 8), (char)i};

		if ((i & 0x8080) == 0x8080)
			threes += utf8_valid(text, 3);
	}
	ck_assert_uint_eq(twos, 0x800 - 0x80);
	ck_assert_uint_eq(threes, 0x10000 - 0x800 - 0x800);
}
END_TEST

static const char *const good[] = {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF",
    "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
    "\xEF\xBB\xBF", /* a byte order mark */
    "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "\xF0\x9F\x98\x80 and text",
    "text\xC3\xA4"};

START_TEST(good_text_is_valid_wherever_it_stands)
{
	ck_assert(valid_anywhere(good[_i], strlen(good[_i])));
}
END_TEST

static const char *const bad[] = {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF",
    "\xC2", "\xC2 ", "\xC2\xC2\x80", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE0\xA0",
    "\xED\xA0\x80", "\xED\xBF\xBF", "\xE1\x80\x7F", "\xE1\x80\xC0",
    "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80", "\xF4\x90\x80\x80",
    "\xF5\x80\x80\x80", "\xF8\x88\x80\x80\x80", "\xFE", "\xFF", "\xF0\x9F\x98",
    "\xF1\x80\x80\xC0", "\xF1\x80\x41\x80"};

START_TEST(bad_text_is_invalid_wherever_it_stands)
{
	ck_assert(!valid_anywhere(bad[_i], strlen(bad[_i])));
}
END_TEST

START_TEST(nul_is_a_character_like_others)
{
	ck_assert(utf8_valid("a\0b", 3));
	ck_assert(!utf8_valid("a\0\xFF", 3));
}
END_TEST

/* A reader that looked past the end would find the sequence complete. */
START_TEST(a_sequence_cut_off_by_the_end_is_invalid)
{
	static const char text[] = "aaaaaaaaaaaa\xF0\x9F\x98\x80";

	for (size_t len = 13; len < 16; len++)
		ck_assert(!utf8_valid(text, len));
	ck_assert(utf8_valid(text, 16));
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("utf8");
	TCase *tests = tcase_create("utf8");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, every_code_point_is_valid_and_no_surrogate_is);
	tcase_add_test(tests, no_other_two_or_three_bytes_are_valid);
	tcase_add_loop_test(
	    tests, good_text_is_valid_wherever_it_stands, 0, COUNT(good));
	tcase_add_loop_test(
	    tests, bad_text_is_invalid_wherever_it_stands, 0, COUNT(bad));
	tcase_add_test(tests, nul_is_a_character_like_others);
	tcase_add_test(tests, a_sequence_cut_off_by_the_end_is_invalid);
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
