/* Tests of buf: what was appended is what is held, and failure is sticky. */
#include "protocol/buf.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct buf buf;

static void
set_up(void)
{
	buf_init(&buf, 0);
}

static void
tear_down(void)
{
	buf_finish(&buf);
}

static void
assert_holds(const char *text)
{
	ck_assert_uint_eq(buf_length(&buf), strlen(text));
	ck_assert_mem_eq(buf_bytes(&buf), text, strlen(text));
}

START_TEST(a_new_buffer_is_empty_and_has_not_failed)
{
	ck_assert_uint_eq(buf_length(&buf), 0);
	ck_assert(!buf_failed(&buf));
}
END_TEST

START_TEST(appends_follow_each_other)
{
	buf_append(&buf, "ab", 2);
	buf_append_char(&buf, 'c');
	buf_append_text(&buf, "de");
	buf_printf(&buf, "%d-%s", 7, "x");
	buf_append(&buf, NULL, 0);
	assert_holds("abcde7-x");
}
END_TEST

START_TEST(consumed_bytes_are_gone_and_the_rest_stays)
{
	buf_append_text(&buf, "abcdef");
	buf_consume(&buf, 2);
	assert_holds("cdef");
	buf_append_text(&buf, "g");
	assert_holds("cdefg");
	buf_consume(&buf, 5);
	assert_holds("");
}
END_TEST

/* As a socket is served: much goes through, little is held. */
START_TEST(a_long_stream_goes_through_a_small_buffer)
{
	uint32_t written = 0, seen = 0;
	uint32_t number;

	while (seen < 100000) {
		for (int i = 0; i < 1 + (int)(seen % 7); i++, written++)
			buf_append(&buf, &written, sizeof(written));
		for (int i = 0; i < 1 + (int)(seen % 5) &&
				buf_length(&buf) > sizeof(number) * 20;
		     i++) {
			memcpy(&number, buf_bytes(&buf), sizeof(number));
			ck_assert_uint_eq(number, seen++);
			buf_consume(&buf, sizeof(number));
		}
		while (buf_length(&buf) > sizeof(number) * 60) {
			memcpy(&number, buf_bytes(&buf), sizeof(number));
			ck_assert_uint_eq(number, seen++);
			buf_consume(&buf, sizeof(number));
		}
	}
	ck_assert_uint_le(buf.size, 4096);
}
END_TEST

START_TEST(reserved_room_counts_only_what_is_committed)
{
	char *room = buf_reserve(&buf, 1000);

	ck_assert_ptr_nonnull(room);
	memcpy(room, "xyz", 3);
	buf_commit(&buf, 3);
	assert_holds("xyz");
}
END_TEST

START_TEST(the_cap_holds_to_the_byte)
{
	buf_init(&buf, 10);
	buf_append_text(&buf, "0123456789");
	ck_assert(!buf_failed(&buf));
	buf_append_char(&buf, 'x');
	ck_assert(buf_failed(&buf));
	assert_holds("0123456789");
}
END_TEST

START_TEST(the_cap_counts_what_is_held_not_what_went_through)
{
	buf_init(&buf, 10);
	for (int i = 0; i < 100; i++) {
		buf_append_text(&buf, "0123456789");
		buf_consume(&buf, 10);
	}
	ck_assert(!buf_failed(&buf));
}
END_TEST

START_TEST(a_failure_lasts_until_it_is_cleared)
{
	buf_init(&buf, 4);
	buf_append_text(&buf, "12345");
	ck_assert(buf_failed(&buf));
	buf_append_text(&buf, "1");
	buf_printf(&buf, "%d", 1);
	buf_append_char(&buf, '1');
	ck_assert_ptr_null(buf_reserve(&buf, 1));
	ck_assert_uint_eq(buf_length(&buf), 0);
	buf_clear(&buf);
	buf_append_text(&buf, "1234");
	assert_holds("1234");
}
END_TEST

START_TEST(a_size_that_would_overflow_fails_and_does_not_wrap)
{
	buf_append_text(&buf, "a");
	ck_assert_ptr_null(buf_reserve(&buf, SIZE_MAX));
	ck_assert(buf_failed(&buf));
	assert_holds("a");
}
END_TEST

START_TEST(an_empty_printf_appends_nothing)
{
	const char *nothing = "";

	buf_printf(&buf, "%s", nothing);
	ck_assert_uint_eq(buf_length(&buf), 0);
	ck_assert(!buf_failed(&buf));
}
END_TEST

START_TEST(finishing_nothing_and_finishing_twice_are_allowed)
{
	buf_finish(NULL);
	buf_append_text(&buf, "a");
	buf_finish(&buf);
	buf_finish(&buf);
	ck_assert_uint_eq(buf_length(&buf), 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("buf");
	TCase *tests = tcase_create("buf");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_new_buffer_is_empty_and_has_not_failed);
	tcase_add_test(tests, appends_follow_each_other);
	tcase_add_test(tests, consumed_bytes_are_gone_and_the_rest_stays);
	tcase_add_test(tests, a_long_stream_goes_through_a_small_buffer);
	tcase_add_test(tests, reserved_room_counts_only_what_is_committed);
	tcase_add_test(tests, the_cap_holds_to_the_byte);
	tcase_add_test(
	    tests, the_cap_counts_what_is_held_not_what_went_through);
	tcase_add_test(tests, a_failure_lasts_until_it_is_cleared);
	tcase_add_test(
	    tests, a_size_that_would_overflow_fails_and_does_not_wrap);
	tcase_add_test(tests, an_empty_printf_appends_nothing);
	tcase_add_test(
	    tests, finishing_nothing_and_finishing_twice_are_allowed);
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
