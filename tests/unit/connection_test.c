/*
 * Tests of connection: answers that come later, and who goes meanwhile. The
 * test has the other end of the socket, and is the loop.
 */
#include "broker/worker/connection.h"

#include <check.h>
#include <unistd.h>

#include "broker/worker/reply.h"
#include "tests/unit/hand_worker.h"
#include "tests/unit/suite.h"

static struct hand_worker hand;
static int peer;
static int dropped;
static char errand;

static void
make(void)
{
	hand_worker_make(&hand);
	peer = hand_worker_connect(&hand);
	dropped = 0;
}

static void
finish(void)
{
	if (peer != -1)
		close(peer);
	hand_worker_finish(&hand);
}

static void
note_dropped(void *context)
{
	ck_assert_ptr_eq(context, &errand);
	dropped++;
}

/* The only connection; NULL: it is gone. */
static struct connection *
connection(void)
{
	return hand.worker.connections;
}

static void
wait_long(void)
{
	struct connection *one = connection();

	one->http_minor = 1;
	one->keep_alive = true;
	connection_wait(one, 5000, &errand, note_dropped);
}

static void
turn(void)
{
	for (int i = 0; i < 4; i++)
		hand_worker_turn(&hand);
}

static void
say(const char *text)
{
	ck_assert_int_eq(send(peer, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
	turn();
}

/* What came so far; "" at its end, too. */
static const char *
heard(void)
{
	static char text[8192];
	size_t len = 0;
	ssize_t got;

	turn();
	while ((got = recv(peer, text + len, sizeof(text) - len - 1,
		    MSG_DONTWAIT)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	return text;
}

static void
deliver(void)
{
	reply_body(connection(), 200, "text/plain", slice_of_text("late"));
	connection_deliver(connection());
}

START_TEST(an_answer_may_come_later)
{
	wait_long();
	ck_assert_str_eq(heard(), "");
	ck_assert_int_eq(connection()->state, CONNECTION_WAITING);
	deliver();
	ck_assert_ptr_nonnull(strstr(heard(), "\r\n\r\nlate"));
	ck_assert_int_eq(connection()->state, CONNECTION_READING);
	ck_assert_int_eq(dropped, 0);
}
END_TEST

START_TEST(what_is_asked_meanwhile_is_answered_after_it)
{
	const char *text, *first;

	wait_long();
	say("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\nGET /hea");
	ck_assert_str_eq(heard(), "");
	deliver();
	text = heard();
	first = strstr(text, "\r\n\r\nlate");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_nonnull(strstr(first, "\r\n\r\nok\n"));
	say("lthz HTTP/1.1\r\nHost: h\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(heard(), "\r\n\r\nok\n"));
}
END_TEST

START_TEST(what_is_sent_meanwhile_is_kept_within_bounds)
{
	static char flood[4096];

	memset(flood, 'a', sizeof(flood));
	wait_long();
	for (int i = 0; i < 1000; i++) {
		if (send(peer, flood, sizeof(flood),
			MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
			break;
		turn();
	}
	ck_assert_uint_lt(buf_length(&connection()->in),
	    hand.config.http_max_head + sizeof(flood));
	ck_assert(!ev_is_active(&connection()->io));
	deliver();
	ck_assert_ptr_nonnull(strstr(heard(), "\r\n\r\nlate"));
}
END_TEST

START_TEST(who_says_no_more_still_gets_the_answer)
{
	wait_long();
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	turn();
	ck_assert_int_eq(connection()->state, CONNECTION_WAITING);
	ck_assert(!ev_is_active(&connection()->io));
	deliver();
	ck_assert_ptr_nonnull(strstr(heard(), "Connection: close\r\n"));
	ck_assert_ptr_null(connection());
	ck_assert_int_eq(dropped, 0);
}
END_TEST

START_TEST(who_is_gone_is_noticed_when_the_answer_is_sent)
{
	wait_long();
	close(peer);
	peer = -1;
	turn();
	deliver();
	ck_assert_ptr_null(connection());
	ck_assert_int_eq(dropped, 0);
}
END_TEST

START_TEST(the_errand_hears_once_when_the_connection_goes)
{
	wait_long();
	connection_destroy(connection());
	ck_assert_int_eq(dropped, 1);
	ck_assert_ptr_null(connection());
}
END_TEST

START_TEST(when_the_time_is_up_the_client_is_told_to_come_again)
{
	const char *text;

	wait_long();
	connection_due(&connection()->due, NULL);
	ck_assert_int_eq(dropped, 1);
	text = heard();
	ck_assert_ptr_nonnull(strstr(text, "HTTP/1.1 503 "));
	ck_assert_ptr_nonnull(strstr(text, "\"code\":\"later\""));
	ck_assert_ptr_nonnull(strstr(text, "\r\nRetry-After: "));
	ck_assert_int_eq(connection()->state, CONNECTION_READING);
	say("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(heard(), "\r\n\r\nok\n"));
	ck_assert_int_eq(dropped, 1);
}
END_TEST

START_TEST(an_answer_that_is_due_is_not_cut_off_by_a_drain)
{
	wait_long();
	hand.worker.draining = true;
	connection_drain(connection());
	ck_assert_ptr_nonnull(connection());
	deliver();
	ck_assert_ptr_nonnull(strstr(heard(), "\r\n\r\nlate"));
	ck_assert_int_eq(connection()->state, CONNECTION_LINGERING);
}
END_TEST

/* Opens a stream and checks that all it is told comes in one write. */
static void
assert_begins_with_one_write(const char *request)
{
	char text[4096];
	ssize_t got;

	close(peer);
	peer = hand_worker_connect_as(&hand, SOCK_SEQPACKET);
	say(request);
	got = recv(peer, text, sizeof(text) - 1, 0);
	ck_assert_int_gt(got, 0);
	text[got] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "HTTP/1.1 200 OK"));
	ck_assert_ptr_nonnull(strstr(text, "event: connected"));
	ck_assert_ptr_nonnull(strstr(text, "event: live"));
	ck_assert_str_eq(heard(), "");
}

START_TEST(a_stream_at_the_head_begins_with_one_write)
{
	assert_begins_with_one_write(
	    "GET /stream?channels=a HTTP/1.1\r\nHost: h\r\n\r\n");
}
END_TEST

START_TEST(so_does_one_that_missed_only_what_is_of_others)
{
	for (int i = 0; i < 30; i++)
		hand_worker_publish(&hand, 20);
	turn();
	assert_begins_with_one_write(
	    "GET /stream?channels=a,b:*&since=1763700000000-1 HTTP/1.1\r\n"
	    "Host: h\r\n\r\n");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("connection");

	tcase_add_checked_fixture(tests, make, finish);
	tcase_add_test(tests, an_answer_may_come_later);
	tcase_add_test(tests, what_is_asked_meanwhile_is_answered_after_it);
	tcase_add_test(tests, what_is_sent_meanwhile_is_kept_within_bounds);
	tcase_add_test(tests, who_says_no_more_still_gets_the_answer);
	tcase_add_test(tests, who_is_gone_is_noticed_when_the_answer_is_sent);
	tcase_add_test(tests, the_errand_hears_once_when_the_connection_goes);
	tcase_add_test(
	    tests, when_the_time_is_up_the_client_is_told_to_come_again);
	tcase_add_test(tests, an_answer_that_is_due_is_not_cut_off_by_a_drain);
	tcase_add_test(tests, a_stream_at_the_head_begins_with_one_write);
	tcase_add_test(tests, so_does_one_that_missed_only_what_is_of_others);
	return suite_run("connection", tests);
}
