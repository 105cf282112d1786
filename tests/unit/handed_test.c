/* Tests of handed: whom a receipt waits for, and who counts. */
#include "broker/worker/cursor/handed.h"

#include "broker/worker/cursor/place.h"
#include "broker/worker/subscriber.h"
#include "tests/unit/hand_worker.h"
#include "tests/unit/listener.h"
#include "tests/unit/suite.h"

enum { RECEIPT = 41, CLIENTS_MAX = 4 };

static struct hand_worker hand;
static struct board hub; /* the board, as the hub may write it */
static struct listener clients[CLIENTS_MAX];
static size_t client_count;

static void
set_up(void)
{
	hand_worker_make(&hand);
	hub = hand.heritage.board;
	hub.own = (struct board_page *)(void *)((char *)hub.own +
						BOARD_HUB * hub.page_bytes);
	client_count = 0;
}

static void
tear_down(void)
{
	for (size_t i = 0; i < client_count; i++)
		listener_finish(&clients[i]);
	hand_worker_finish(&hand);
}

static void
turn_until_idle(void)
{
	while (hand_worker_turn(&hand))
		;
}

/* A client from that cursor on, with more in its query; it has said its
 * request. */
static struct subscriber *
join_as(uint64_t cursor, const char *query)
{
	char request[256], since[CURSOR_ID_TEXT_SIZE];

	cursor_id_format(cursor, since);
	snprintf(request, sizeof(request),
	    "GET /stream?%s&since=%s HTTP/1.1\r\nHost: h\r\n\r\n", query,
	    since);
	listener_init(
	    &clients[client_count++], hand_worker_connect(&hand), 1, request);
	while (hand.worker.connections->subscriber == NULL)
		ev_run(hand.worker.loop, EVRUN_NOWAIT);
	return hand.worker.connections->subscriber;
}

static struct subscriber *
join(uint64_t cursor)
{
	return join_as(cursor, "channels=*");
}

/* The position behind all that is in the ring. */
static uint64_t
behind_all(void)
{
	return ring_publish(&hand.heritage.ring);
}

static void
publish_with(size_t data_len, enum board_detail detail)
{
	hand.receipt = RECEIPT;
	board_open_receipt(
	    &hub, RECEIPT, hand_worker_publish(&hand, data_len), detail);
	hand.receipt = 0;
}

/* An event that is counted. */
static void
publish_counted(size_t data_len)
{
	publish_with(data_len, BOARD_WRITTEN_ALONE);
}

/* What the worker has tallied; in these tests its page is the first. */
static uint64_t
tallied(uint32_t receipt)
{
	struct board_tally *tally =
	    &hand.worker.board->own->tallies[receipt % BOARD_TALLIES];

	return atomic_load(&tally->receipt) == receipt
		   ? atomic_load(&tally->handed) & UINT32_MAX
		   : 0;
}

static uint64_t
counted(void)
{
	return tallied(RECEIPT);
}

static bool
is_reported(void)
{
	return atomic_load(&hand.worker.board->own->read_at) >= behind_all();
}

static void
read_all(struct listener *client)
{
	do {
		turn_until_idle();
		listener_read(client, 65536);
		buf_clear(&client->body);
	} while (
	    hand.worker.connections->subscriber->place != SUBSCRIBER_AT_HEAD);
}

START_TEST(who_is_at_the_head_has_it_when_that_is_said)
{
	join(hand_worker_publish(&hand, 10));
	turn_until_idle();
	ck_assert(is_reported());
	publish_counted(10);
	ck_assert(!is_reported());
	follow_ring(&hand.worker);
	ck_assert(is_reported());
	ck_assert_uint_eq(counted(), 1);
}
END_TEST

START_TEST(who_is_on_the_way_is_waited_for)
{
	uint64_t cursor = hand_worker_publish(&hand, 10);

	for (int i = 0; i < 5; i++)
		hand_worker_publish(&hand, 10);
	turn_until_idle();
	join(cursor);
	publish_counted(10);
	follow_ring(&hand.worker);
	ck_assert(!is_reported());
	ck_assert_uint_eq(counted(), 0);
	turn_until_idle();
	ck_assert(is_reported());
	ck_assert_uint_eq(counted(), 1);
}
END_TEST

START_TEST(who_is_on_the_way_and_goes_is_not_waited_for)
{
	struct subscriber *subscriber;

	subscriber = join(hand_worker_publish(&hand, 10));
	join(hand.cursor);
	publish_counted(10);
	follow_ring(&hand.worker);
	connection_destroy(subscriber->connection);
	ck_assert(!is_reported());
	turn_until_idle();
	ck_assert(is_reported());
	ck_assert_uint_eq(counted(), 1);
}
END_TEST

START_TEST(when_the_receipt_was_answered_nobody_is_waited_for)
{
	join(hand_worker_publish(&hand, 10));
	publish_counted(10);
	follow_ring(&hand.worker);
	ck_assert(!is_reported());
	board_close_receipt(&hub, RECEIPT);
	follow_ring(&hand.worker);
	ck_assert(is_reported());
	turn_until_idle();
	ck_assert_uint_eq(counted(), 0);
}
END_TEST

/* A client whose socket is full. */
static struct subscriber *
join_blocked(void)
{
	struct subscriber *subscriber = join(hand_worker_publish(&hand, 10));

	while (subscriber->place != SUBSCRIBER_BLOCKED) {
		hand_worker_publish(&hand, 2000);
		turn_until_idle();
	}
	return subscriber;
}

START_TEST(who_does_not_read_counts_when_it_does_in_time)
{
	join_blocked();
	publish_counted(10);
	turn_until_idle();
	ck_assert(is_reported());
	ck_assert_uint_eq(counted(), 0);
	read_all(&clients[0]);
	ck_assert_uint_eq(counted(), 1);
}
END_TEST

START_TEST(who_does_not_read_in_time_does_not_count)
{
	join_blocked();
	publish_counted(10);
	turn_until_idle();
	board_close_receipt(&hub, RECEIPT);
	/* The place of this one is now another's. */
	board_open_receipt(&hub, RECEIPT + BOARD_TALLIES, hand.cursor + 1,
	    BOARD_WRITTEN_ALONE);
	read_all(&clients[0]);
	ck_assert_uint_eq(counted(), 0);
	ck_assert_uint_eq(tallied(RECEIPT + BOARD_TALLIES), 0);
}
END_TEST

static void
assert_counts(uint64_t written, uint64_t lagging, uint64_t filtered)
{
	struct board_tally *tally =
	    &hand.worker.board->own->tallies[RECEIPT % BOARD_TALLIES];
	uint64_t handed = atomic_load(&tally->handed);

	ck_assert_uint_eq(handed & UINT32_MAX, written);
	ck_assert_uint_eq(handed >> 32, lagging);
	ck_assert_uint_eq(atomic_load(&tally->filtered), filtered);
}

START_TEST(whoever_has_the_channel_is_in_one_of_the_counts)
{
	join_blocked();
	join(hand.cursor);
	join_as(hand.cursor, "channels=*,test&types=none.*");
	join_as(hand.cursor, "channels=other");
	turn_until_idle();
	publish_with(10, BOARD_ALL_COUNTS);
	turn_until_idle();
	ck_assert(is_reported());
	assert_counts(1, 1, 1);
}
END_TEST

START_TEST(who_lags_and_reads_is_counted_anew)
{
	struct subscriber *blocked = join_blocked();

	publish_with(10, BOARD_ALL_COUNTS);
	turn_until_idle();
	assert_counts(0, 1, 0);
	do {
		turn_until_idle();
		listener_read(&clients[0], 65536);
		buf_clear(&clients[0].body);
	} while (blocked->place != SUBSCRIBER_AT_HEAD);
	assert_counts(1, 0, 0);
}
END_TEST

START_TEST(who_lags_and_goes_is_not_counted)
{
	struct subscriber *blocked = join_blocked();
	struct subscriber *filtered =
	    join_as(hand.cursor, "channels=*&types=none.*");

	publish_with(10, BOARD_ALL_COUNTS);
	turn_until_idle();
	assert_counts(0, 1, 1);
	connection_destroy(blocked->connection);
	assert_counts(0, 0, 1);
	connection_destroy(filtered->connection);
	assert_counts(0, 0, 0);
}
END_TEST

START_TEST(who_comes_for_it_while_the_receipt_is_open_is_counted)
{
	uint64_t before = hand_worker_publish(&hand, 10);

	publish_with(10, BOARD_ALL_COUNTS);
	turn_until_idle();
	assert_counts(0, 0, 0);
	join(before);
	assert_counts(0, 1, 0);
	turn_until_idle();
	assert_counts(1, 0, 0);
	join(hand.cursor); /* after it */
	turn_until_idle();
	assert_counts(1, 0, 0);
}
END_TEST

START_TEST(nothing_is_kept_of_a_receipt_that_is_closed)
{
	join_blocked();
	publish_with(10, BOARD_ALL_COUNTS);
	turn_until_idle();
	ck_assert_uint_eq(hand.worker.handed.count, 1);
	board_close_receipt(&hub, RECEIPT);
	hand_worker_publish(&hand, 10);
	turn_until_idle();
	ck_assert_uint_eq(hand.worker.handed.count, 0);
	assert_counts(0, 1, 0);
}
END_TEST

START_TEST(events_that_a_lapped_worker_reads_from_the_store_count)
{
	join(hand_worker_publish(&hand, 10));
	turn_until_idle();
	publish_counted(10);
	while (behind_all() < 4 * HAND_RING_BYTES)
		hand_worker_publish(&hand, 100);
	read_all(&clients[0]);
	ck_assert_uint_ge(
	    board_get(hand.worker.board, BOARD_SUPERVISOR, METRIC_LAPPED), 1);
	ck_assert(is_reported());
	ck_assert_uint_eq(counted(), 1);
}
END_TEST

START_TEST(who_is_far_behind_is_not_waited_for_but_counts)
{
	uint64_t cursor = hand_worker_publish(&hand, 10);

	publish_counted(10);
	for (int i = 0; i < 2 * HAND_WINDOW_EVENTS; i++) {
		hand_worker_publish(&hand, 10);
		turn_until_idle();
	}
	ck_assert_uint_gt(hand.worker.window.floor, cursor);
	join(cursor);
	ck_assert(is_reported());
	read_all(&clients[0]);
	ck_assert_uint_eq(counted(), 1);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("handed");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, who_is_at_the_head_has_it_when_that_is_said);
	tcase_add_test(tests, who_is_on_the_way_is_waited_for);
	tcase_add_test(tests, who_is_on_the_way_and_goes_is_not_waited_for);
	tcase_add_test(
	    tests, when_the_receipt_was_answered_nobody_is_waited_for);
	tcase_add_test(tests, who_does_not_read_counts_when_it_does_in_time);
	tcase_add_test(tests, who_does_not_read_in_time_does_not_count);
	tcase_add_test(
	    tests, events_that_a_lapped_worker_reads_from_the_store_count);
	tcase_add_test(tests, whoever_has_the_channel_is_in_one_of_the_counts);
	tcase_add_test(tests, who_lags_and_reads_is_counted_anew);
	tcase_add_test(tests, who_lags_and_goes_is_not_counted);
	tcase_add_test(
	    tests, who_comes_for_it_while_the_receipt_is_open_is_counted);
	tcase_add_test(tests, nothing_is_kept_of_a_receipt_that_is_closed);
	tcase_add_test(tests, who_is_far_behind_is_not_waited_for_but_counts);
	return suite_run("handed", tests);
}
