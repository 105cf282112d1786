/* Tests of libpub's calls that wait: the broker is a thread of its own. */
#include "tests/unit/pub_thread.h"

#include <signal.h>

static void
open_with(const struct ssemux_pub_options *options)
{
	pub = ssemux_pub_open(options);
	ck_assert_ptr_nonnull(pub);
}

static int
send_text(const char *text, int timeout_ms, char *cursor)
{
	struct ssemux_pub_event event = pub_event(99, text);

	return ssemux_pub_send(pub, &event, timeout_ms, cursor);
}

static void *
acknowledge_two(void *nothing)
{
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "1");
	fake_hear_event(&fake, 2, "x");
	fake_ack(&fake, 1);
	fake_ack(&fake, 2);
	return nothing;
}

START_TEST(send_returns_when_the_event_is_stored)
{
	char cursor[SSEMUX_PUB_CURSOR_SIZE];

	publish_number(pub, 1);
	start(acknowledge_two);
	ck_assert_int_eq(send_text("x", FAKE_PATIENCE_MS, cursor), 0);
	ck_assert_str_eq(cursor, "1002-0");
	/* Its result is the return; those of others are told. */
	assert_results("acked 1 1001-0\n");
	ck_assert_uint_eq(ssemux_pub_unacked(pub), 0);
}
END_TEST

START_TEST(send_waits_for_ever_when_told_so)
{
	publish_number(pub, 1);
	start(acknowledge_two);
	ck_assert_int_eq(send_text("x", -1, NULL), 0);
}
END_TEST

static void *
die_then_acknowledge(void *nothing)
{
	for (int i = 0; i < 5; i++) {
		fake_greet(&fake, 0);
		fake_hear_event(&fake, 1, "x");
		fake_hang_up(&fake);
	}
	fake_greet(&fake, 1);
	fake_hear_event(&fake, 1, "x");
	fake_ack_duplicate(&fake, 1);
	return nothing;
}

START_TEST(send_rides_out_a_broker_that_dies)
{
	char cursor[SSEMUX_PUB_CURSOR_SIZE];

	start(die_then_acknowledge);
	ck_assert_int_eq(send_text("x", FAKE_PATIENCE_MS, cursor), 0);
	ck_assert_str_eq(cursor, "1001-0");
}
END_TEST

static void *
refuse_one(void *nothing)
{
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "x");
	fake_refuse(&fake, 1, REFUSAL_NOT_ALLOWED, "channel");
	return nothing;
}

START_TEST(send_says_why_the_broker_refused)
{
	start(refuse_one);
	ck_assert_int_eq(send_text("x", FAKE_PATIENCE_MS, NULL), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_str_eq(ssemux_pub_error_code(pub), "not-allowed");
	ck_assert_str_eq(ssemux_pub_error_field(pub), "channel");
	ck_assert_str_eq(ssemux_pub_error(pub), "not allowed: orders");
	assert_results("");
}
END_TEST

static void *
take_over(void *nothing)
{
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "x");
	fake_refuse(&fake, 0, REFUSAL_REPLACED, "");
	return nothing;
}

START_TEST(send_says_that_the_handle_has_failed)
{
	start(take_over);
	ck_assert_int_eq(send_text("x", FAKE_PATIENCE_MS, NULL), -1);
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_str_eq(ssemux_pub_error_code(pub), "replaced");
	ck_assert_int_eq(ssemux_pub_state(pub), SSEMUX_PUB_FAILED);
	assert_results("");
	ck_assert_int_eq(ssemux_pub_flush(pub, -1), -1);
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_ptr_null(ssemux_pub_status(pub, -1));
}
END_TEST

/* Nobody accepts: the connection stands in the backlog. */
START_TEST(send_gives_up_in_time_and_keeps_the_event)
{
	int64_t before_ms = fake_now_ms();

	ck_assert_int_eq(send_text("x", 30, NULL), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_ge(fake_now_ms() - before_ms, 30);
	ck_assert_uint_eq(ssemux_pub_unacked(pub), 1);
	ck_assert_str_eq(ssemux_pub_error(pub), "not acknowledged in time");
	fake.pub = pub; /* the result comes later, to the function */
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "x");
	fake_ack(&fake, 1);
	work_until_unacked(&fake, 0);
	assert_results("acked 99 1001-0\n");
}
END_TEST

START_TEST(send_says_what_keeps_it_from_the_broker)
{
	fake_stop_listening(&fake);
	ck_assert_int_eq(send_text("x", 20, NULL), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(ssemux_pub_error(pub),
	    "not acknowledged in time: cannot connect to "));
}
END_TEST

START_TEST(send_without_room_gives_up_and_has_not_taken_the_event)
{
	struct ssemux_pub_options options = pub_options(&fake);

	options.max_events = 1;
	(void)ssemux_pub_close(pub);
	open_with(&options);
	publish_number(pub, 1);
	ck_assert_int_eq(send_text("x", 20, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_uint_eq(ssemux_pub_unacked(pub), 1);
	ck_assert_int_eq(ssemux_pub_close(pub), 1);
	pub = NULL;
	assert_results("lost 1\n");
}
END_TEST

static void *
acknowledge_one_by_one(void *nothing)
{
	fake_greet(&fake, 0);
	for (uint64_t seq = 1; seq <= 20; seq++) {
		fake_hear(&fake, MESSAGE_PUBLISH);
		fake_ack(&fake, seq);
	}
	return nothing;
}

START_TEST(send_takes_its_turn_when_there_is_little_room)
{
	struct ssemux_pub_options options = pub_options(&fake);

	options.max_events = 2;
	(void)ssemux_pub_close(pub);
	open_with(&options);
	start(acknowledge_one_by_one);
	for (int i = 1; i <= 10; i++) {
		publish_number(pub, i);
		ck_assert_int_eq(send_text("x", FAKE_PATIENCE_MS, NULL), 0);
	}
}
END_TEST

START_TEST(flush_waits_until_nothing_is_left)
{
	for (int i = 1; i <= 20; i++)
		publish_number(pub, i);
	start(acknowledge_one_by_one);
	ck_assert_int_eq(ssemux_pub_flush(pub, FAKE_PATIENCE_MS), 0);
	ck_assert_uint_eq(ssemux_pub_unacked(pub), 0);
	ck_assert_int_eq(ssemux_pub_flush(pub, -1), 0);
}
END_TEST

START_TEST(flush_returns_1_when_the_time_is_up)
{
	ck_assert_int_eq(ssemux_pub_flush(pub, 0), 0);
	publish_number(pub, 1);
	ck_assert_int_eq(ssemux_pub_flush(pub, 0), 1);
	ck_assert_int_eq(ssemux_pub_flush(pub, 20), 1);
	ck_assert_uint_eq(ssemux_pub_unacked(pub), 1);
}
END_TEST

static void *
report_in_the_middle(void *nothing)
{
	fake_greet(&fake, 0);
	fake_hear(&fake, MESSAGE_STATUS);
	fake_hang_up(&fake); /* it asks again */
	fake_greet(&fake, 0);
	fake_hear(&fake, MESSAGE_STATUS);
	fake_hear_event(&fake, 1, "1");
	fake_ack(&fake, 1);
	fake_say(&fake, &(struct message){.type = MESSAGE_REPORT,
			    .text = slice_of_text("{\"cursor\":\"1-0\"}")});
	return nothing;
}

START_TEST(status_gives_the_report)
{
	const char *report;

	publish_number(pub, 1);
	start(report_in_the_middle);
	report = ssemux_pub_status(pub, FAKE_PATIENCE_MS);
	ck_assert_ptr_nonnull(report);
	ck_assert_str_eq(report, "{\"cursor\":\"1-0\"}");
	assert_results("acked 1 1001-0\n");
}
END_TEST

static void *
report_late(void *nothing)
{
	fake_greet(&fake, 0);
	fake_hear(&fake, MESSAGE_STATUS);
	fake_hear_event(&fake, 1, "1");
	fake_say(&fake, &(struct message){.type = MESSAGE_REPORT,
			    .text = slice_of_text("{\"late\":1}")});
	fake_ack(&fake, 1);
	fake_hear(&fake, MESSAGE_STATUS);
	fake_say(&fake, &(struct message){.type = MESSAGE_REPORT,
			    .text = slice_of_text("{\"new\":1}")});
	return nothing;
}

/* A report that came after its caller had given up is not given to the next,
 * who asks later. */
START_TEST(status_is_never_an_old_report)
{
	const char *report;

	ck_assert_ptr_null(ssemux_pub_status(pub, 20));
	ck_assert_int_eq(errno, ETIMEDOUT);
	start(report_late);
	publish_number(pub, 1);
	/* The ack comes behind the late report. */
	ck_assert_int_eq(ssemux_pub_flush(pub, FAKE_PATIENCE_MS), 0);
	report = ssemux_pub_status(pub, FAKE_PATIENCE_MS);
	ck_assert_ptr_nonnull(report);
	ck_assert_str_eq(report, "{\"new\":1}");
}
END_TEST

static volatile sig_atomic_t alarms;

static void
note_alarm(int number)
{
	(void)number;
	alarms++;
}

static void *
acknowledge_after_alarms(void *nothing)
{
	fake_greet(&fake, 0);
	fake_hear_event(&fake, 1, "x");
	while (alarms < 3)
		pthread_kill(*(pthread_t *)nothing, SIGALRM);
	fake_ack(&fake, 1);
	return nothing;
}

START_TEST(a_signal_does_not_end_the_wait)
{
	struct sigaction action = {.sa_handler = note_alarm};
	pthread_t self = pthread_self();

	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(
	    pthread_create(&thread, NULL, acknowledge_after_alarms, &self), 0);
	thread_runs = true;
	ck_assert_int_eq(send_text("x", FAKE_PATIENCE_MS, NULL), 0);
}
END_TEST

/* Writing to a broker that is gone: no SIGPIPE, and its disposition stays the
 * default, which would have ended this process. */
START_TEST(a_broken_connection_raises_no_signal)
{
	struct sigaction action;

	fake.pub = pub;
	for (int i = 1; i <= 20; i++) {
		fake_greet(&fake, 0);
		publish_number(pub, i);
		fake_hang_up(&fake);
		fake_wait(&fake, -1, 0);
	}
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
	ck_assert_ptr_eq(action.sa_handler, SIG_DFL);
}
END_TEST

static void
add_send_tests(TCase *tests)
{
	tcase_add_test(tests, send_returns_when_the_event_is_stored);
	tcase_add_test(tests, send_waits_for_ever_when_told_so);
	tcase_add_test(tests, send_rides_out_a_broker_that_dies);
	tcase_add_test(tests, send_says_why_the_broker_refused);
	tcase_add_test(tests, send_says_that_the_handle_has_failed);
	tcase_add_test(tests, send_gives_up_in_time_and_keeps_the_event);
	tcase_add_test(tests, send_says_what_keeps_it_from_the_broker);
	tcase_add_test(
	    tests, send_without_room_gives_up_and_has_not_taken_the_event);
	tcase_add_test(tests, send_takes_its_turn_when_there_is_little_room);
}

static Suite *
suite(void)
{
	Suite *suite = suite_create("pub_wait");
	TCase *tests = tcase_create("pub_wait");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	add_send_tests(tests);
	tcase_add_test(tests, flush_waits_until_nothing_is_left);
	tcase_add_test(tests, flush_returns_1_when_the_time_is_up);
	tcase_add_test(tests, status_gives_the_report);
	tcase_add_test(tests, status_is_never_an_old_report);
	tcase_add_test(tests, a_signal_does_not_end_the_wait);
	tcase_add_test(tests, a_broken_connection_raises_no_signal);
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
