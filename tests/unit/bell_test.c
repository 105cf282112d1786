/* Tests of bell: who is rung for, and when. That no wake-up is lost between
 * processes is in board_test. */
#include "broker/shared/bell.h"

#include <unistd.h>

#include "tests/unit/suite.h"

enum { WORKERS = 4 };

static struct board board;
static int board_fd;
static int bells[WORKERS];

static void
set_up(void)
{
	ck_assert_int_eq(board_create(&board, WORKERS, &board_fd), 0);
	for (int i = 0; i < WORKERS; i++) {
		bells[i] = bell_create();
		ck_assert_int_ne(bells[i], -1);
	}
}

static void
tear_down(void)
{
	for (int i = 0; i < WORKERS; i++)
		close(bells[i]);
	close(board_fd);
}

/* The board as that worker has it. */
static struct board
board_of(size_t worker)
{
	struct board own = board;

	own.own = (struct board_page *)((char *)board.own +
					(BOARD_FIRST_WORKER + worker) *
					    board.page_bytes);
	return own;
}

static void
assert_rung(uint64_t expected)
{
	uint64_t rung = 0, count;

	for (int i = 0; i < WORKERS; i++) {
		if (read(bells[i], &count, sizeof(count)) == sizeof(count))
			rung |= UINT64_C(1) << i;
	}
	ck_assert_uint_eq(rung, expected);
}

START_TEST(those_who_sleep_are_told_apart_by_their_streams)
{
	struct board second = board_of(1), third = board_of(2);
	struct board fourth = board_of(3);
	struct bell_sleepers sleepers;

	board_set(&second, METRIC_STREAMS, 7);
	board_set(&third, METRIC_STREAMS, 7);
	bell_sleep(&second);
	bell_sleep(&fourth);
	sleepers = bell_find_sleepers(&board, WORKERS);
	ck_assert_uint_eq(sleepers.serving, 1 << 1);
	ck_assert_uint_eq(sleepers.idle, 1 << 3);
	board_set(&second, METRIC_STREAMS, 0);
	board_set(&fourth, METRIC_STREAMS, 1);
	bell_wake(&second);
	sleepers = bell_find_sleepers(&board, WORKERS);
	ck_assert_uint_eq(sleepers.serving, 1 << 3);
	ck_assert_uint_eq(sleepers.idle, 0);
}
END_TEST

START_TEST(only_those_are_rung_for_who_are_meant)
{
	struct board first = board_of(0), second = board_of(1);

	bell_ring_workers(bells, 0);
	assert_rung(0);
	bell_ring_workers(bells, 1 << 0 | 1 << 3);
	assert_rung(1 << 0 | 1 << 3);
	board_set(&second, METRIC_STREAMS, 7);
	bell_sleep(&first);
	bell_sleep(&second);
	bell_ring_sleepers(&board, bells, WORKERS);
	assert_rung(1 << 0 | 1 << 1);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("bell");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, those_who_sleep_are_told_apart_by_their_streams);
	tcase_add_test(tests, only_those_are_rung_for_who_are_meant);
	return suite_run("bell", tests);
}
