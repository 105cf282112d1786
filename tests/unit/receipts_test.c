/* Tests of receipts: each is answered once, in order, when it is complete or
 * due. Publishers are played by the test. */
#include "broker/hub/receipts.h"

#include <unistd.h>

#include "broker/hub/publisher.h"
#include "tests/unit/suite.h"

enum { DEADLINE_MS = 1000 };

struct publisher {
	uint64_t answered[BOARD_TALLIES * 2];
	uint64_t clients[BOARD_TALLIES * 2];
	size_t count;
	size_t flushed;
	int flushes;
	struct board_counts last; /* of all counts */
	uint64_t late;
};

static struct publisher publishers[2];
static struct receipts receipts;
static struct board board, worker;
static int board_fd;

void
publisher_receipt(struct publisher *publisher, uint64_t seq, uint64_t notified)
{
	publisher->answered[publisher->count] = seq;
	publisher->clients[publisher->count++] = notified;
}

void
publisher_receipt_counts(struct publisher *publisher, uint64_t seq,
    const struct board_counts *counts, uint64_t late)
{
	publisher_receipt(publisher, seq, counts->written);
	publisher->last = *counts;
	publisher->late = late;
}

void
publisher_flush(struct publisher *publisher)
{
	publisher->flushed = publisher->count;
	publisher->flushes++;
}

static void
set_up(void)
{
	memset(publishers, 0, sizeof(publishers));
	receipts_init(&receipts, 1000);
	ck_assert_int_eq(board_create(&board, 1, &board_fd), 0);
	worker = board;
	worker.own =
	    (struct board_page *)((char *)board.own +
				  BOARD_FIRST_WORKER * board.page_bytes);
	board_set_alive(&worker);
}

static void
tear_down(void)
{
	close(board_fd);
}

static uint32_t
open_at(struct publisher *publisher, uint64_t seq, uint64_t position)
{
	uint32_t number = receipts_open(
	    &receipts, publisher, seq, BOARD_WRITTEN_ALONE, DEADLINE_MS);

	receipts_placed(&receipts, position);
	return number;
}

START_TEST(a_receipt_is_answered_when_the_worker_has_read_so_far)
{
	uint32_t number = open_at(&publishers[0], 7, 100);

	ck_assert(receipts_answer(&receipts, &board, 0));
	board_tally(&worker, number, 2);
	board_tally(&worker, number, 1);
	board_set_read(&worker, 99);
	ck_assert(receipts_answer(&receipts, &board, 0));
	ck_assert_uint_eq(publishers[0].count, 0);
	board_set_read(&worker, 100);
	ck_assert(!receipts_answer(&receipts, &board, 0));
	ck_assert_uint_eq(publishers[0].count, 1);
	ck_assert_uint_eq(publishers[0].flushed, 1);
	ck_assert_uint_eq(publishers[0].answered[0], 7);
	ck_assert_uint_eq(publishers[0].clients[0], 3);
}
END_TEST

/* The second one has gone before the last of them. */
START_TEST(answers_that_follow_each_other_are_sent_together)
{
	static const size_t whose[] = {0, 0, 0, 1, 1, 0, 0, 1};

	for (uint64_t i = 0; i < 8; i++)
		open_at(&publishers[whose[i]], i + 1, 100);
	receipts.open[7].publisher = NULL;
	board_set_read(&worker, 100);
	ck_assert(!receipts_answer(&receipts, &board, 0));
	ck_assert_uint_eq(publishers[0].flushed, 5);
	ck_assert_int_eq(publishers[0].flushes, 2);
	ck_assert_uint_eq(publishers[1].flushed, 2);
	ck_assert_int_eq(publishers[1].flushes, 1);
}
END_TEST

START_TEST(what_nobody_got_is_answered_with_none)
{
	board_tally(&worker, 1001 - BOARD_TALLIES, 50); /* long ago */
	open_at(&publishers[0], 7, 100);
	board_set_read(&worker, 100);
	ck_assert(!receipts_answer(&receipts, &board, 0));
	ck_assert_uint_eq(publishers[0].clients[0], 0);
}
END_TEST

START_TEST(a_receipt_whose_place_is_unknown_is_never_complete)
{
	receipts_open(
	    &receipts, &publishers[0], 1, BOARD_WRITTEN_ALONE, DEADLINE_MS);
	board_set_read(&worker, UINT64_MAX);
	ck_assert(receipts_answer(&receipts, &board, DEADLINE_MS + 1));
	ck_assert_uint_eq(publishers[0].count, 0);
	receipts_placed(&receipts, 5);
	ck_assert(!receipts_answer(&receipts, &board, 0));
	ck_assert_uint_eq(publishers[0].count, 1);
}
END_TEST

START_TEST(what_is_due_is_answered_with_what_was_counted)
{
	uint32_t number = open_at(&publishers[0], 1, 100);

	board_tally(&worker, number, 4);
	ck_assert(receipts_answer(&receipts, &board, DEADLINE_MS - 1));
	ck_assert(!receipts_answer(&receipts, &board, DEADLINE_MS));
	ck_assert_uint_eq(publishers[0].clients[0], 4);
}
END_TEST

START_TEST(nobody_waits_for_a_worker_that_has_ended)
{
	open_at(&publishers[0], 1, 100);
	board_owner_ended(&board, BOARD_FIRST_WORKER);
	ck_assert(!receipts_answer(&receipts, &board, 0));
	ck_assert_uint_eq(publishers[0].count, 1);
}
END_TEST

START_TEST(answers_come_in_order_to_those_they_belong_to)
{
	for (uint64_t i = 0; i < BOARD_TALLIES; i++) {
		uint32_t number = open_at(&publishers[i % 2], i, 10 * (i + 1));

		board_tally(&worker, number, (uint32_t)i);
	}
	ck_assert(!receipts_room(&receipts, 0));
	board_set_read(&worker, 505);
	ck_assert(receipts_answer(&receipts, &board, 0));
	ck_assert_uint_eq(publishers[0].count, 25);
	ck_assert_uint_eq(publishers[1].count, 25);
	ck_assert(receipts_room(&receipts, 49));
	ck_assert(!receipts_room(&receipts, 50));
	board_set_read(&worker, 100000);
	ck_assert(!receipts_answer(&receipts, &board, 0));
	for (size_t i = 0; i < BOARD_TALLIES; i++) {
		ck_assert_uint_eq(publishers[i % 2].answered[i / 2], i);
		ck_assert_uint_eq(publishers[i % 2].clients[i / 2], i);
	}
}
END_TEST

START_TEST(who_has_gone_gets_no_answer)
{
	open_at(&publishers[0], 1, 100);
	open_at(&publishers[1], 2, 200);
	open_at(&publishers[0], 3, 300);
	receipts_drop(&receipts, &publishers[0]);
	board_set_read(&worker, 1000);
	ck_assert(!receipts_answer(&receipts, &board, 0));
	ck_assert_uint_eq(publishers[0].count, 0);
	ck_assert_uint_eq(publishers[1].count, 1);
}
END_TEST

START_TEST(numbers_go_round_and_never_are_0)
{
	receipts_init(&receipts, UINT32_MAX - 5);
	board_set_read(&worker, 1000);
	for (uint64_t i = 0; i < 10; i++) {
		uint32_t number = open_at(&publishers[0], i, 1);

		ck_assert_uint_ne(number, 0);
		board_tally(&worker, number, 1);
		ck_assert(!receipts_answer(&receipts, &board, 0));
		ck_assert_uint_eq(publishers[0].clients[i], 1);
	}
}
END_TEST

START_TEST(all_counts_say_who_was_not_asked_in_time)
{
	uint32_t number = receipts_open(
	    &receipts, &publishers[0], 7, BOARD_ALL_COUNTS, DEADLINE_MS);

	receipts_placed(&receipts, 100);
	board_tally(&worker, number, 2);
	ck_assert(!receipts_answer(&receipts, &board, DEADLINE_MS));
	ck_assert_uint_eq(publishers[0].last.written, 2);
	ck_assert_uint_eq(publishers[0].late, 1);
	number = receipts_open(
	    &receipts, &publishers[0], 8, BOARD_ALL_COUNTS, DEADLINE_MS);
	receipts_placed(&receipts, 200);
	board_tally_rest(&worker, number, 3, 4);
	board_set_read(&worker, 200);
	ck_assert(!receipts_answer(&receipts, &board, 0));
	ck_assert_uint_eq(publishers[0].last.lagging, 3);
	ck_assert_uint_eq(publishers[0].last.filtered, 4);
	ck_assert_uint_eq(publishers[0].late, 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("receipts");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(
	    tests, a_receipt_is_answered_when_the_worker_has_read_so_far);
	tcase_add_test(tests, answers_that_follow_each_other_are_sent_together);
	tcase_add_test(tests, what_nobody_got_is_answered_with_none);
	tcase_add_test(
	    tests, a_receipt_whose_place_is_unknown_is_never_complete);
	tcase_add_test(tests, what_is_due_is_answered_with_what_was_counted);
	tcase_add_test(tests, nobody_waits_for_a_worker_that_has_ended);
	tcase_add_test(tests, answers_come_in_order_to_those_they_belong_to);
	tcase_add_test(tests, who_has_gone_gets_no_answer);
	tcase_add_test(tests, numbers_go_round_and_never_are_0);
	tcase_add_test(tests, all_counts_say_who_was_not_asked_in_time);
	return suite_run("receipts", tests);
}
