/*
 * withdraw_test: access that is taken away from live streams, and streams that
 * end with their tokens.
 */
#include "broker/worker/access/withdraw.h"

#include "broker/hub/store_revocations.h"
#include "broker/worker/access/authority.h"
#include "broker/worker/access/grants.h"
#include "broker/worker/access/lifetime.h"
#include "broker/worker/access/permit.h"
#include "broker/worker/drain.h"
#include "broker/worker/stream/change_apply.h"
#include "broker/worker/subscriber.h"
#include "tests/unit/hand_worker.h"
#include "tests/unit/listener.h"
#include "tests/unit/suite.h"

enum { ISSUED_MS = 5000, TURNS_MAX = 2000000 };

static struct hand_worker hand;
static struct listener listener;
static struct subscriber *stream;
static const struct slice user = {"u1", 2};

static struct slice
text(const char *text)
{
	return slice_of_text(text);
}

static struct authority
authority_until(uint64_t expires_ms)
{
	return (struct authority){
	    .user = user,
	    .expires_ms = expires_ms,
	    .issued_ms = ISSUED_MS,
	};
}

static void
turn(void)
{
	while (hand_worker_turn(&hand))
		;
	if (listener.fd != -1)
		listener_read(&listener, 65536);
}

/* The next block; taken. */
static const char *
block(void)
{
	static char kept[16384];
	struct slice found;

	for (int i = 0; i < TURNS_MAX; i++) {
		found = listener_block(&listener);
		if (found.len > 0 || listener.fd == -1)
			break;
		turn();
	}
	snprintf(kept, sizeof(kept), "%.*s", (int)found.len, found.bytes);
	buf_consume(&listener.body, found.len);
	return kept;
}

static void
expect_end(void)
{
	ck_assert_str_eq(block(), "");
	ck_assert_int_eq(listener.fd, -1);
}

static void
expect_block(const char *expected)
{
	ck_assert_str_eq(block(), expected);
}

/* The next block is that control event, whose data begin so. */
static void
expect_control(const char *name, const char *data)
{
	const char *got = block();
	char event[64], line[256];

	snprintf(event, sizeof(event), "event: %s\n", name);
	snprintf(line, sizeof(line), "\ndata: %s", data);
	ck_assert_msg(strstr(got, event) != NULL && strstr(got, line) != NULL,
	    "got %s instead of %s %s", got, name, data);
}

/* A stream of the user on these channels, at the head. */
static void
open_stream(const char *channels, uint64_t expires_ms)
{
	const struct authority authority = authority_until(expires_ms);
	char request[256];

	snprintf(request, sizeof(request),
	    "GET /stream?channels=%s HTTP/1.1\r\nHost: h\r\n\r\n", channels);
	listener_init(&listener, hand_worker_connect(&hand), 1, request);
	expect_control("connected", "{");
	expect_control("live", "{");
	stream = hand.worker.connections->subscriber;
	ck_assert_int_eq(stream->place, SUBSCRIBER_AT_HEAD);
	stream->permit = permit_create(&authority);
	ck_assert_ptr_nonnull(stream->permit);
	lifetime_start(&hand.worker, stream, expires_ms);
}

static void
take_back(const char *pattern, uint64_t at_ms)
{
	withdraw_revoked(&hand.worker, user, text(pattern), at_ms);
}

/* Publishes seven events, on c:0 to c:6 in some order. */
static void
publish_seven(void)
{
	for (int i = 0; i < 7; i++)
		hand_worker_publish(&hand, 10);
}

/* The channels of the next `count` events, each as its digit. */
static const char *
channels_of(int count)
{
	static char digits[16];

	for (int i = 0; i < count; i++) {
		const char *at = strstr(block(), "\"channel\":\"c:");

		ck_assert_ptr_nonnull(at);
		digits[i] = at[13];
	}
	digits[count] = '\0';
	return digits;
}

static void
set_up(void)
{
	hand_worker_make(&hand);
}

static void
tear_down(void)
{
	listener_finish(&listener);
	hand_worker_finish(&hand);
}

START_TEST(a_revoked_part_of_a_pattern_is_closed_and_the_rest_goes_on)
{
	open_stream("c:*", UINT64_MAX);
	take_back("c:1", ISSUED_MS);
	expect_block("event: revoked\ndata: {\"channels\":[\"c:1\"],"
		     "\"reason\":\"revoked\"}\n\n");
	publish_seven();
	ck_assert_ptr_null(strchr(channels_of(6), '1'));
	ck_assert_uint_eq(stream->member_count, 1);
	turn();
	ck_assert_uint_eq(listener_block(&listener).len, 0);
}
END_TEST

START_TEST(what_is_closed_stays_closed_in_the_window_and_in_the_store)
{
	uint64_t before = hand.cursor;

	open_stream("c:*", UINT64_MAX);
	take_back("c:1", ISSUED_MS);
	expect_control("revoked", "{\"channels\":[\"c:1\"]");
	for (int i = 0; i < 70; i++) /* more than the window holds */
		hand_worker_publish(&hand, 10);
	for (int from = 0; from < 2; from++) {
		stream->cursor = from == 0 ? hand.worker.window.floor : before;
		cursor_fall_back(&hand.worker, stream->cursor);
		turn();
		while (listener_block(&listener).len > 0)
			ck_assert_ptr_null(strstr(block(), "\"c:1\""));
	}
}
END_TEST

START_TEST(a_revoked_channel_is_left_and_the_others_stay)
{
	open_stream("c:1,c:2,c:3", UINT64_MAX);
	take_back("c:2", ISSUED_MS);
	expect_control("revoked", "{\"channels\":[\"c:2\"]");
	ck_assert_uint_eq(stream->member_count, 2);
	publish_seven();
	ck_assert_ptr_null(strchr(channels_of(2), '2'));
	turn();
	ck_assert_uint_eq(listener_block(&listener).len, 0);
}
END_TEST

START_TEST(a_stream_without_channels_ends)
{
	open_stream("c:1,c:2:*", UINT64_MAX);
	take_back("c:*", ISSUED_MS);
	expect_control("revoked", "{\"channels\":[\"c:2:*\",\"c:1\"]");
	expect_control("bye", "{\"reason\":\"revoked\"}");
	expect_end();
}
END_TEST

START_TEST(everything_revoked_is_a_kick)
{
	open_stream("c:*", UINT64_MAX);
	take_back("*", ISSUED_MS);
	expect_control("revoked", "{\"channels\":[\"c:*\"],"
				  "\"reason\":\"kicked\"}");
	expect_control("bye", "{\"reason\":\"kicked\"}");
	expect_end();
}
END_TEST

START_TEST(a_later_token_another_user_and_another_channel_are_not_concerned)
{
	open_stream("c:*", UINT64_MAX);
	take_back("c:1", ISSUED_MS - 1);
	take_back("d:1", ISSUED_MS);
	withdraw_revoked(&hand.worker, text("u"), text("*"), ISSUED_MS);
	withdraw_revoked(&hand.worker, text("u11"), text("*"), ISSUED_MS);
	publish_seven();
	ck_assert_ptr_nonnull(strchr(channels_of(7), '1'));
}
END_TEST

START_TEST(a_token_without_a_time_is_always_concerned)
{
	open_stream("c:*", UINT64_MAX);
	stream->permit->issued_ms = 0;
	take_back("*", 1);
	expect_control("revoked", "{");
	expect_control("bye", "{\"reason\":\"kicked\"}");
	expect_end();
}
END_TEST

/* Publishes until the stream stands in the midst of an event. */
static void
fill_socket(void)
{
	for (int i = 0; i < 200 && stream->partial == 0; i++) {
		hand_worker_publish(&hand, 14000);
		while (hand_worker_turn(&hand))
			;
	}
	ck_assert_uint_ne(stream->partial, 0);
}

START_TEST(nothing_is_said_in_the_midst_of_an_event)
{
	const char *got;
	int events = 0;

	open_stream("c:*", UINT64_MAX);
	fill_socket();
	take_back("c:none", ISSUED_MS);
	for (got = block(); strstr(got, "event: revoked") == NULL;
	     got = block()) {
		ck_assert_int_eq(strncmp(got, "id: ", 4), 0);
		events++;
	}
	ck_assert_int_gt(events, 0);
	ck_assert_ptr_nonnull(strstr(got, "[\"c:none\"]"));
}
END_TEST

START_TEST(a_half_written_event_that_was_revoked_is_not_finished)
{
	open_stream("c:*", UINT64_MAX);
	fill_socket();
	take_back("*", ISSUED_MS);
	ck_assert_ptr_null(hand.worker.connections);
	while (listener.fd != -1)
		turn();
	ck_assert_ptr_null(listener_find(&listener.body, "revoked"));
}
END_TEST

/* Stores revocations as the hub does: one of the stream's user is the last of
 * more than are read at once. */
static void
store_revocations_of_many(void)
{
	struct board hub = hand.heritage.board;
	uint64_t number = 0;

	for (int i = 299; i >= 0; i--) {
		struct store_revocation revocation = {
		    .user = user, .pattern = text("c:1"), .now_ms = ISSUED_MS};
		char other[16];

		snprintf(other, sizeof(other), "other%d", i);
		if (i > 0)
			revocation.user = text(other);
		ck_assert_int_eq(
		    store_revoke(hand.store.writer, &revocation, 1000, &number),
		    1);
	}
	hub.own = (struct board_page *)(void *)((char *)hub.own +
						BOARD_HUB * hub.page_bytes);
	board_set_revocation(&hub, number);
}

static void
ask_for_a_stream(void)
{
	static const char request[] =
	    "GET /stream?channels=none HTTP/1.1\r\nHost: h\r\n\r\n";
	int fd = hand_worker_connect(&hand);

	ck_assert_int_eq(send(fd, request, sizeof(request) - 1, 0),
	    (ssize_t)sizeof(request) - 1);
	ev_run(hand.worker.loop, EVRUN_NOWAIT);
	close(fd);
}

static void
ask_for_a_change(void)
{
	char path[64];
	struct outcome outcome = {.kind = OUTCOME_DONE};

	snprintf(path, sizeof(path), "/stream/%s", stream->id);
	change_apply(&hand.worker,
	    &(struct change){.path = text(path), .body = text("{}")}, &outcome);
	buf_finish(&outcome.body);
}

static void
ask_for_the_end(void)
{
	drain_begin(&hand.worker);
}

/* Whatever makes the worker look at the ring, when it was stuck meanwhile. */
START_TEST(all_that_was_withdrawn_takes_hold_before_events_are_handed_out)
{
	static void (*const asks[])(void) = {
	    ask_for_a_stream, ask_for_a_change, ask_for_the_end};

	open_stream("c:*", UINT64_MAX);
	store_revocations_of_many();
	publish_seven();
	asks[_i]();
	expect_control("revoked", "{\"channels\":[\"c:1\"]");
	ck_assert_ptr_null(strchr(channels_of(6), '1'));
}
END_TEST

/* The stream's token is good for that much longer, which is not announced. */
static void
let_it_last(uint64_t ms)
{
	hand.config.auth_expiring_notice = 0;
	lifetime_start(&hand.worker, stream, worker_now_ms(&hand.worker) + ms);
}

START_TEST(a_token_that_ends_is_announced_and_ends_the_stream)
{
	uint64_t now_ms = worker_now_ms(&hand.worker);

	/* A minute ahead, so that no pause of the machine comes between. */
	hand.config.auth_expiring_notice = 60000;
	open_stream("c:*", now_ms + 60100);
	expect_control("token-expiring", "{\"expires\":\"");
	ck_assert_uint_ge(worker_now_ms(&hand.worker), now_ms + 100);
	now_ms = worker_now_ms(&hand.worker);
	let_it_last(100);
	expect_control("bye", "{\"reason\":\"token-expired\"}");
	ck_assert_uint_ge(worker_now_ms(&hand.worker), now_ms + 100);
	expect_end();
}
END_TEST

/* As when the socket took no more just then. */
START_TEST(nothing_is_said_behind_the_end)
{
	uint64_t now_ms = worker_now_ms(&hand.worker);

	hand.config.auth_expiring_notice = 60000;
	open_stream("c:*", now_ms + 60050);
	stream->ended = true;
	take_back("c:1", ISSUED_MS);
	while (stream->permit->announce_ms != UINT64_MAX)
		turn();
	turn();
	ck_assert_uint_eq(listener_block(&listener).len, 0);
	ck_assert_uint_eq(buf_length(&stream->connection->out), 0);
	/* But the rest of something may be of what was withdrawn. */
	stream->rest = true;
	take_back("c:1", ISSUED_MS);
	expect_end();
}
END_TEST

START_TEST(a_new_token_lets_the_stream_last_longer)
{
	uint64_t now_ms = worker_now_ms(&hand.worker);
	const struct authority authority = authority_until(now_ms + 60300);
	struct grants grants = {.fixed = {.count = 0}};

	ck_assert_int_eq(patterns_add(&grants.allowed, text("c:*")), 0);
	hand.config.auth_expiring_notice = 60000;
	open_stream("c:1,c:2,d", now_ms + 60050);
	expect_control("token-expiring", "{\"expires\":\"");
	ck_assert(withdraw_renew(&hand.worker, stream, &authority, &grants));
	expect_control("revoked", "{\"channels\":[\"d\"],\"reason\":\"token\"");
	expect_control("token-expiring", "{\"expires\":\"");
	ck_assert_uint_ge(worker_now_ms(&hand.worker), now_ms + 300);
	ck_assert_uint_eq(stream->member_count, 2);
	let_it_last(50);
	expect_control("bye", "{\"reason\":\"token-expired\"}");
	grants_finish(&grants);
}
END_TEST

START_TEST(a_new_token_opens_what_was_closed_for_the_old_one)
{
	const struct authority authority = authority_until(UINT64_MAX);
	struct grants grants = {.fixed = {.count = 0}};

	ck_assert_int_eq(patterns_add(&grants.allowed, text("*")), 0);
	open_stream("c:*", UINT64_MAX);
	take_back("c:1", ISSUED_MS);
	expect_control("revoked", "{");
	ck_assert(withdraw_renew(&hand.worker, stream, &authority, &grants));
	publish_seven();
	ck_assert_ptr_nonnull(strchr(channels_of(7), '1'));
	grants_finish(&grants);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("withdraw");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(
	    tests, a_revoked_part_of_a_pattern_is_closed_and_the_rest_goes_on);
	tcase_add_test(
	    tests, what_is_closed_stays_closed_in_the_window_and_in_the_store);
	tcase_add_test(tests, a_revoked_channel_is_left_and_the_others_stay);
	tcase_add_test(tests, a_stream_without_channels_ends);
	tcase_add_test(tests, everything_revoked_is_a_kick);
	tcase_add_test(tests,
	    a_later_token_another_user_and_another_channel_are_not_concerned);
	tcase_add_test(tests, a_token_without_a_time_is_always_concerned);
	tcase_add_test(tests, nothing_is_said_in_the_midst_of_an_event);
	tcase_add_test(
	    tests, a_half_written_event_that_was_revoked_is_not_finished);
	tcase_add_loop_test(tests,
	    all_that_was_withdrawn_takes_hold_before_events_are_handed_out, 0,
	    3);
	tcase_add_test(
	    tests, a_token_that_ends_is_announced_and_ends_the_stream);
	tcase_add_test(tests, nothing_is_said_behind_the_end);
	tcase_add_test(tests, a_new_token_lets_the_stream_last_longer);
	tcase_add_test(
	    tests, a_new_token_opens_what_was_closed_for_the_old_one);
	return suite_run("withdraw", tests);
}
