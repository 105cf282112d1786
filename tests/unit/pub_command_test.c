/* Tests of libpub's kick, revoke and restore: the broker is a thread. */
#include "tests/unit/pub_thread.h"

#include "tests/unit/suite.h"

static void
say_done(uint64_t id, uint64_t count, uint64_t late)
{
	fake_say(&fake,
	    &(struct message){
		.type = MESSAGE_DONE, .id = id, .count = count, .late = late});
}

static void
say_failed(uint64_t id, enum refusal refusal)
{
	fake_say(&fake, &(struct message){
			    .type = MESSAGE_FAILED,
			    .id = id,
			    .code = slice_of_text(refusal_code(refusal)),
			    .text = slice_of_text(refusal_sentence(refusal)),
			});
}

static void
hear_command(uint64_t id, enum message_command what, const char *user,
    const char *pattern)
{
	struct message message = fake_hear(&fake, MESSAGE_COMMAND);

	ck_assert_uint_eq(message.id, id);
	ck_assert_int_eq(message.command, what);
	ck_assert(slice_is(message.user, user));
	ck_assert(slice_is(message.pattern, pattern));
}

static void *
do_three(void *nothing)
{
	fake_greet(&fake, 0);
	hear_command(1, MESSAGE_KICK, "u1", "");
	say_done(1, 3, 0);
	hear_command(2, MESSAGE_REVOKE, "u1", "a:*");
	say_done(2, 0, 0);
	hear_command(3, MESSAGE_RESTORE, "u1", "");
	say_done(3, 2, 0);
	hear_command(4, MESSAGE_RESTORE, "u1", "a");
	say_done(4, 1, 0);
	hear_command(5, MESSAGE_DRAIN, "", "");
	say_done(5, 9, 0);
	return nothing;
}

START_TEST(each_returns_how_many_were_told_or_taken_back)
{
	start(do_three);
	ck_assert_int_eq(ssemux_pub_kick(pub, "u1", FAKE_PATIENCE_MS), 3);
	ck_assert_int_eq(
	    ssemux_pub_revoke(pub, "u1", "a:*", FAKE_PATIENCE_MS), 0);
	ck_assert_int_eq(
	    ssemux_pub_restore(pub, "u1", NULL, FAKE_PATIENCE_MS), 2);
	ck_assert_int_eq(
	    ssemux_pub_restore(pub, "u1", "a", FAKE_PATIENCE_MS), 1);
	ck_assert_int_eq(ssemux_pub_drain(pub, FAKE_PATIENCE_MS), 9);
}
END_TEST

START_TEST(what_cannot_be_is_refused_without_a_word)
{
	char user[300];

	memset(user, 'u', sizeof(user));
	user[257] = '\0';
	ck_assert_int_eq(ssemux_pub_kick(pub, NULL, 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_eq(ssemux_pub_error_code(pub), "user");
	ck_assert_int_eq(ssemux_pub_kick(pub, "", 0), -1);
	ck_assert_int_eq(ssemux_pub_kick(pub, user, 0), -1);
	ck_assert_int_eq(ssemux_pub_kick(pub, "a\nb", 0), -1);
	ck_assert_int_eq(ssemux_pub_kick(pub, "\xFF", 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(ssemux_pub_revoke(pub, "u", NULL, 0), -1);
	ck_assert_str_eq(ssemux_pub_error_code(pub), "pattern");
	ck_assert_int_eq(ssemux_pub_revoke(pub, "u", "", 0), -1);
	ck_assert_int_eq(ssemux_pub_revoke(pub, "u", "a*", 0), -1);
	ck_assert_int_eq(ssemux_pub_restore(pub, "u", "", 0), -1);
	ck_assert_str_eq(ssemux_pub_error_code(pub), "pattern");
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_int_eq(ssemux_pub_kick(NULL, "u", 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(ssemux_pub_state(pub), SSEMUX_PUB_CONNECTING);
	ck_assert_int_eq(ssemux_pub_fd(pub), -1);
}
END_TEST

static void *
refuse_three_and_go_on(void *nothing)
{
	fake_greet(&fake, 0);
	hear_command(1, MESSAGE_KICK, "u", "");
	say_failed(1, REFUSAL_NOT_ALLOWED);
	hear_command(2, MESSAGE_KICK, "u", "");
	say_failed(2, REFUSAL_FULL);
	hear_command(3, MESSAGE_KICK, "u", "");
	say_done(3, 0, 2);
	hear_command(4, MESSAGE_KICK, "u", "");
	fake_say(&fake, &(struct message){.type = MESSAGE_FAILED,
			    .id = 4,
			    .code = slice_of_text("of-later"),
			    .text = slice_of_text("unheard of")});
	fake_hear_event(&fake, 1, "5");
	fake_ack(&fake, 1);
	return nothing;
}

START_TEST(a_refusal_says_why_and_the_publisher_goes_on)
{
	start(refuse_three_and_go_on);
	ck_assert_int_eq(ssemux_pub_kick(pub, "u", FAKE_PATIENCE_MS), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_str_eq(ssemux_pub_error_code(pub), "not-allowed");
	ck_assert_int_eq(ssemux_pub_kick(pub, "u", FAKE_PATIENCE_MS), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_str_eq(ssemux_pub_error_code(pub), "full");
	ck_assert_int_eq(ssemux_pub_kick(pub, "u", FAKE_PATIENCE_MS), -1);
	ck_assert_int_eq(errno, EINPROGRESS);
	ck_assert_str_eq(ssemux_pub_error_code(pub), "");
	ck_assert_int_eq(ssemux_pub_kick(pub, "u", FAKE_PATIENCE_MS), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_eq(ssemux_pub_error(pub), "unheard of");
	publish_number(pub, 5);
	ck_assert_int_eq(ssemux_pub_flush(pub, FAKE_PATIENCE_MS), 0);
	assert_results("acked 5 1001-0\n");
}
END_TEST

static void *
die_then_do(void *nothing)
{
	for (int i = 0; i < 3; i++) {
		fake_greet(&fake, 0);
		hear_command(1, MESSAGE_REVOKE, "u", "a");
		fake_hang_up(&fake);
	}
	fake_greet(&fake, 0);
	hear_command(1, MESSAGE_REVOKE, "u", "a");
	say_done(1, 7, 0);
	return nothing;
}

START_TEST(a_broker_that_dies_is_asked_again)
{
	start(die_then_do);
	ck_assert_int_eq(ssemux_pub_revoke(pub, "u", "a", FAKE_PATIENCE_MS), 7);
}
END_TEST

static void *
answer_questions(void *nothing)
{
	fake_greet(&fake, 0);
	hear_command(1, MESSAGE_TRACE, "", "1-0");
	fake_say(&fake, &(struct message){.type = MESSAGE_DONE,
			    .id = 1,
			    .count = 2,
			    .late = 1,
			    .text = slice_of_text("{\"a\":1}")});
	hear_command(2, MESSAGE_EXPLAIN, "u", "2-0");
	fake_say(&fake,
	    &(struct message){
		.type = MESSAGE_DONE, .id = 2, .text = slice_of_text("{}")});
	return nothing;
}

START_TEST(questions_return_what_is_said_whoever_is_late)
{
	start(answer_questions);
	ck_assert_str_eq(
	    ssemux_pub_trace(pub, "1-0", FAKE_PATIENCE_MS), "{\"a\":1}");
	ck_assert_str_eq(
	    ssemux_pub_explain(pub, "u", "2-0", FAKE_PATIENCE_MS), "{}");
	ck_assert_ptr_null(ssemux_pub_trace(pub, "x", FAKE_PATIENCE_MS));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(ssemux_pub_explain(pub, NULL, "1-0", 0));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

static void *
die_and_be_another(void *nothing)
{
	fake_greet(&fake, 0);
	hear_command(1, MESSAGE_DRAIN, "", "");
	fake_hang_up(&fake);
	fake_greet(&fake, 0);
	hear_command(2, MESSAGE_KICK, "u", "");
	say_done(2, 1, 0);
	return nothing;
}

START_TEST(the_next_broker_is_not_told_to_drain_too)
{
	start(die_and_be_another);
	ck_assert_int_eq(ssemux_pub_drain(pub, FAKE_PATIENCE_MS), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	ck_assert_int_eq(ssemux_pub_kick(pub, "u", FAKE_PATIENCE_MS), 1);
}
END_TEST

static void *
answer_the_first_late(void *nothing)
{
	fake_greet(&fake, 0);
	hear_command(1, MESSAGE_KICK, "u", "");
	hear_command(2, MESSAGE_KICK, "v", "");
	say_done(1, 1, 0);
	say_done(2, 2, 0);
	return nothing;
}

START_TEST(an_answer_that_comes_too_late_is_not_taken_for_another)
{
	int64_t deadline_ms = fake_now_ms() + FAKE_PATIENCE_MS;

	start(answer_the_first_late);
	while (ssemux_pub_state(pub) != SSEMUX_PUB_CONNECTED) {
		ck_assert_int_lt(fake_now_ms(), deadline_ms);
		(void)ssemux_pub_flush(pub, 1);
		ck_assert_int_eq(ssemux_pub_dispatch(pub), 0);
	}
	ck_assert_int_eq(ssemux_pub_kick(pub, "u", 20), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(ssemux_pub_kick(pub, "v", FAKE_PATIENCE_MS), 2);
}
END_TEST

static void *
answer_what_nobody_asked(void *nothing)
{
	fake_greet(&fake, 0);
	hear_command(1, MESSAGE_KICK, "u", "");
	say_done(9, 1, 0);
	fake_greet(&fake, 0);
	hear_command(1, MESSAGE_KICK, "u", "");
	say_done(1, 1, 0);
	return nothing;
}

START_TEST(an_answer_nobody_asked_for_costs_the_connection)
{
	start(answer_what_nobody_asked);
	ck_assert_int_eq(ssemux_pub_kick(pub, "u", FAKE_PATIENCE_MS), 1);
}
END_TEST

START_TEST(without_a_broker_the_time_is_up_and_it_says_why)
{
	fake_stop_listening(&fake);
	ck_assert_int_eq(ssemux_pub_kick(pub, "u", 20), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_ptr_nonnull(
	    strstr(ssemux_pub_error(pub), "cannot connect to"));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("pub_command");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, each_returns_how_many_were_told_or_taken_back);
	tcase_add_test(tests, what_cannot_be_is_refused_without_a_word);
	tcase_add_test(tests, a_refusal_says_why_and_the_publisher_goes_on);
	tcase_add_test(tests, a_broker_that_dies_is_asked_again);
	tcase_add_test(tests, questions_return_what_is_said_whoever_is_late);
	tcase_add_test(tests, the_next_broker_is_not_told_to_drain_too);
	tcase_add_test(
	    tests, an_answer_that_comes_too_late_is_not_taken_for_another);
	tcase_add_test(tests, an_answer_nobody_asked_for_costs_the_connection);
	tcase_add_test(tests, without_a_broker_the_time_is_up_and_it_says_why);
	return suite_run("pub_command", tests);
}
