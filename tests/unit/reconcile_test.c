/* Tests of reconcile: after a hub's start the ring goes on where the store
 * ends, whatever was in either. */
#include "broker/hub/reconcile.h"

#include "broker/hub/hub_state.h"
#include "broker/hub/store_write.h"
#include "broker/shared/bell.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/suite.h"

enum { RING_BYTES = 65536 };

static struct store_folder store;
static struct sample_event sample;
static struct heritage heritage;
static struct hub hub;
static int bell;
static struct ring_reader reader;

static void
set_up(void)
{
	store_folder_make(&store);
	heritage = (struct heritage){.workers = 1, .worker_bells = &bell};
	ck_assert_int_eq(
	    ring_create(&heritage.ring, RING_BYTES, &heritage.ring_fd), 0);
	ck_assert_int_eq(
	    board_create(&heritage.board, 1, &heritage.board_fd), 0);
	bell = bell_create();
	ck_assert_int_ne(bell, -1);
	hub = (struct hub){.heritage = &heritage, .store = store.writer};
	ck_assert_int_eq(batch_init(&hub.batch, 16), 0);
	ring_take_over(&heritage.ring);
	ring_attach(&heritage.ring, &reader);
}

static void
tear_down(void)
{
	batch_finish(&hub.batch);
	ring_unmap(&heritage.ring);
	close(heritage.ring_fd);
	close(heritage.board_fd);
	close(bell);
	store_folder_remove(&store);
}

/* Puts events into the store; what a hub commits. */
static void
commit(uint64_t first, uint64_t last, size_t data_len)
{
	ck_assert_int_eq(store_begin(store.writer), 0);
	if (store.publisher.id == 0)
		ck_assert_int_eq(store_make_publisher(store.writer,
				     slice_of_text("p"), &store.publisher),
		    0);
	for (; first <= last; first++)
		ck_assert_int_eq(store_add_event(&store,
				     sample_make(&sample, first, data_len),
				     &store.publisher, ++store.seq),
		    0);
	ck_assert_int_eq(store_commit(store.writer), 0);
}

/* And into the ring. */
static void
show(uint64_t first, uint64_t last, size_t data_len)
{
	for (; first <= last; first++)
		ring_write(&heritage.ring, sample_record(first, data_len));
	ring_publish(&heritage.ring);
}

/* Reads what comes up to `last`, from the cursor of the reader on. */
static void
assert_reads_to(uint64_t last)
{
	static _Alignas(RECORD_ALIGNMENT) char block[RING_BYTES];
	struct event event;
	size_t size;

	while (reader.cursor < last) {
		uint64_t before = reader.cursor;

		ck_assert_int_eq(ring_next_size(&heritage.ring, &reader, &size),
		    RING_RECORD);
		ck_assert_int_eq(
		    ring_copy_next(&heritage.ring, &reader, block, size),
		    RING_RECORD);
		event = record_event((const void *)block);
		ck_assert_uint_eq(event.cursor, before + 1);
		ck_assert(sample_intact(&event));
	}
	ck_assert_int_eq(
	    ring_next_size(&heritage.ring, &reader, &size), RING_EMPTY);
}

static void
assert_lapped(void)
{
	size_t size;

	ck_assert_int_eq(
	    ring_next_size(&heritage.ring, &reader, &size), RING_LAPPED);
	ring_attach(&heritage.ring, &reader);
}

/* A hub starts; then it goes on. */
static void
start_hub(uint64_t last)
{
	ck_assert_int_eq(reconcile_ring(&hub), 0);
	ck_assert_uint_eq(hub.last_cursor, last);
	ck_assert_uint_eq(ring_last_cursor(&heritage.ring), last);
}

START_TEST(an_empty_store_and_a_new_ring_agree)
{
	start_hub(0);
	assert_reads_to(0);
}
END_TEST

START_TEST(a_new_ring_gets_all_of_a_short_history)
{
	commit(1, 50, 20);
	start_hub(50);
	assert_reads_to(50);
}
END_TEST

START_TEST(a_new_ring_gets_the_newest_part_of_a_long_history)
{
	commit(1, 1000, 300);
	start_hub(1000);
	assert_lapped();
	ck_assert_uint_ge(reader.cursor, 900);
	ck_assert_uint_le(reader.cursor, 970);
	assert_reads_to(1000);
}
END_TEST

START_TEST(what_was_committed_and_not_shown_comes_next)
{
	commit(1, 20, 20);
	show(1, 20, 20);
	assert_reads_to(20);
	commit(21, 30, 50);
	/* The hub dies here, having begun to write. */
	ring_write(&heritage.ring, sample_record(21, 50));
	start_hub(30);
	assert_reads_to(30);
	commit(31, 40, 10);
	show(31, 40, 10);
	assert_reads_to(40);
}
END_TEST

START_TEST(a_ring_that_has_all_is_left_alone)
{
	commit(1, 20, 20);
	show(1, 20, 20);
	start_hub(20);
	assert_reads_to(20);
}
END_TEST

START_TEST(cursors_go_on_above_the_ring_when_the_store_lost_some)
{
	commit(1, 20, 20);
	show(1, 25, 20); /* the machine kept the ring and lost the disk's */
	start_hub(25);
	assert_reads_to(25);
}
END_TEST

START_TEST(what_is_not_in_the_ring_nor_in_the_store_laps_its_readers)
{
	const struct store_limits limits = {UINT64_MAX, 10, UINT64_MAX, 1000};

	commit(1, 20, 20);
	show(1, 20, 20);
	commit(21, 50, 20);
	ck_assert_int_eq(
	    store_trim(store.writer, &limits, 0, 1000, &(bool){false}), 40);
	start_hub(50);
	assert_lapped();
	ck_assert_uint_eq(reader.cursor, 40);
	assert_reads_to(50);
}
END_TEST

START_TEST(a_store_that_let_go_of_everything_says_where_it_ends)
{
	const struct store_limits limits = {UINT64_MAX, 0, UINT64_MAX, 1000};

	commit(1, 50, 20);
	ck_assert_int_eq(
	    store_trim(store.writer, &limits, 0, 1000, &(bool){false}), 50);
	start_hub(50);
	assert_lapped();
	ck_assert_uint_eq(reader.cursor, 50);
	commit(51, 60, 20);
	show(51, 60, 20);
	assert_reads_to(60);
}
END_TEST

/* With a smaller ring, or max_event, than when they were accepted. */
START_TEST(events_too_long_for_the_ring_are_passed_over)
{
	commit(1, 5, 20);
	commit(6, 6, RING_BYTES / 4);
	commit(7, 9, 20);
	start_hub(9);
	assert_lapped();
	ck_assert_uint_eq(reader.cursor, 6);
	assert_reads_to(9);
	commit(10, 10, RING_BYTES / 4);
	start_hub(10);
	assert_lapped();
	ck_assert_uint_eq(reader.cursor, 10);
}
END_TEST

START_TEST(a_worker_that_sleeps_is_woken)
{
	uint64_t rung;
	struct board worker = heritage.board;

	worker.own = (struct board_page *)((char *)heritage.board.own +
					   BOARD_FIRST_WORKER *
					       heritage.board.page_bytes);
	commit(1, 5, 20);
	start_hub(5);
	ck_assert_int_eq(read(bell, &rung, sizeof(rung)), -1);
	bell_sleep(&worker);
	commit(6, 9, 20);
	start_hub(9);
	ck_assert_int_eq(read(bell, &rung, sizeof(rung)), sizeof(rung));
	/* The hub dies before its bell. */
	commit(10, 12, 20);
	show(10, 12, 20);
	start_hub(12);
	ck_assert_int_eq(read(bell, &rung, sizeof(rung)), sizeof(rung));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("reconcile");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_empty_store_and_a_new_ring_agree);
	tcase_add_test(tests, a_new_ring_gets_all_of_a_short_history);
	tcase_add_test(
	    tests, a_new_ring_gets_the_newest_part_of_a_long_history);
	tcase_add_test(tests, what_was_committed_and_not_shown_comes_next);
	tcase_add_test(tests, a_ring_that_has_all_is_left_alone);
	tcase_add_test(
	    tests, cursors_go_on_above_the_ring_when_the_store_lost_some);
	tcase_add_test(
	    tests, what_is_not_in_the_ring_nor_in_the_store_laps_its_readers);
	tcase_add_test(
	    tests, a_store_that_let_go_of_everything_says_where_it_ends);
	tcase_add_test(tests, events_too_long_for_the_ring_are_passed_over);
	tcase_add_test(tests, a_worker_that_sleeps_is_woken);
	return suite_run("reconcile", tests);
}
