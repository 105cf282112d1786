/* Tests of board and bell, with the processes that they are for. */
#include "broker/shared/board.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/shared/bell.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { WORKERS = 3, ROUNDS = 30000 };

static struct board board;
static int board_fd;

static void
set_up(void)
{
	ck_assert_int_eq(board_create(&board, WORKERS, &board_fd), 0);
}

static void
tear_down(void)
{
	close(board_fd);
}

/* Runs work() in a child that owns the page; its wait status. */
static int
run_as(size_t page, void (*work)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (board_confine(&board, board_fd, page) == -1)
			_exit(1);
		work();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

static void
count_some(void)
{
	board_set_alive(&board);
	board_add(&board, METRIC_DELIVERIES, 10);
	board_add(&board, METRIC_STREAMS, 5);
	board_subtract(&board, METRIC_STREAMS, 2);
	board_set(&board, METRIC_CONNECTIONS, 7);
	board_set_read(&board, 1000);
	bell_sleep(&board);
}

START_TEST(what_a_process_counts_is_seen_by_all_and_summed)
{
	for (size_t i = 0; i < WORKERS; i++)
		ck_assert_int_eq(run_as(BOARD_FIRST_WORKER + i, count_some), 0);
	ck_assert_uint_eq(
	    board_get(&board, BOARD_FIRST_WORKER + 1, METRIC_STREAMS), 3);
	ck_assert_uint_eq(board_sum(&board, METRIC_STREAMS), 3 * WORKERS);
	ck_assert_uint_eq(board_sum(&board, METRIC_DELIVERIES), 10 * WORKERS);
	ck_assert_uint_eq(board_get(&board, BOARD_HUB, METRIC_STREAMS), 0);
	ck_assert(board_alive(&board, BOARD_FIRST_WORKER));
	ck_assert(board_sleeping(&board, BOARD_FIRST_WORKER));
	ck_assert(!board_alive(&board, BOARD_HUB));
}
END_TEST

START_TEST(when_its_owner_has_ended_gauges_fall_and_counters_stay)
{
	ck_assert_int_eq(run_as(BOARD_FIRST_WORKER, count_some), 0);
	board_owner_ended(&board, BOARD_FIRST_WORKER);
	ck_assert_uint_eq(board_sum(&board, METRIC_STREAMS), 0);
	ck_assert_uint_eq(board_sum(&board, METRIC_CONNECTIONS), 0);
	ck_assert_uint_eq(board_sum(&board, METRIC_DELIVERIES), 10);
	ck_assert(!board_alive(&board, BOARD_FIRST_WORKER));
	ck_assert(!board_sleeping(&board, BOARD_FIRST_WORKER));
	/* The next owner goes on counting. */
	ck_assert_int_eq(run_as(BOARD_FIRST_WORKER, count_some), 0);
	ck_assert_uint_eq(board_sum(&board, METRIC_DELIVERIES), 20);
	ck_assert_uint_eq(board_sum(&board, METRIC_STREAMS), 3);
}
END_TEST

static const struct board_page *
page_at(size_t page)
{
	const char *first = (const char *)board.pages;

	return (const void *)(first + page * board.page_bytes);
}

static void
write_to_neighbour(void)
{
	signal(SIGSEGV, SIG_DFL);
	((struct board_page *)(uintptr_t)page_at(BOARD_HUB))->alive = 1;
}

START_TEST(nobody_can_write_the_page_of_another)
{
	int status = run_as(BOARD_FIRST_WORKER, write_to_neighbour);

	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
	ck_assert_ptr_eq(mmap(NULL, board.page_bytes, PROT_READ | PROT_WRITE,
			     MAP_SHARED, board_fd, 0),
	    MAP_FAILED);
}
END_TEST

START_TEST(every_metric_has_a_name_a_kind_and_a_sentence)
{
	for (int i = 0; i < METRIC_COUNT; i++) {
		const char *name = metric_name((enum metric)i);
		const char *kind = metric_kind((enum metric)i);
		bool total = strlen(name) > 6 &&
			     strcmp(name + strlen(name) - 6, "_total") == 0;

		ck_assert_str_eq(kind, total ? "counter" : "gauge");
		ck_assert_uint_gt(strlen(metric_sentence((enum metric)i)), 10);
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(name, metric_name((enum metric)j));
	}
}
END_TEST

/* --- receipts --- */

static void
tally_some(void)
{
	board_set_alive(&board);
	board_tally(&board, 5, 1);
	board_tally(&board, 5, 2);
	board_tally(&board, 6, 1);
	board_tally(&board, 5 + BOARD_TALLIES, 40);
	board_tally(&board, 7, 100);
	board_set_read(&board, 1000);
}

START_TEST(tallies_of_one_receipt_add_up_over_all_workers)
{
	for (size_t i = 0; i < WORKERS; i++)
		ck_assert_int_eq(run_as(BOARD_FIRST_WORKER + i, tally_some), 0);
	ck_assert_uint_eq(board_tally_sum(&board, 6).written, WORKERS);
	ck_assert_uint_eq(board_tally_sum(&board, 7).written, 100 * WORKERS);
	/* The newer one took the place of the older one. */
	ck_assert_uint_eq(board_tally_sum(&board, 5).written, 0);
	ck_assert_uint_eq(
	    board_tally_sum(&board, 5 + BOARD_TALLIES).written, 40 * WORKERS);
	/* What was handed out before a death was handed out. */
	board_owner_ended(&board, BOARD_FIRST_WORKER + 1);
	ck_assert_uint_eq(board_tally_sum(&board, 7).written, 100 * WORKERS);
}
END_TEST

static void
tally_rest(void)
{
	board_tally(&board, 5, 2);
	board_tally_rest(&board, 5, 3, 4);
	board_tally_late(&board, 5);
	board_tally_rest(&board, 5, -1, -1);
	board_tally_rest(&board, 6, 1, 1);
	board_tally_rest(&board, 6, -2, -2); /* never below 0 */
	board_tally_late(&board, 6);
	board_tally_rest(&board, 7 + BOARD_TALLIES, 9, 9);
	board_tally(&board, 7, 1);
}

static void
assert_counts(
    uint32_t receipt, uint64_t written, uint64_t lagging, uint64_t filtered)
{
	struct board_counts counts = board_tally_sum(&board, receipt);

	ck_assert_uint_eq(counts.written, written);
	ck_assert_uint_eq(counts.lagging, lagging);
	ck_assert_uint_eq(counts.filtered, filtered);
}

START_TEST(who_lags_or_does_not_take_it_is_counted_while_its_worker_lives)
{
	ck_assert_int_gt(WORKERS, 1);
	for (size_t i = 0; i < WORKERS; i++)
		ck_assert_int_eq(run_as(BOARD_FIRST_WORKER + i, tally_rest), 0);
	assert_counts(5, 3 * WORKERS, 1 * WORKERS, 3 * WORKERS);
	assert_counts(6, WORKERS, 0, 0);
	assert_counts(7, WORKERS, 0, 0);
	board_owner_ended(&board, BOARD_FIRST_WORKER + 1);
	assert_counts(5, 3 * WORKERS, WORKERS - 1, 3 * (WORKERS - 1));
}
END_TEST

static void
open_some(void)
{
	board_close_receipts(&board);
	board_open_receipt(&board, 7, 700, BOARD_WRITTEN_ALONE);
	board_open_receipt(&board, 5, 500, BOARD_ALL_COUNTS);
	board_open_receipt(&board, 9, 900, BOARD_ALL_COUNTS);
	board_open_receipt(&board, 5 + BOARD_TALLIES, 1500, BOARD_ALL_COUNTS);
	board_close_receipt(&board, 9);
	board_close_receipt(&board, 5); /* another has its place */
}

START_TEST(open_receipts_are_found_by_number_and_by_event)
{
	ck_assert_uint_eq(board_oldest_receipt(&board), UINT64_MAX);
	ck_assert_int_eq(run_as(BOARD_HUB, open_some), 0);
	ck_assert_uint_eq(board_oldest_receipt(&board), 700);
	ck_assert(board_receipt_open(&board, 7));
	ck_assert(board_receipt_open(&board, 5 + BOARD_TALLIES));
	ck_assert(!board_receipt_open(&board, 5));
	ck_assert(!board_receipt_open(&board, 9));
	ck_assert(board_receipt_detailed(&board, 5 + BOARD_TALLIES));
	ck_assert(!board_receipt_detailed(&board, 5));
	ck_assert(!board_receipt_detailed(&board, 7));
	ck_assert(!board_receipt_detailed(&board, 9));
	ck_assert_uint_eq(board_receipt_of(&board, 700), 7);
	ck_assert_uint_eq(board_receipt_of(&board, 1500), 5 + BOARD_TALLIES);
	ck_assert_uint_eq(board_receipt_of(&board, 500), 0);
	ck_assert_uint_eq(board_receipt_of(&board, 900), 0);
}
END_TEST

START_TEST(all_have_read_when_each_live_worker_has)
{
	ck_assert_uint_eq(
	    board_unread(&board, 1), 0); /* none is there to wait for */
	for (size_t i = 0; i < WORKERS; i++)
		ck_assert_int_eq(run_as(BOARD_FIRST_WORKER + i, tally_some), 0);
	ck_assert_uint_eq(board_unread(&board, 1000), 0);
	ck_assert_uint_eq(board_unread(&board, 1001), WORKERS);
	for (size_t i = 0; i < WORKERS; i++)
		board_owner_ended(&board, BOARD_FIRST_WORKER + i);
	ck_assert_uint_eq(board_unread(&board, 1001), 0);
}
END_TEST

/* --- revocations --- */

static void
withdraw_some(void)
{
	board_set_alive(&board);
	board_withdraw(&board, 8, 1);
	board_withdraw(&board, 9, 2);
	board_withdraw(&board, 9 + BOARD_WITHDRAWALS, 30);
	board_set_revocation(&board, 9 + BOARD_WITHDRAWALS);
}

static void
show_revocation(void)
{
	board_set_revocation(&board, 50);
}

START_TEST(streams_told_of_a_revocation_add_up_over_live_workers)
{
	for (size_t i = 0; i < WORKERS; i++)
		ck_assert_int_eq(
		    run_as(BOARD_FIRST_WORKER + i, withdraw_some), 0);
	ck_assert_uint_eq(board_withdrawn(&board, 8), WORKERS);
	ck_assert_uint_eq(board_withdrawn(&board, 9), 0); /* a newer one */
	ck_assert_uint_eq(
	    board_withdrawn(&board, 9 + BOARD_WITHDRAWALS), 30 * WORKERS);
	board_owner_ended(&board, BOARD_FIRST_WORKER);
	ck_assert_uint_eq(board_withdrawn(&board, 8), WORKERS - 1);
}
END_TEST

START_TEST(only_live_workers_are_waited_for)
{
	uint64_t number = 9 + BOARD_WITHDRAWALS;

	ck_assert_uint_eq(board_unrevoked(&board, number), 0);
	for (size_t i = 0; i < WORKERS; i++)
		ck_assert_int_eq(
		    run_as(BOARD_FIRST_WORKER + i, withdraw_some), 0);
	ck_assert_uint_eq(board_unrevoked(&board, number), 0);
	ck_assert_uint_eq(board_unrevoked(&board, number + 1), WORKERS);
	board_owner_ended(&board, BOARD_FIRST_WORKER + 1);
	ck_assert_uint_eq(board_unrevoked(&board, number + 1), WORKERS - 1);
	/* The next owner has yet to read. */
	ck_assert_int_eq(run_as(BOARD_FIRST_WORKER + 1, count_some), 0);
	ck_assert_uint_eq(board_unrevoked(&board, number), 1);
}
END_TEST

START_TEST(the_hub_shows_the_newest_revocation)
{
	ck_assert_uint_eq(board_newest_revocation(&board), 0);
	ck_assert_int_eq(run_as(BOARD_HUB, show_revocation), 0);
	ck_assert_uint_eq(board_newest_revocation(&board), 50);
}
END_TEST

/* --- the bell --- */

static _Atomic uint64_t *work; /* shared: how much there is */
static _Atomic uint64_t *done; /* shared: how much was seen */
static int bell;

/* Sleeps whenever there is nothing to do, as a worker does. */
static void
sleep_and_work(void)
{
	uint64_t seen = 0;

	while (seen < ROUNDS) {
		uint64_t now = atomic_load(work);

		if (now > seen) {
			seen = now;
			atomic_store(done, seen);
			continue;
		}
		bell_sleep(&board);
		if (atomic_load_explicit(work, memory_order_relaxed) == seen) {
			struct pollfd poll_fd = {.fd = bell, .events = POLLIN};

			if (poll(&poll_fd, 1, 5000) != 1)
				_exit(2); /* a wake-up was lost */
			bell_silence(bell);
		}
		bell_wake(&board);
	}
}

/* Waits until that much is done, and then a moment of ever another length, so
 * that the next work comes just when the other one falls asleep. */
static void
await_done(pid_t child, uint64_t amount)
{
	static uint64_t state = 57721566;
	volatile size_t moment = sample_below(&state, 300);

	siginfo_t ended = {.si_pid = 0};

	for (uint64_t i = 1; atomic_load(done) < amount; i++) {
		if (i % 100000 == 0)
			waitid(P_PID, (id_t)child, &ended,
			    WEXITED | WNOHANG | WNOWAIT);
		if (ended.si_pid == child)
			return;
	}
	while (moment > 0)
		moment--;
}

START_TEST(no_wake_up_is_lost)
{
	pid_t child;
	int status;

	work = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(work, MAP_FAILED);
	done = work + 64;
	bell = bell_create();
	child = fork();
	if (child == 0) {
		if (board_confine(&board, board_fd, BOARD_FIRST_WORKER) == -1)
			_exit(1);
		sleep_and_work();
		_exit(0);
	}
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		atomic_store_explicit(work, i, memory_order_release);
		bell_ring_sleepers(&board, &bell, 1);
		await_done(child, i);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	close(bell);
	munmap((void *)(uintptr_t)work, 4096);
}
END_TEST

START_TEST(a_bell_can_be_rung_any_number_of_times)
{
	struct pollfd poll_fd = {.fd = bell_create(), .events = POLLIN};

	ck_assert_int_eq(poll(&poll_fd, 1, 0), 0);
	for (int i = 0; i < 1000; i++)
		bell_ring(poll_fd.fd);
	ck_assert_int_eq(poll(&poll_fd, 1, 0), 1);
	bell_silence(poll_fd.fd);
	ck_assert_int_eq(poll(&poll_fd, 1, 0), 0);
	bell_silence(poll_fd.fd);
	close(poll_fd.fd);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("board");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_a_process_counts_is_seen_by_all_and_summed);
	tcase_add_test(
	    tests, when_its_owner_has_ended_gauges_fall_and_counters_stay);
	tcase_add_test(tests, nobody_can_write_the_page_of_another);
	tcase_add_test(tests, every_metric_has_a_name_a_kind_and_a_sentence);
	tcase_add_test(tests, tallies_of_one_receipt_add_up_over_all_workers);
	tcase_add_test(tests,
	    who_lags_or_does_not_take_it_is_counted_while_its_worker_lives);
	tcase_add_test(tests, open_receipts_are_found_by_number_and_by_event);
	tcase_add_test(tests, all_have_read_when_each_live_worker_has);
	tcase_add_test(
	    tests, streams_told_of_a_revocation_add_up_over_live_workers);
	tcase_add_test(tests, only_live_workers_are_waited_for);
	tcase_add_test(tests, the_hub_shows_the_newest_revocation);
	tcase_add_test(tests, no_wake_up_is_lost);
	tcase_add_test(tests, a_bell_can_be_rung_any_number_of_times);
	return suite_run("board", tests);
}
