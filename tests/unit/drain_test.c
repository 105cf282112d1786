/* Tests of drain: how many streams may stay. */
#include "broker/worker/drain.h"

#include "tests/unit/suite.h"

enum { SPREAD_US = 10000000 };

START_TEST(all_may_stay_at_first_and_none_in_the_end)
{
	ck_assert_uint_eq(drain_may_stay(500, 0, SPREAD_US), 500);
	ck_assert_uint_eq(drain_may_stay(500, SPREAD_US - 1, SPREAD_US), 1);
	ck_assert_uint_eq(drain_may_stay(500, SPREAD_US, SPREAD_US), 0);
	ck_assert_uint_eq(drain_may_stay(500, UINT64_MAX, SPREAD_US), 0);
	ck_assert_uint_eq(drain_may_stay(0, 0, SPREAD_US), 0);
}
END_TEST

START_TEST(each_goes_as_long_after_the_one_before)
{
	for (uint64_t gone = 1; gone <= 50; gone++) {
		uint64_t at_us = gone * SPREAD_US / 50;

		ck_assert_uint_eq(
		    drain_may_stay(50, at_us - 1, SPREAD_US), 50 - gone + 1);
		ck_assert_uint_eq(
		    drain_may_stay(50, at_us, SPREAD_US), 50 - gone);
	}
}
END_TEST

START_TEST(a_single_one_has_all_the_time)
{
	ck_assert_uint_eq(drain_may_stay(1, 1, SPREAD_US), 1);
	ck_assert_uint_eq(drain_may_stay(1, SPREAD_US - 1, SPREAD_US), 1);
}
END_TEST

START_TEST(very_many_over_the_longest_time_are_no_overflow)
{
	ck_assert_uint_eq(
	    drain_may_stay(67108864, 1800000000, 3600000000), 33554432);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("drain");

	tcase_add_test(tests, all_may_stay_at_first_and_none_in_the_end);
	tcase_add_test(tests, each_goes_as_long_after_the_one_before);
	tcase_add_test(tests, a_single_one_has_all_the_time);
	tcase_add_test(tests, very_many_over_the_longest_time_are_no_overflow);
	return suite_run("drain", tests);
}
