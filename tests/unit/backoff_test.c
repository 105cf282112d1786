/* Tests of backoff: delays within their bounds, and spread. */
#include "libpub/backoff.h"

#include <check.h>
#include <stdlib.h>

START_TEST(the_bound_doubles_up_to_the_most)
{
	static const uint32_t bounds[] = {
	    50, 100, 200, 400, 800, 1600, 2000, 2000, 2000};
	struct backoff backoff;

	backoff_init(&backoff, 50, 2000, (uint64_t)_i);
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		uint32_t delay_ms;

		ck_assert_uint_eq(backoff.bound_ms, bounds[i]);
		delay_ms = backoff_next(&backoff);
		ck_assert_uint_ge(delay_ms, 1);
		ck_assert_uint_le(delay_ms, bounds[i]);
	}
	backoff_reset(&backoff);
	ck_assert_uint_le(backoff_next(&backoff), 50);
}
END_TEST

START_TEST(the_largest_bounds_do_not_overflow)
{
	struct backoff backoff;

	backoff_init(&backoff, INT32_MAX - 1, INT32_MAX, 1);
	for (int i = 0; i < 5; i++)
		ck_assert_uint_le(backoff_next(&backoff), INT32_MAX);
	backoff_init(&backoff, 1, 1, 1);
	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(backoff_next(&backoff), 1);
}
END_TEST

/* Many who are cut off at once come back spread over the time. */
START_TEST(delays_of_different_seeds_are_spread)
{
	int tenths[10] = {0};

	for (uint64_t seed = 1; seed <= 10000; seed++) {
		struct backoff backoff;

		backoff_init(
		    &backoff, 1000, 1000, seed * UINT64_C(0x9E3779B97F4A7C15));
		tenths[(backoff_next(&backoff) - 1) / 100]++;
	}
	for (int i = 0; i < 10; i++) {
		ck_assert_int_gt(tenths[i], 800);
		ck_assert_int_lt(tenths[i], 1200);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("backoff");
	TCase *tests = tcase_create("backoff");

	tcase_add_loop_test(tests, the_bound_doubles_up_to_the_most, 0, 100);
	tcase_add_test(tests, the_largest_bounds_do_not_overflow);
	tcase_add_test(tests, delays_of_different_seeds_are_spread);
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
