/* Tests of admission: how many begin, and when the others come back. */
#include "broker/worker/access/admission.h"

#include "tests/unit/suite.h"

enum { START_US = 77000000 };

static struct admission admission;

/* How many of so many that come at once are taken. */
static int
take(int comers, uint64_t now_us)
{
	int taken = 0;

	for (int i = 0; i < comers; i++)
		taken += admission_take(&admission, now_us);
	return taken;
}

START_TEST(a_burst_is_taken_at_once_and_no_more)
{
	admission_init(&admission, 10, 50);
	ck_assert_int_eq(take(80, START_US), 50);
	ck_assert_int_eq(take(80, START_US), 0);
}
END_TEST

START_TEST(an_empty_bucket_fills_at_its_rate)
{
	admission_init(&admission, 10, 50);
	take(50, START_US);
	ck_assert_int_eq(take(1, START_US + 99999), 0);
	ck_assert_int_eq(take(5, START_US + 100000), 1);
	ck_assert_int_eq(take(50, START_US + 1100000), 10);
}
END_TEST

START_TEST(a_bucket_never_holds_more_than_its_burst)
{
	admission_init(&admission, 10, 50);
	ck_assert_int_eq(take(1, START_US), 1);
	ck_assert_int_eq(take(1000, START_US + 3600 * 1000000ULL), 50);
}
END_TEST

START_TEST(without_a_rate_all_are_taken)
{
	admission_init(&admission, 0, 1);
	ck_assert_int_eq(take(100000, START_US), 100000);
	ck_assert_uint_eq(admission_wait_ms(&admission, START_US), 0);
}
END_TEST

START_TEST(the_largest_rate_and_burst_are_no_overflow)
{
	admission_init(&admission, 1000000, 100000000);
	ck_assert_int_eq(take(1000000, START_US), 1000000);
	admission_init(&admission, 1, 100000000);
	ck_assert_int_eq(take(1000000, UINT64_C(1) << 50), 1000000);
}
END_TEST

START_TEST(each_who_is_refused_is_told_to_wait_longer)
{
	admission_init(&admission, 10, 1);
	take(1, START_US);
	ck_assert_uint_eq(admission_wait_ms(&admission, START_US), 0);
	for (unsigned i = 1; i <= 100; i++) {
		ck_assert_int_eq(take(1, START_US), 0);
		ck_assert_uint_eq(
		    admission_wait_ms(&admission, START_US), i * 100);
	}
	/* It grows no longer than they come, and is over by itself. */
	ck_assert_uint_eq(
	    admission_wait_ms(&admission, START_US + 9000000), 1000);
	ck_assert_uint_eq(
	    admission_wait_ms(&admission, START_US + 10000000), 0);
	ck_assert_uint_eq(
	    admission_wait_ms(&admission, START_US + 99000000), 0);
}
END_TEST

/* All come at once; who is refused comes back when it was told to. */
START_TEST(a_crowd_that_does_as_it_is_told_gets_in_and_at_the_rate)
{
	enum { CROWD = 1000, RATE = 100, BURST = 20 };
	static uint64_t due_us[CROWD];
	int waiting = CROWD, refused = 0;
	uint64_t now_us = START_US;

	admission_init(&admission, RATE, BURST);
	for (int i = 0; i < CROWD; i++)
		due_us[i] = START_US;
	for (; waiting > 0; now_us += 1000) {
		ck_assert_uint_lt(now_us, START_US + 60000000);
		for (int i = 0; i < CROWD; i++) {
			if (due_us[i] > now_us)
				continue;
			if (admission_take(&admission, now_us)) {
				due_us[i] = UINT64_MAX;
				waiting--;
				continue;
			}
			refused++;
			due_us[i] = now_us + 1000 * admission_wait_ms(
							&admission, now_us);
		}
	}
	/* As fast as tokens came, and hardly anybody was told to twice. */
	ck_assert_uint_lt(
	    now_us - START_US, (CROWD - BURST + RATE) * 1000000ULL / RATE);
	ck_assert_int_lt(refused, CROWD + CROWD / 10);
}
END_TEST

START_TEST(a_delay_has_jitter_and_grows_with_the_wait)
{
	ck_assert_uint_eq(admission_retry_ms(2000, 0, 60000, 0), 2000);
	ck_assert_uint_eq(admission_retry_ms(2000, 0, 60000, 2000), 4000);
	ck_assert_uint_eq(admission_retry_ms(2000, 0, 60000, 2001), 2000);
	ck_assert_uint_eq(admission_retry_ms(2000, 30000, 60000, 5), 32005);
	ck_assert_uint_eq(admission_retry_ms(0, 0, 0, 12345), 0);
}
END_TEST

START_TEST(a_delay_is_bounded_but_not_the_same_for_all)
{
	uint32_t least = UINT32_MAX, most = 0;

	for (uint64_t random = 0; random < 100000; random += 7) {
		uint32_t delay =
		    admission_retry_ms(2000, 3600000, 60000, random);

		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
	}
	ck_assert_uint_ge(least, 30000);
	ck_assert_uint_lt(least, 31000);
	ck_assert_uint_le(most, 60000);
	ck_assert_uint_gt(most, 59000);
	/* The bound does not take the jitter away. */
	ck_assert_uint_eq(admission_retry_ms(2000, 0, 1, 2000), 4000);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("admission");

	tcase_add_test(tests, a_burst_is_taken_at_once_and_no_more);
	tcase_add_test(tests, an_empty_bucket_fills_at_its_rate);
	tcase_add_test(tests, a_bucket_never_holds_more_than_its_burst);
	tcase_add_test(tests, without_a_rate_all_are_taken);
	tcase_add_test(tests, the_largest_rate_and_burst_are_no_overflow);
	tcase_add_test(tests, each_who_is_refused_is_told_to_wait_longer);
	tcase_add_test(
	    tests, a_crowd_that_does_as_it_is_told_gets_in_and_at_the_rate);
	tcase_add_test(tests, a_delay_has_jitter_and_grows_with_the_wait);
	tcase_add_test(tests, a_delay_is_bounded_but_not_the_same_for_all);
	return suite_run("admission", tests);
}
