/* Tests of libpub in a loop of the caller's: what is sent, and sent anew, and
 * told, when the broker answers, refuses, hangs up or talks nonsense. */
#include "tests/unit/pub_results.h"

static struct fake_broker fake;
static struct ssemux_pub *pub;

static void
open_with(const struct ssemux_pub_options *options)
{
	pub = ssemux_pub_open(options);
	ck_assert_ptr_nonnull(pub);
	fake.pub = pub;
}

static void
set_up(void)
{
	struct ssemux_pub_options options;

	fake_init(&fake);
	buf_init(&results, 0);
	options = pub_options(&fake);
	open_with(&options);
}

static void
tear_down(void)
{
	(void)ssemux_pub_close(pub);
	buf_finish(&results);
	fake_finish(&fake);
}

static void
reopen(const struct ssemux_pub_options *options)
{
	ck_assert_int_eq(ssemux_pub_close(pub), 0);
	open_with(options);
}

START_TEST(events_are_sent_in_order_and_their_acks_told_in_order)
{
	for (int i = 1; i <= 3; i++)
		publish_number(pub, i);
	ck_assert_uint_eq(ssemux_pub_unacked(pub), 3);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_hear_event(&fake, 2, "2");
	fake_hear_event(&fake, 3, "3");
	assert_results("");
	for (uint64_t seq = 1; seq <= 3; seq++)
		fake_ack(&fake, seq);
	work_until_unacked(&fake, 0);
	assert_results("acked 1 1001-0\nacked 2 1002-0\nacked 3 1003-0\n");
}
END_TEST

START_TEST(all_that_an_event_has_arrives)
{
	struct ssemux_pub_event event = pub_event(1, "{\"a\":1}");
	struct message message;

	event.type = "order.updated";
	event.key = "42";
	event.data_is = SSEMUX_PUB_TEXT;
	event.flags = SSEMUX_PUB_WANT_RECEIPT;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	fake_greet(&fake, 0);
	message = fake_hear_event(&fake, 1, "{\"a\":1}");
	ck_assert(slice_is(message.event.channel, "orders"));
	ck_assert(slice_is(message.event.type, "order.updated"));
	ck_assert(slice_is(message.event.key, "42"));
	ck_assert_int_eq(message.data, MESSAGE_DATA_TEXT);
	ck_assert_uint_eq(
	    message.flags, MESSAGE_FLAG_TEXT | MESSAGE_FLAG_RECEIPT);
}
END_TEST

START_TEST(the_greeting_says_version_and_id)
{
	struct ssemux_pub_options options = pub_options(&fake);
	struct message hello;

	fake_accept(&fake);
	hello = fake_hear(&fake, MESSAGE_HELLO);
	ck_assert_uint_eq(hello.version, 1);
	ck_assert_uint_eq(hello.publisher.len, 32); /* random */
	options.id = "shop:1";
	reopen(&options);
	fake_accept(&fake);
	hello = fake_hear(&fake, MESSAGE_HELLO);
	ck_assert(slice_is(hello.publisher, "shop:1"));
}
END_TEST

START_TEST(numbers_go_on_from_where_the_broker_remembers)
{
	publish_number(pub, 1);
	fake_greet(&fake, 700);
	fake_hear_event(&fake, 701, "1");
}
END_TEST

/* The hub was killed between commit and ack. */
START_TEST(what_was_not_acked_is_sent_anew_under_the_same_number)
{
	for (int i = 1; i <= 3; i++)
		publish_number(pub, i);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_hear_event(&fake, 2, "2");
	fake_hear_event(&fake, 3, "3");
	fake_ack(&fake, 1);
	fake_hang_up(&fake);
	fake_greet(&fake, 2);
	fake_hear_event(&fake, 2, "2");
	fake_hear_event(&fake, 3, "3");
	fake_ack_duplicate(&fake, 2);
	fake_ack(&fake, 3);
	publish_number(pub, 4);
	fake_hear_event(&fake, 4, "4");
	fake_ack(&fake, 4);
	work_until_unacked(&fake, 0);
	assert_results("acked 1 1001-0\nacked 2 1002-0 again\n"
		       "acked 3 1003-0\nacked 4 1004-0\n");
}
END_TEST

/* Acks that were on their way when the broker died still count. */
START_TEST(acks_before_the_end_of_a_connection_are_heard)
{
	for (int i = 1; i <= 2; i++)
		publish_number(pub, i);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_hear_event(&fake, 2, "2");
	fake_ack(&fake, 1);
	fake_ack(&fake, 2);
	publish_number(pub, 3); /* so that it finds out while writing */
	fake_hang_up(&fake);
	fake_greet(&fake, 2);
	fake_hear_event(&fake, 3, "3");
	assert_results("acked 1 1001-0\nacked 2 1002-0\n");
}
END_TEST

/* A message that was cut off is sent whole on the next connection. */
START_TEST(a_message_cut_off_in_the_middle_is_sent_from_its_start)
{
	static char large[FAKE_MAX_EVENT + 1];
	struct ssemux_pub_event event;
	char bytes[1000];

	memset(large, 'x', FAKE_MAX_EVENT);
	for (int i = 1; i <= 20; i++) {
		event = pub_event(i, large);
		ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	}
	fake_greet(&fake, 0);
	ck_assert(fake_wait(&fake, fake.fd, FAKE_PATIENCE_MS));
	ck_assert_int_eq(
	    recv(fake.fd, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
	fake_hang_up(&fake);
	fake_greet(&fake, 0);
	for (uint64_t seq = 1; seq <= 20; seq++) {
		fake_hear_event(&fake, seq, large);
		fake_ack(&fake, seq);
	}
	work_until_unacked(&fake, 0);
}
END_TEST

/* An answer may come in any pieces. */
START_TEST(an_answer_byte_by_byte_is_heard)
{
	static const char ack[] = "\x94\x11\x01\xCE\x3E\x90\x00\x00\xC2";

	publish_number(pub, 1);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	for (size_t i = 0; i < sizeof(ack) - 1; i++) {
		assert_results("");
		fake_say_bytes(&fake, ack + i, 1);
		fake_wait(&fake, -1, 0);
	}
	work_until_unacked(&fake, 0);
	assert_results("acked 1 1001-0\n");
}
END_TEST

START_TEST(an_answer_cut_off_by_the_end_is_no_answer)
{
	publish_number(pub, 1);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_say_bytes(&fake, "\x94\x11\x01\xCE\x3E\x90", 6);
	fake_hang_up(&fake);
	fake_greet(&fake, 1);
	fake_hear_event(&fake, 1, "1");
	fake_ack_duplicate(&fake, 1);
	work_until_unacked(&fake, 0);
	assert_results("acked 1 1001-0 again\n");
}
END_TEST

START_TEST(a_refused_event_does_not_stop_those_after_it)
{
	for (int i = 1; i <= 3; i++)
		publish_number(pub, i);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_ack(&fake, 1);
	fake_hear_event(&fake, 2, "2");
	fake_refuse(&fake, 2, REFUSAL_NOT_ALLOWED, "channel");
	fake_hear_event(&fake, 3, "3");
	fake_ack(&fake, 3);
	work_until_unacked(&fake, 0);
	assert_results("acked 1 1001-0\nrefused 2 not-allowed channel\n"
		       "acked 3 1003-0\n");
	ck_assert_int_eq(ssemux_pub_state(pub), SSEMUX_PUB_CONNECTED);
}
END_TEST

START_TEST(a_temporary_error_brings_a_new_connection)
{
	publish_number(pub, 1);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_refuse(&fake, 0, (enum refusal)_i, "");
	work_until_state(&fake, SSEMUX_PUB_RECONNECTING);
	ck_assert_str_eq(
	    ssemux_pub_error_code(pub), refusal_code((enum refusal)_i));
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_ack(&fake, 1);
	work_until_unacked(&fake, 0);
	assert_results("acked 1 1001-0\n");
}
END_TEST

START_TEST(a_temporary_error_instead_of_the_greeting_is_waited_out)
{
	publish_number(pub, 1);
	for (int i = 0; i < 3; i++) {
		fake_accept(&fake);
		fake_refuse(&fake, 0, REFUSAL_BUSY, "");
		fake_hear(&fake, MESSAGE_HELLO);
	}
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
}
END_TEST

START_TEST(a_final_error_loses_everything_and_says_so)
{
	publish_number(pub, 1);
	publish_number(pub, 2);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_ack(&fake, 1);
	fake_refuse(&fake, 0, REFUSAL_REPLACED, "");
	work_until_state(&fake, SSEMUX_PUB_FAILED);
	assert_results("acked 1 1001-0\nlost 2 replaced\n");
	ck_assert_uint_eq(ssemux_pub_unacked(pub), 0);
	ck_assert_int_eq(ssemux_pub_dispatch(pub), -1);
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_int_eq(ssemux_pub_fd(pub), -1);
	ck_assert_int_eq(ssemux_pub_timeout(pub), -1);
	ck_assert_str_eq(ssemux_pub_error_code(pub), "replaced");
	/* It never connects again. */
	ck_assert(!fake_wait(&fake, fake.listener, 50));
}
END_TEST

START_TEST(a_publisher_that_is_not_allowed_fails_with_eacces)
{
	struct ssemux_pub_event event = pub_event(2, "x");

	fake_accept(&fake);
	fake_refuse(&fake, 0, REFUSAL_NOT_ALLOWED, "");
	work_until_state(&fake, SSEMUX_PUB_FAILED);
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), -1);
	ck_assert_int_eq(errno, EACCES);
	assert_results("");
}
END_TEST

START_TEST(an_error_code_of_the_future_is_final)
{
	fake_accept(&fake);
	fake_say(&fake, &(struct message){
			    .type = MESSAGE_ERROR,
			    .code = slice_of_text("new\nword"),
			    .text = slice_of_text("unheard of"),
			});
	work_until_state(&fake, SSEMUX_PUB_FAILED);
	ck_assert_str_eq(ssemux_pub_error_code(pub), "new?word");
	ck_assert_str_eq(ssemux_pub_error(pub), "unheard of");
}
END_TEST

START_TEST(another_version_is_final)
{
	fake_greet_with(
	    &fake, &(struct message){
		       .type = MESSAGE_WELCOME, .version = 2, .window = 1});
	work_until_state(&fake, SSEMUX_PUB_FAILED);
	ck_assert_str_eq(ssemux_pub_error_code(pub), "version");
}
END_TEST

/* Its acks would be of the other's events. */
START_TEST(numbers_that_another_process_gave_are_final)
{
	publish_number(pub, 1);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_hang_up(&fake);
	fake_greet(&fake, 2);
	work_until_state(&fake, SSEMUX_PUB_FAILED);
	assert_results("lost 1 replaced\n");
}
END_TEST

/* A broker that has lost its store must not confuse us. */
START_TEST(numbers_that_the_broker_forgot_are_not_given_again)
{
	publish_number(pub, 1);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_ack(&fake, 1);
	publish_number(pub, 2);
	fake_hear_event(&fake, 2, "2");
	fake_hang_up(&fake);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 2, "2");
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} nonsense[] = {
    {"HTTP/1.1 400 Bad Request\r\n\r\n", 28},
    {"\xC1", 1},
    {"\x94\x11\x02\xC0\xC2", 5},       /* ack of what was not sent */
    {"\x95\x12\x02\xA1x\xC0\xA1x", 8}, /* error of the same */
    {"\x92\x14\xA2{}", 5},             /* report not asked for */
    {"\x95\x10\x01\x00\x01\x01", 6},   /* a second greeting */
    {"\x93\x00\x01\xA1x", 5},          /* a greeting of ours */
    {"\x91\x03", 2},
    {"\x91\x63", 2},
    {"\xDD\xFF\xFF\xFF\xFF", 5},
    {"\x92\x14\xDB\x7F\xFF\xFF\xFF", 7}, /* endless report */
    {"\x94\x11\xC0\xC0\xC2", 5},
};

START_TEST(nonsense_breaks_the_connection_and_nothing_else)
{
	publish_number(pub, 1);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_say_bytes(&fake, nonsense[_i].bytes, nonsense[_i].len);
	work_until_state(&fake, SSEMUX_PUB_RECONNECTING);
	ck_assert_int_eq(ssemux_pub_error_number(pub), EPROTO);
	assert_results("");
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_ack(&fake, 1);
	work_until_unacked(&fake, 0);
}
END_TEST

START_TEST(nonsense_instead_of_a_greeting_breaks_the_connection)
{
	publish_number(pub, 1);
	fake_accept(&fake);
	fake_hear(&fake, MESSAGE_HELLO);
	fake_ack(&fake, 1);
	fake_greet(&fake, 0);
	ck_assert_int_eq(ssemux_pub_error_number(pub), EPROTO);
	fake_hear_event(&fake, 1, "1");
}
END_TEST

START_TEST(no_more_than_the_window_is_sent_without_an_ack)
{
	for (int i = 1; i <= 10; i++)
		publish_number(pub, i);
	fake_greet_with(&fake, &(struct message){
				   .type = MESSAGE_WELCOME,
				   .version = 1,
				   .max_event = 100,
				   .window = 3,
			       });
	for (uint64_t seq = 1; seq <= 3; seq++)
		fake_hear(&fake, MESSAGE_PUBLISH);
	fake_hear_nothing(&fake);
	ck_assert_int_eq(ssemux_pub_wants_write(pub), 0);
	fake_ack(&fake, 1);
	fake_hear_event(&fake, 4, "4");
	fake_refuse(&fake, 2, REFUSAL_TYPE, "type");
	fake_hear_event(&fake, 5, "5");
	fake_hear_nothing(&fake);
}
END_TEST

START_TEST(a_new_connection_has_a_window_of_its_own)
{
	static const struct message welcome = {
	    .type = MESSAGE_WELCOME,
	    .version = 1,
	    .max_event = 100,
	    .window = 3,
	};

	for (int i = 1; i <= 5; i++)
		publish_number(pub, i);
	for (int i = 0; i < 3; i++) {
		fake_greet_with(&fake, &welcome);
		for (uint64_t seq = 1; seq <= 3; seq++)
			ck_assert_uint_eq(
			    fake_hear(&fake, MESSAGE_PUBLISH).seq, seq);
		fake_hear_nothing(&fake);
	}
}
END_TEST

START_TEST(what_is_acked_makes_room_again)
{
	struct ssemux_pub_options options = pub_options(&fake);
	struct ssemux_pub_event event = pub_event(1, "x");

	options.max_bytes = 500;
	options.max_events = 2;
	reopen(&options);
	fake_greet(&fake, 0);
	for (uint64_t seq = 1; seq <= 50; seq++) {
		event.flags = seq % 2 == 0 ? SSEMUX_PUB_WANT_RECEIPT : 0;
		ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
		fake_hear_event(&fake, seq, "x");
		if (seq % 5 == 0) {
			fake_refuse(&fake, seq, REFUSAL_DATA, "data");
		} else {
			fake_ack(&fake, seq);
			fake_say(
			    &fake, &(struct message){
				       .type = MESSAGE_RECEIPT, .seq = seq});
		}
		ck_assert_int_eq(ssemux_pub_flush(pub, FAKE_PATIENCE_MS), 0);
	}
}
END_TEST

START_TEST(a_broker_that_reads_slowly_makes_the_publisher_wait)
{
	static char large[FAKE_MAX_EVENT + 1];
	struct ssemux_pub_event event;

	memset(large, 'x', FAKE_MAX_EVENT);
	fake_greet(&fake, 0);
	for (int i = 1; i <= 100; i++) {
		event = pub_event(i, large);
		ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	}
	fake_wait(&fake, -1, 20);
	ck_assert_int_eq(ssemux_pub_wants_write(pub), 1);
	for (uint64_t seq = 1; seq <= 100; seq++) {
		fake_hear_event(&fake, seq, large);
		fake_ack(&fake, seq);
	}
	work_until_unacked(&fake, 0);
	ck_assert_int_eq(ssemux_pub_wants_write(pub), 0);
}
END_TEST

START_TEST(receipts_are_told_in_order_after_their_acks)
{
	for (int i = 1; i <= 3; i++) {
		struct ssemux_pub_event event = pub_event(i, "x");

		event.flags = i != 2 ? SSEMUX_PUB_WANT_RECEIPT : 0;
		ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	}
	fake_greet(&fake, 0);
	for (uint64_t seq = 1; seq <= 3; seq++) {
		fake_hear_event(&fake, seq, "x");
		fake_ack(&fake, seq);
	}
	work_until_unacked(&fake, 0);
	assert_results("acked 1 1001-0\nacked 2 1002-0\nacked 3 1003-0\n");
	fake_say(&fake, &(struct message){
			    .type = MESSAGE_RECEIPT, .seq = 3, .notified = 9});
	fake_say(&fake,
	    &(struct message){
		.type = MESSAGE_RECEIPT, .seq = 2, .notified = 5}); /* no */
	fake_wait(&fake, -1, 20);
	assert_results("");
	fake_say(&fake, &(struct message){
			    .type = MESSAGE_RECEIPT, .seq = 1, .notified = 7});
	ck_assert_int_eq(ssemux_pub_flush(pub, FAKE_PATIENCE_MS), 0);
	assert_results("receipt 1 1001-0 7\nreceipt 3 1003-0 9\n");
}
END_TEST

START_TEST(a_receipt_with_all_counts_says_them)
{
	struct ssemux_pub_event event = pub_event(1, "x");

	event.flags = SSEMUX_PUB_WANT_COUNTS;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	event.ticket = (void *)2;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	fake_greet(&fake, 0);
	ck_assert_uint_eq(
	    fake_hear_event(&fake, 1, "x").flags, MESSAGE_FLAG_COUNTS);
	fake_hear_event(&fake, 2, "x");
	fake_ack(&fake, 1);
	fake_ack(&fake, 2);
	fake_say(
	    &fake, &(struct message){
		       .type = MESSAGE_RECEIPT,
		       .seq = 1,
		       .notified = 4,
		       .counted = true,
		       .counts = {.matched = 7, .lagging = 2, .filtered = 1},
		       .late = 3,
		   });
	fake_say(&fake, &(struct message){
			    .type = MESSAGE_RECEIPT, .seq = 2, .notified = 5});
	ck_assert_int_eq(ssemux_pub_flush(pub, FAKE_PATIENCE_MS), 0);
	assert_results("acked 1 1001-0\nacked 2 1002-0\n"
		       "receipt 1 1001-0 4 of 7 2 1 3\nreceipt 2 1002-0 5\n");
}
END_TEST

START_TEST(a_receipt_that_cannot_come_any_more_is_unknown)
{
	struct ssemux_pub_event event = pub_event(1, "x");

	event.flags = SSEMUX_PUB_WANT_RECEIPT;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	event.ticket = (void *)2;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "x");
	fake_hear_event(&fake, 2, "x");
	fake_ack(&fake, 1);
	fake_hang_up(&fake);
	fake_greet(&fake, 2);
	fake_hear_event(&fake, 2, "x");
	assert_results("acked 1 1001-0\nreceipt 1 1001-0 -1\n");
	fake_ack_duplicate(&fake, 2);
	work_until_unacked(&fake, 0);
	assert_results("acked 2 1002-0 again\nreceipt 2 1002-0 -1\n");
}
END_TEST

START_TEST(a_resync_has_its_place_among_the_events)
{
	struct message message;

	publish_number(pub, 1);
	ck_assert_int_eq(ssemux_pub_resync(pub, "orders", (void *)2), 0);
	publish_number(pub, 3);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	message = fake_hear(&fake, MESSAGE_RESYNC);
	ck_assert_uint_eq(message.seq, 2);
	ck_assert(slice_is(message.event.channel, "orders"));
	fake_hear_event(&fake, 3, "3");
	for (uint64_t seq = 1; seq <= 3; seq++)
		fake_ack(&fake, seq);
	work_until_unacked(&fake, 0);
	assert_results("acked 1 1001-0\nacked 2 1002-0\nacked 3 1003-0\n");
}
END_TEST

/* Events that were taken before the broker said how long they may be. */
START_TEST(what_turns_out_to_be_too_long_is_refused_in_its_turn)
{
	struct ssemux_pub_event event = pub_event(1, "12345678901");

	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	publish_number(pub, 2);
	event.ticket = (void *)3;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	event.ticket = (void *)4;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	publish_number(pub, 5);
	fake_greet_with(&fake, &(struct message){
				   .type = MESSAGE_WELCOME,
				   .version = 1,
				   .max_event = 10,
				   .window = 100,
			       });
	fake_hear_event(&fake, 1, "2");
	fake_hear_event(&fake, 2, "5");
	assert_results("refused 1 too-large data\n");
	fake_ack(&fake, 1);
	fake_ack(&fake, 2);
	work_until_unacked(&fake, 0);
	assert_results("acked 2 1001-0\nrefused 3 too-large data\n"
		       "refused 4 too-large data\nacked 5 1002-0\n");
}
END_TEST

START_TEST(what_a_restarted_broker_finds_too_long_may_be_stored_already)
{
	struct ssemux_pub_event event = pub_event(1, "12345678901");

	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "12345678901");
	fake_hang_up(&fake);
	fake_greet_with(&fake, &(struct message){
				   .type = MESSAGE_WELCOME,
				   .version = 1,
				   .last_seq = 1,
				   .max_event = 10,
				   .window = 100,
			       });
	work_until_unacked(&fake, 0);
	assert_results("lost 1 too-large data\n");
}
END_TEST

static void
publish_again(const struct ssemux_pub_result *result, void *context)
{
	int ticket = (int)(intptr_t)result->ticket;

	note_result(result, context);
	ck_assert_int_eq(ssemux_pub_dispatch(pub), -1);
	ck_assert_int_eq(errno, EDEADLK);
	ck_assert_int_eq(ssemux_pub_flush(pub, 0), -1);
	ck_assert_int_eq(ssemux_pub_close(pub), -1);
	ck_assert_ptr_null(ssemux_pub_status(pub, 0));
	if (ticket < 5)
		publish_number(pub, ticket + 1);
}

START_TEST(the_result_function_may_publish_and_nothing_more)
{
	struct ssemux_pub_options options = pub_options(&fake);

	options.on_result = publish_again;
	reopen(&options);
	publish_number(pub, 1);
	fake_greet(&fake, 0);
	for (uint64_t seq = 1; seq <= 5; seq++) {
		fake_hear(&fake, MESSAGE_PUBLISH);
		fake_ack(&fake, seq);
	}
	work_until_unacked(&fake, 0);
	assert_results("acked 1 1001-0\nacked 2 1002-0\nacked 3 1003-0\n"
		       "acked 4 1004-0\nacked 5 1005-0\n");
}
END_TEST

/* Says its last words in the moment between our reading and our writing. */
static void
hang_up_when_refused(const struct ssemux_pub_result *result, void *context)
{
	note_result(result, context);
	if (result->outcome != SSEMUX_PUB_REFUSED)
		return;
	fake_say(&fake, &(struct message){
			    .type = MESSAGE_RECEIPT, .seq = 1, .notified = 7});
	fake_hang_up(&fake);
}

START_TEST(last_words_are_heard_when_writing_fails)
{
	struct ssemux_pub_options options = pub_options(&fake);
	struct ssemux_pub_event event = pub_event(1, "short");

	options.on_result = hang_up_when_refused;
	reopen(&options);
	event.flags = SSEMUX_PUB_WANT_RECEIPT;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	event = pub_event(2, "much too long");
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	publish_number(pub, 3);
	fake_greet_with(&fake, &(struct message){
				   .type = MESSAGE_WELCOME,
				   .version = 1,
				   .max_event = 10,
				   .window = 1,
			       });
	fake_hear_event(&fake, 1, "short");
	fake_ack(&fake, 1);
	work_until_state(&fake, SSEMUX_PUB_RECONNECTING);
	/* 3 was being written; no SIGPIPE has ended this process. */
	assert_results("acked 1 1001-0\nrefused 2 too-large data\n"
		       "receipt 1 1001-0 7\n");
	fake_greet(&fake, 1);
	fake_hear_event(&fake, 2, "3");
}
END_TEST

START_TEST(closing_with_everything_acked_says_bye)
{
	struct message message;

	publish_number(pub, 1);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_ack(&fake, 1);
	work_until_unacked(&fake, 0);
	ck_assert_int_eq(ssemux_pub_close(pub), 0);
	fake.pub = pub = NULL;
	fake_hear(&fake, MESSAGE_BYE);
	ck_assert(!fake_hear_any(&fake, &message));
}
END_TEST

START_TEST(closing_with_events_left_says_how_many_and_not_bye)
{
	struct message message;

	for (int i = 1; i <= 3; i++)
		publish_number(pub, i);
	fake_greet(&fake, 0);
	for (uint64_t seq = 1; seq <= 3; seq++)
		fake_hear(&fake, MESSAGE_PUBLISH);
	fake_ack(&fake, 1);
	work_until_unacked(&fake, 2);
	ck_assert_int_eq(ssemux_pub_close(pub), 2);
	fake.pub = pub = NULL;
	assert_results("acked 1 1001-0\nlost 2\nlost 3\n");
	ck_assert(!fake_hear_any(&fake, &message));
}
END_TEST

START_TEST(without_a_broker_it_keeps_trying)
{
	fake_stop_listening(&fake);
	publish_number(pub, 1);
	ck_assert_int_eq(ssemux_pub_timeout(pub), 0);
	for (int i = 0; i < 20; i++) {
		fake_wait(&fake, -1, ssemux_pub_timeout(pub) + 1);
		ck_assert_int_le(ssemux_pub_timeout(pub), 8);
		ck_assert_int_ge(ssemux_pub_timeout(pub), 0);
	}
	ck_assert_int_eq(ssemux_pub_state(pub), SSEMUX_PUB_CONNECTING);
	ck_assert_int_eq(ssemux_pub_error_number(pub), ENOENT);
	fake_listen(&fake);
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
}
END_TEST

enum { MANY = 2000 };

/* Stores what it hears for a while and acknowledges now and then. Returns the
 * number of the last event stored. */
static uint64_t
serve_badly(uint64_t stored, uint64_t published, unsigned turns)
{
	uint64_t acked = stored;

	for (unsigned i = 0; i < turns; i++) {
		struct message message = fake_hear(&fake, MESSAGE_PUBLISH);
		char data[16];

		snprintf(data, sizeof(data), "%d", (int)message.seq);
		ck_assert(slice_is(message.event.data, data));
		if (message.seq <= stored) {
			fake_ack_duplicate(&fake, message.seq);
			acked = message.seq;
		} else {
			ck_assert_uint_eq(message.seq, ++stored);
			for (; i % 3 == 0 && acked < stored; acked++)
				fake_ack(&fake, acked + 1);
		}
		if (message.seq == published)
			break;
	}
	return stored;
}

START_TEST(each_event_is_stored_once_however_often_the_broker_dies)
{
	uint64_t stored = 0;
	int published = 0;
	unsigned random = 12345;

	while (stored < MANY || ssemux_pub_unacked(pub) > 0) {
		while (published < MANY && ssemux_pub_unacked(pub) < 100)
			publish_number(pub, ++published);
		fake_greet(&fake, stored);
		random = random * 1103515245 + 12345;
		stored = serve_badly(
		    stored, (uint64_t)published, 1 + (random >> 16) % 120);
		fake_wait(&fake, -1, 0);
	}
	ck_assert_uint_eq(stored, MANY);
	/* Told once each, in order. */
	for (int i = 1; i <= MANY; i++) {
		char line[64];
		size_t len = (size_t)snprintf(
		    line, sizeof(line), "acked %d %d-0", i, 1000 + i);

		ck_assert_uint_ge(buf_length(&results), len);
		ck_assert_mem_eq(buf_bytes(&results), line, len);
		buf_consume(&results, len);
		while (*buf_bytes(&results) != '\n')
			buf_consume(&results, 1);
		buf_consume(&results, 1);
	}
	ck_assert_uint_eq(buf_length(&results), 0);
}
END_TEST

static void
add_answer_tests(TCase *tests)
{
	tcase_add_test(
	    tests, events_are_sent_in_order_and_their_acks_told_in_order);
	tcase_add_test(tests, all_that_an_event_has_arrives);
	tcase_add_test(tests, the_greeting_says_version_and_id);
	tcase_add_test(tests, numbers_go_on_from_where_the_broker_remembers);
	tcase_add_test(tests, an_answer_byte_by_byte_is_heard);
	tcase_add_test(tests, a_refused_event_does_not_stop_those_after_it);
	tcase_add_test(tests, no_more_than_the_window_is_sent_without_an_ack);
	tcase_add_test(tests, a_new_connection_has_a_window_of_its_own);
	tcase_add_test(tests, what_is_acked_makes_room_again);
	tcase_add_test(tests, last_words_are_heard_when_writing_fails);
	tcase_add_test(
	    tests, a_broker_that_reads_slowly_makes_the_publisher_wait);
	tcase_add_test(tests, receipts_are_told_in_order_after_their_acks);
	tcase_add_test(tests, a_resync_has_its_place_among_the_events);
	tcase_add_test(
	    tests, what_turns_out_to_be_too_long_is_refused_in_its_turn);
	tcase_add_test(tests, the_result_function_may_publish_and_nothing_more);
	tcase_add_test(tests, closing_with_everything_acked_says_bye);
	tcase_add_test(
	    tests, closing_with_events_left_says_how_many_and_not_bye);
}

static void
add_loss_tests(TCase *tests)
{
	tcase_add_test(
	    tests, what_was_not_acked_is_sent_anew_under_the_same_number);
	tcase_add_test(tests, acks_before_the_end_of_a_connection_are_heard);
	tcase_add_test(
	    tests, a_message_cut_off_in_the_middle_is_sent_from_its_start);
	tcase_add_test(tests, an_answer_cut_off_by_the_end_is_no_answer);
	tcase_add_loop_test(tests, a_temporary_error_brings_a_new_connection,
	    REFUSAL_STORE, REFUSAL_COUNT);
	tcase_add_test(
	    tests, a_temporary_error_instead_of_the_greeting_is_waited_out);
	tcase_add_test(tests, a_receipt_with_all_counts_says_them);
	tcase_add_test(tests, a_receipt_that_cannot_come_any_more_is_unknown);
	tcase_add_test(tests,
	    what_a_restarted_broker_finds_too_long_may_be_stored_already);
	tcase_add_test(
	    tests, numbers_that_the_broker_forgot_are_not_given_again);
	tcase_add_test(tests, without_a_broker_it_keeps_trying);
	tcase_add_test(
	    tests, each_event_is_stored_once_however_often_the_broker_dies);
}

static void
add_failure_tests(TCase *tests)
{
	tcase_add_test(tests, a_final_error_loses_everything_and_says_so);
	tcase_add_test(
	    tests, a_publisher_that_is_not_allowed_fails_with_eacces);
	tcase_add_test(tests, an_error_code_of_the_future_is_final);
	tcase_add_test(tests, another_version_is_final);
	tcase_add_test(tests, numbers_that_another_process_gave_are_final);
	tcase_add_loop_test(tests,
	    nonsense_breaks_the_connection_and_nothing_else, 0,
	    sizeof(nonsense) / sizeof(nonsense[0]));
	tcase_add_test(
	    tests, nonsense_instead_of_a_greeting_breaks_the_connection);
}

static Suite *
suite(void)
{
	Suite *suite = suite_create("pub_session");
	TCase *tests = tcase_create("pub_session");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	add_answer_tests(tests);
	add_loss_tests(tests);
	add_failure_tests(tests);
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
