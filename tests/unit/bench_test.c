/* bench_test: the load generator reads strictly, and counts what is wrong. */
#include <stdlib.h>
#include <string.h>

#include "tests/bench/answer.h"
#include "tests/bench/tally.h"
#include "tests/bench/wire.h"
#include "tests/unit/suite.h"

/* What has come of these numbers, one after the other. */
static struct tally
tally_of(struct tally_slot *slot, const uint64_t *numbers, size_t count)
{
	struct tally tally = {.events = 0};

	for (size_t i = 0; i < count; i++)
		tally_take(&tally, slot, numbers[i]);
	return tally;
}

#define TALLY_OF(slot, ...) \
	tally_of(slot, (uint64_t[]){__VA_ARGS__}, \
	    sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void
assert_tally(const struct tally *tally, uint64_t fresh, uint64_t missing,
    uint64_t doubled, uint64_t swapped, uint64_t late)
{
	ck_assert_uint_eq(tally->fresh, fresh);
	ck_assert_uint_eq(tally->missing, missing);
	ck_assert_uint_eq(tally->doubled, doubled);
	ck_assert_uint_eq(tally->swapped, swapped);
	ck_assert_uint_eq(tally->late, late);
	ck_assert_uint_eq(
	    tally_faults(tally), missing + doubled + swapped + late);
}

START_TEST(what_comes_in_order_is_no_fault)
{
	struct tally_slot slot = {0};
	struct tally tally = TALLY_OF(&slot, 1, 2, 3, 4);

	tally_settle(&tally, &slot, 4);
	assert_tally(&tally, 4, 0, 0, 0, 0);
}
END_TEST

START_TEST(missing_ones_are_counted_within_and_at_the_end)
{
	struct tally_slot slot = {0};
	struct tally tally = TALLY_OF(&slot, 1, 4, 5);

	assert_tally(&tally, 3, 2, 0, 0, 0);
	tally_settle(&tally, &slot, 8);
	assert_tally(&tally, 3, 5, 0, 0, 0);
	/* Once. */
	tally_settle(&tally, &slot, 8);
	assert_tally(&tally, 3, 5, 0, 0, 0);
}
END_TEST

START_TEST(doubled_ones_are_counted_near_and_far)
{
	struct tally_slot slot = {0};
	struct tally tally = {.events = 0};

	for (uint64_t number = 1; number <= 200; number++)
		tally_take(&tally, &slot, number);
	assert_tally(&tally, 200, 0, 0, 0, 0);
	tally_take(&tally, &slot, 200);
	tally_take(&tally, &slot, 137);
	tally_take(&tally, &slot, 1);
	assert_tally(&tally, 200, 0, 3, 0, 0);
	ck_assert_uint_eq(tally.events, 203);
}
END_TEST

START_TEST(what_comes_behind_a_higher_one_is_not_missing_but_out_of_order)
{
	struct tally_slot slot = {0};
	struct tally tally = TALLY_OF(&slot, 1, 3, 2, 5, 6, 4, 4);

	assert_tally(&tally, 6, 0, 1, 2, 0);
}
END_TEST

START_TEST(what_was_given_up_stays_missing_and_is_late)
{
	struct tally_slot slot = {0};
	struct tally before = TALLY_OF(&slot, 1, 3), after;

	tally_settle(&before, &slot, 4);
	assert_tally(&before, 2, 2, 0, 0, 0);
	after = TALLY_OF(&slot, 2, 5, 4, 4, 6);
	assert_tally(&after, 2, 0, 1, 0, 2);
	tally_add(&after, &before);
	assert_tally(&after, 4, 2, 1, 0, 2);
}
END_TEST

START_TEST(a_time_that_cannot_be_is_counted_and_not_measured)
{
	struct tally tally = {.events = 0};

	tally_time(&tally, 1000, 1000, 1000);
	tally_time(&tally, 1000, 1040, 1000);
	ck_assert_uint_eq(tally_faults(&tally), 0);
	tally_time(&tally, 1041, 1040, 1000); /* in the future */
	tally_time(&tally, 999, 1040, 1000);  /* before all began */
	ck_assert_uint_eq(tally.untimely, 2);
	ck_assert_uint_eq(tally_faults(&tally), 2);
	ck_assert_uint_eq(tally.longest, 40);
	ck_assert_uint_eq(tally_quantile(&tally, 1000), 40);
}
END_TEST

/* Times from 1 ns to a minute, each half as often as the one before. */
START_TEST(quantiles_are_within_two_hundredths)
{
	static struct tally tally;

	for (uint64_t ns = 1; ns <= UINT64_C(60000000000);
	     ns = ns * 3 / 2 + 1) {
		uint64_t found;

		memset(&tally, 0, sizeof(tally));
		tally_time(&tally, 0, ns, 0);
		found = tally_quantile(&tally, 500);
		ck_assert_uint_eq(found, ns); /* not beyond the longest */
		tally_time(&tally, 0, 2 * ns, 0);
		found = tally_quantile(&tally, 500);
		ck_assert_uint_ge(found, ns);
		ck_assert_uint_le(found, ns + ns / 50);
	}
	memset(&tally, 0, sizeof(tally));
	for (uint64_t ns = 1; ns <= 1000; ns++)
		tally_time(&tally, 0, ns * 1000, 0);
	ck_assert_uint_ge(tally_quantile(&tally, 500), 500000);
	ck_assert_uint_le(tally_quantile(&tally, 500), 510000);
	ck_assert_uint_ge(tally_quantile(&tally, 990), 990000);
	ck_assert_uint_le(tally_quantile(&tally, 990), 1010000);
}
END_TEST

START_TEST(a_mark_is_read_back)
{
	const struct wire_mark mark = {42, 7, UINT64_C(1763700000000000)};
	struct wire_mark seen = {0};
	static char data[PLAN_EVENT_MAX];
	size_t len = wire_write_event(&mark, 200, data);

	ck_assert_uint_eq(len, 200);
	data[len] = '\0';
	ck_assert(wire_read_mark(data, &seen));
	ck_assert_mem_eq(&seen, &mark, sizeof(mark));
	data[wire_write_order(&mark, data)] = '\0';
	memset(&seen, 0, sizeof(seen));
	ck_assert(wire_read_mark(data, &seen));
	ck_assert_mem_eq(&seen, &mark, sizeof(mark));
	ck_assert(!wire_read_mark("connected", &seen));
	ck_assert(!wire_read_mark("@", &seen));
	ck_assert(!wire_read_mark("@1 2", &seen));
	ck_assert(!wire_read_mark("@1 2 3", &seen));
}
END_TEST

static void
add_body(const char *bytes, size_t len, void *context)
{
	strncat(context, bytes, len);
}

/* The body, when it is read at once and byte by byte. */
static enum answer_place
read_answer(const char *wire, const char *body)
{
	char seen[100] = "";
	struct answer whole = {.status = 0}, bytes = {.status = 0};

	answer_take(&whole, wire, strlen(wire), add_body, seen);
	ck_assert_str_eq(seen, body);
	seen[0] = '\0';
	for (const char *at = wire; *at != '\0'; at++)
		answer_take(&bytes, at, 1, add_body, seen);
	ck_assert_str_eq(seen, body);
	ck_assert_int_eq(whole.place, bytes.place);
	return whole.place;
}

#define HEAD "HTTP/1.1 200 OK\r\n"
#define CHUNKED HEAD "transfer-encoding:chunked \r\n\r\n"

START_TEST(an_answer_is_read_in_whatever_pieces)
{
	ck_assert_int_eq(
	    read_answer(HEAD "A: b\r\n\r\n1\r\n", "1\r\n"), ANSWER_PLAIN);
	ck_assert_int_eq(
	    read_answer(
		CHUNKED "3\r\nabc\r\n0B\r\n01234567890\r\n", "abc01234567890"),
	    ANSWER_CHUNK_SIZE);
	ck_assert_int_eq(
	    read_answer(CHUNKED "1\r\nx\r\n0\r\n\r\n", "x"), ANSWER_ENDED);
}
END_TEST

START_TEST(what_is_no_answer_is_broken)
{
	static const char *const heads[] = {"\r\n", "HTTP/1.1\r\n",
	    "HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 20000 OK\r\n", "HTTP/2 200\r\n",
	    "data: x\n\n"};
	static const char *const bodies[] = {CHUNKED "x\r\n", CHUNKED "\r\n",
	    CHUNKED "123456789\r\n", CHUNKED "-1\r\n", CHUNKED "1;x\r\n"};

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		ck_assert_int_eq(read_answer(heads[i], ""), ANSWER_BROKEN);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
		ck_assert_int_eq(read_answer(bodies[i], ""), ANSWER_BROKEN);
	/* A chunk that is longer than it says. */
	ck_assert_int_eq(
	    read_answer(CHUNKED "2\r\nabc\r\n", "ab"), ANSWER_BROKEN);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("bench");

	tcase_add_test(tests, what_comes_in_order_is_no_fault);
	tcase_add_test(tests, missing_ones_are_counted_within_and_at_the_end);
	tcase_add_test(tests, doubled_ones_are_counted_near_and_far);
	tcase_add_test(tests,
	    what_comes_behind_a_higher_one_is_not_missing_but_out_of_order);
	tcase_add_test(tests, what_was_given_up_stays_missing_and_is_late);
	tcase_add_test(
	    tests, a_time_that_cannot_be_is_counted_and_not_measured);
	tcase_add_test(tests, quantiles_are_within_two_hundredths);
	tcase_add_test(tests, a_mark_is_read_back);
	tcase_add_test(tests, an_answer_is_read_in_whatever_pieces);
	tcase_add_test(tests, what_is_no_answer_is_broken);
	return suite_run("bench", tests);
}
