/* Tests of courier: whatever becomes of the hub, each event is said under one
 * number, and each errand and each question is answered once. */
#include "broker/worker/courier/courier.h"

#include "broker/worker/asked.h"
#include "tests/unit/hand_hub.h"
#include "tests/unit/suite.h"

enum { RESULTS_MAX = 8 };

/* What became of an errand. */
struct outcome {
	struct errand *errand;
	int times;
	size_t count;
	struct courier_result results[RESULTS_MAX];
};

static struct hand_hub hub;
static struct outcome outcomes[RESULTS_MAX];

/* In place of asked.c: which worker this is, to those who ask for its place. */
void
asked_answer(struct worker *worker, struct slice question, struct buf *answer)
{
	if (slice_is(question, "{\"ask\":\"place\"}"))
		buf_printf(answer, "%zu", worker->heritage->worker);
}

static void
set_up(void)
{
	memset(outcomes, 0, sizeof(outcomes));
	hand_hub_make(&hub);
}

static void
tear_down(void)
{
	hand_hub_finish(&hub);
}

static void
on_answered(const struct courier_result *results, size_t count, void *context)
{
	struct outcome *outcome = context;

	ck_assert_uint_le(count, RESULTS_MAX);
	outcome->times++;
	outcome->count = count;
	memcpy(outcome->results, results, count * sizeof(results[0]));
}

static struct courier_event
event_of(const char *data, const char *identity, uint64_t seq)
{
	return (struct courier_event){
	    .event = {.channel = slice_of_text("c"),
		.data = slice_of_text(data),
		.kind = EVENT_TEXT},
	    .identity = slice_of_text(identity),
	    .seq = seq,
	};
}

static struct errand *
publish_list(struct outcome *outcome, const struct courier_event *events,
    size_t count, enum courier_receipts receipts)
{
	const struct courier_list list = {
	    .events = events,
	    .count = count,
	    .receipts = receipts,
	    .answered = on_answered,
	    .context = outcome,
	};

	return outcome->errand = courier_publish(&hub.worker, &list);
}

/* An event of the worker's own. */
static void
publish(struct outcome *outcome, const char *data)
{
	struct courier_event event = event_of(data, "", 0);

	ck_assert_ptr_nonnull(
	    publish_list(outcome, &event, 1, COURIER_NO_RECEIPTS));
}

static struct message
hear_event(const char *data, uint64_t seq)
{
	struct message message = hand_hub_hear(&hub, MESSAGE_PUBLISH);

	ck_assert(slice_is(message.event.data, data));
	ck_assert_uint_eq(message.seq, seq);
	return message;
}

static void
hear_as(const char *identity)
{
	struct message message = hand_hub_hear(&hub, MESSAGE_AS);

	ck_assert(slice_is(message.publisher, identity));
}

static void
begin(void)
{
	hand_hub_link(&hub);
	hand_hub_welcome(&hub, 0);
}

/* --- events --- */

START_TEST(an_event_is_said_and_its_answer_told_once)
{
	begin();
	publish(&outcomes[0], "x");
	ck_assert_uint_eq(hear_event("x", 1).flags, MESSAGE_FLAG_TEXT);
	ck_assert_int_eq(outcomes[0].times, 0);
	hand_hub_ack(&hub, 1, 77);
	hand_hub_turn(&hub);
	ck_assert_int_eq(outcomes[0].times, 1);
	ck_assert_uint_eq(outcomes[0].results[0].cursor, 77);
	ck_assert_int_eq(outcomes[0].results[0].fault.refusal, REFUSAL_NONE);
	ck_assert(!outcomes[0].results[0].duplicate);
}
END_TEST

START_TEST(what_is_published_without_a_hub_waits_for_one)
{
	publish(&outcomes[0], "x");
	hand_hub_turn(&hub);
	ck_assert(!courier_connected(&hub.worker));
	hand_hub_link(&hub);
	hand_hub_hear(&hub, MESSAGE_HELLO);
	hand_hub_hear_nothing(&hub);
	hand_hub_link(&hub);
	hand_hub_welcome(&hub, 0);
	ck_assert(courier_connected(&hub.worker));
	hear_event("x", 1);
}
END_TEST

START_TEST(the_next_hub_is_told_again_what_has_no_answer)
{
	begin();
	for (int i = 0; i < 3; i++)
		publish(&outcomes[i], "x");
	for (uint64_t seq = 1; seq <= 3; seq++)
		hear_event("x", seq);
	/* The last words of the one that ends count. */
	hand_hub_ack(&hub, 1, 5);
	hand_hub_link(&hub);
	hand_hub_welcome(&hub, 2);
	hear_event("x", 2);
	hear_event("x", 3);
	hand_hub_hear_nothing(&hub);
	hand_hub_say(&hub,
	    &(struct message){
		.type = MESSAGE_ACK, .seq = 2, .cursor = 6, .duplicate = true});
	hand_hub_ack(&hub, 3, 7);
	hand_hub_turn(&hub);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(outcomes[i].times, 1);
		ck_assert_uint_eq(
		    outcomes[i].results[0].cursor, (uint64_t)i + 5);
		/* It was stored once, by the request that waits. */
		ck_assert(!outcomes[i].results[0].duplicate);
	}
	publish(&outcomes[3], "y");
	hear_event("y", 4);
}
END_TEST

START_TEST(a_hub_that_hangs_up_is_replaced_without_a_gap)
{
	begin();
	publish(&outcomes[0], "x");
	hear_event("x", 1);
	close(hub.fd);
	hub.fd = -1;
	hand_hub_turn(&hub);
	ck_assert(!courier_connected(&hub.worker));
	publish(&outcomes[1], "y");
	hand_hub_link(&hub);
	hand_hub_welcome(&hub, 0);
	hear_event("x", 1);
	hear_event("y", 2);
}
END_TEST

START_TEST(a_list_has_its_results_in_order)
{
	const struct courier_event events[] = {
	    event_of("a", "", 0), event_of("b", "", 0), event_of("c", "", 0)};

	begin();
	ck_assert_ptr_nonnull(
	    publish_list(&outcomes[0], events, 3, COURIER_NO_RECEIPTS));
	hear_event("a", 1);
	hear_event("b", 2);
	hear_event("c", 3);
	hand_hub_ack(&hub, 1, 10);
	hand_hub_say(&hub, &(struct message){.type = MESSAGE_ERROR,
			       .seq = 2,
			       .code = slice_of_text("seq"),
			       .field = slice_of_text("seq"),
			       .text = slice_of_text("no")});
	hand_hub_turn(&hub);
	ck_assert_int_eq(outcomes[0].times, 0);
	hand_hub_ack(&hub, 3, 30);
	hand_hub_turn(&hub);
	ck_assert_uint_eq(outcomes[0].count, 3);
	ck_assert_uint_eq(outcomes[0].results[0].cursor, 10);
	ck_assert_int_eq(outcomes[0].results[1].fault.refusal, REFUSAL_SEQ);
	ck_assert_str_eq(outcomes[0].results[1].fault.field, "seq");
	ck_assert_uint_eq(outcomes[0].results[2].cursor, 30);
}
END_TEST

START_TEST(guests_are_announced_with_each_list)
{
	const struct courier_event first[] = {
	    event_of("a", "+k1", 1), event_of("b", "+k1", 2)};
	const struct courier_event again[] = {event_of("a", "+k1", 1)};
	const struct courier_event mixed[] = {event_of("d", "+k2", 1),
	    event_of("e", "", 0), event_of("f", "+k2", 2)};

	begin();
	publish_list(&outcomes[0], first, 2, COURIER_NO_RECEIPTS);
	publish_list(&outcomes[1], again, 1, COURIER_NO_RECEIPTS);
	publish_list(&outcomes[2], mixed, 3, COURIER_NO_RECEIPTS);
	hear_as("+k1");
	hear_event("a", 1);
	hear_event("b", 2);
	hear_as("+k1");
	hear_event("a", 1);
	hear_as("+k2");
	hear_event("d", 1);
	hear_as("");
	hear_event("e", 1);
	hear_as("+k2");
	hear_event("f", 2);
	hand_hub_ack(&hub, 1, 5);
	hand_hub_turn(&hub);

	hand_hub_link(&hub);
	hand_hub_welcome(&hub, 0);
	hear_as("+k1");
	hear_event("b", 2);
	hear_as("+k1");
	hear_event("a", 1);
	hand_hub_ack(&hub, 2, 6);
	hand_hub_say(&hub,
	    &(struct message){
		.type = MESSAGE_ACK, .seq = 1, .cursor = 5, .duplicate = true});
	hand_hub_turn(&hub);
	ck_assert(!outcomes[0].results[1].duplicate);
	ck_assert(outcomes[1].results[0].duplicate);
	ck_assert_uint_eq(outcomes[1].results[0].cursor, 5);
}
END_TEST

START_TEST(a_count_is_waited_for_and_lost_with_the_hub)
{
	const struct courier_event event = event_of("x", "", 0);

	begin();
	for (int i = 0; i < 3; i++) {
		publish_list(&outcomes[i], &event, 1, COURIER_RECEIPTS);
		ck_assert_uint_eq(hear_event("x", (uint64_t)i + 1).flags,
		    MESSAGE_FLAG_TEXT | MESSAGE_FLAG_RECEIPT);
	}
	hand_hub_ack(&hub, 1, 10);
	hand_hub_ack(&hub, 2, 20);
	hand_hub_turn(&hub);
	ck_assert_int_eq(outcomes[0].times, 0);
	hand_hub_say(
	    &hub, &(struct message){
		      .type = MESSAGE_RECEIPT, .seq = 1, .notified = 9});
	hand_hub_turn(&hub);
	ck_assert_int_eq(outcomes[0].times, 1);
	ck_assert_int_eq(outcomes[0].results[0].notified, 9);
	hand_hub_link(&hub);
	hand_hub_welcome(&hub, 2);
	ck_assert_int_eq(outcomes[1].times, 1);
	ck_assert_uint_eq(outcomes[1].results[0].cursor, 20);
	ck_assert_int_eq(outcomes[1].results[0].notified, COURIER_NOT_COUNTED);
	/* A duplicate is not counted. */
	hear_event("x", 3);
	hand_hub_say(&hub, &(struct message){.type = MESSAGE_ACK,
			       .seq = 3,
			       .cursor = 30,
			       .duplicate = true});
	hand_hub_turn(&hub);
	ck_assert_int_eq(outcomes[2].times, 1);
	ck_assert_int_eq(outcomes[2].results[0].notified, COURIER_NOT_COUNTED);
}
END_TEST

START_TEST(who_is_forgotten_is_not_told_and_not_said_unless_it_was)
{
	begin();
	publish(&outcomes[0], "said");
	hear_event("said", 1);
	close(hub.fd);
	hub.fd = -1;
	hand_hub_turn(&hub);
	publish(&outcomes[1], "unsaid");
	publish(&outcomes[2], "wanted");
	courier_forget(&hub.worker, outcomes[0].errand);
	courier_forget(&hub.worker, outcomes[1].errand);
	hand_hub_link(&hub);
	hand_hub_welcome(&hub, 0);
	hear_event("said", 1);
	hear_event("wanted", 3);
	hand_hub_ack(&hub, 1, 5);
	hand_hub_ack(&hub, 3, 6);
	hand_hub_turn(&hub);
	ck_assert_int_eq(outcomes[0].times, 0);
	ck_assert_int_eq(outcomes[1].times, 0);
	ck_assert_int_eq(outcomes[2].times, 1);
}
END_TEST

START_TEST(more_than_the_bounds_is_refused)
{
	struct courier_event events[3] = {
	    event_of("a", "", 0), event_of("b", "", 0), event_of("c", "", 0)};

	hub.config.http_publish_events = 2;
	ck_assert_ptr_null(
	    publish_list(&outcomes[0], events, 3, COURIER_NO_RECEIPTS));
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_ptr_nonnull(
	    publish_list(&outcomes[0], events, 2, COURIER_NO_RECEIPTS));
	ck_assert_ptr_null(
	    publish_list(&outcomes[1], events, 1, COURIER_NO_RECEIPTS));
	courier_forget(&hub.worker, outcomes[0].errand);
	hub.config.http_publish_bytes = 10;
	ck_assert_ptr_null(
	    publish_list(&outcomes[1], events, 1, COURIER_NO_RECEIPTS));
	ck_assert_int_eq(errno, EAGAIN);
	hub.config.http_publish_bytes = 10000;
	ck_assert_ptr_nonnull(
	    publish_list(&outcomes[1], events, 1, COURIER_NO_RECEIPTS));
}
END_TEST

static void
fail_hub(const char *code)
{
	hand_hub_say(&hub, &(struct message){.type = MESSAGE_ERROR,
			       .code = slice_of_text(code),
			       .text = slice_of_text("no")});
	hand_hub_turn(&hub);
	ck_assert(!courier_connected(&hub.worker));
}

START_TEST(a_hub_that_failed_for_now_is_greeted_again)
{
	begin();
	publish(&outcomes[0], "x");
	hear_event("x", 1);
	fail_hub("store");
	ck_assert_int_eq(outcomes[0].times, 0);
	hand_hub_turn_until_due(&hub);
	hand_hub_welcome(&hub, 0);
	hear_event("x", 1);
}
END_TEST

START_TEST(no_message_is_cut_short_by_a_failure)
{
	static char data[8000];
	struct message message;
	size_t events = 0;

	begin();
	memset(data, 'x', sizeof(data) - 1);
	for (int i = 0; i < 200; i++)
		publish(&outcomes[0], data);
	hand_hub_turn(&hub); /* as much as the socket takes */
	fail_hub("store");
	hand_hub_turn_until_due(&hub);
	for (;;) {
		ck_assert(hand_hub_next(&hub, &message));
		if (message.type == MESSAGE_HELLO)
			break;
		ck_assert_int_eq(message.type, MESSAGE_PUBLISH);
		ck_assert_uint_eq(message.event.data.len, sizeof(data) - 1);
		events++;
	}
	ck_assert_uint_gt(events, 0);
	ck_assert_uint_lt(events, 200);
}
END_TEST

START_TEST(what_a_hub_can_never_take_is_not_said_again)
{
	begin();
	publish(&outcomes[0], "x");
	hear_event("x", 1);
	fail_hub("malformed");
	ck_assert_int_eq(outcomes[0].times, 1);
	ck_assert_int_ne(outcomes[0].results[0].fault.refusal, REFUSAL_NONE);
	hand_hub_turn_until_due(&hub);
	hand_hub_welcome(&hub, 0);
	hand_hub_hear_nothing(&hub);
}
END_TEST

START_TEST(a_worker_that_ends_says_bye_when_all_is_answered)
{
	begin();
	courier_finish(&hub.worker);
	hub.worker.courier = NULL;
	hand_hub_hear(&hub, MESSAGE_BYE);
}
END_TEST

START_TEST(a_worker_that_ends_without_all_answers_says_nothing)
{
	begin();
	publish(&outcomes[0], "x");
	hear_event("x", 1);
	courier_finish(&hub.worker);
	hand_hub_hear_nothing(&hub);
}
END_TEST

/* --- questions --- */

static struct {
	int times;
	size_t count;
	char texts[HAND_WORKERS][64];
} answers;

static void
on_answers(const struct slice *texts, size_t count, void *context)
{
	(void)context;
	answers.times++;
	answers.count = count;
	for (size_t i = 0; i < count; i++)
		snprintf(answers.texts[i], sizeof(answers.texts[i]), "%.*s",
		    (int)texts[i].len, texts[i].len > 0 ? texts[i].bytes : "");
}

static struct ask *
ask(size_t worker, uint64_t timeout_ms)
{
	memset(&answers, 0, sizeof(answers));
	return courier_ask(
	    &hub.worker, &(struct courier_question){
			     .worker = worker,
			     .json = slice_of_text("{\"ask\":\"place\"}"),
			     .timeout_ms = timeout_ms,
			     .answered = on_answers,
			 });
}

static void
say_answer(uint64_t id, uint32_t from, const char *text)
{
	hand_hub_say(&hub, &(struct message){.type = MESSAGE_ANSWER,
			       .id = id,
			       .peer = from,
			       .text = slice_of_text(text)});
	hand_hub_turn(&hub);
}

START_TEST(one_is_asked_and_answers)
{
	struct message message;

	begin();
	ck_assert_ptr_nonnull(ask(2, 10000));
	message = hand_hub_hear(&hub, MESSAGE_ASK);
	ck_assert_uint_eq(message.peer, 2);
	ck_assert(slice_is(message.text, "{\"ask\":\"place\"}"));
	say_answer(message.id, 2, "7");
	ck_assert_int_eq(answers.times, 1);
	ck_assert_uint_eq(answers.count, 1);
	ck_assert_str_eq(answers.texts[0], "7");
	/* Twice is once too often, and nobody's. */
	say_answer(message.id, 2, "8");
	ck_assert_int_eq(answers.times, 1);
}
END_TEST

START_TEST(all_are_asked_and_the_one_that_asks_is_one_of_them)
{
	struct message message;

	begin();
	ck_assert_ptr_nonnull(ask(COURIER_ALL, 10000));
	message = hand_hub_hear(&hub, MESSAGE_ASK);
	ck_assert_uint_eq(message.peer, MESSAGE_PEER_ALL);
	say_answer(message.id, 2, "2");
	ck_assert_int_eq(answers.times, 0);
	say_answer(message.id, 0, "");
	ck_assert_int_eq(answers.times, 1);
	ck_assert_uint_eq(answers.count, HAND_WORKERS);
	ck_assert_str_eq(answers.texts[0], "");
	ck_assert_str_eq(answers.texts[1], "1");
	ck_assert_str_eq(answers.texts[2], "2");
}
END_TEST

START_TEST(who_asks_itself_is_answered_by_the_loop)
{
	ck_assert_ptr_nonnull(ask(HAND_WORKER, 10000));
	ck_assert_int_eq(answers.times, 0);
	hand_hub_turn(&hub);
	ck_assert_int_eq(answers.times, 1);
	ck_assert_str_eq(answers.texts[0], "1");
	ck_assert_ptr_nonnull(ask(HAND_WORKERS + 5, 10000));
	hand_hub_turn(&hub);
	ck_assert_int_eq(answers.times, 1);
	ck_assert_str_eq(answers.texts[0], "");
}
END_TEST

START_TEST(one_that_is_gone_answers_nothing_any_more)
{
	begin();
	ask(COURIER_ALL, 10000);
	hand_hub_hear(&hub, MESSAGE_ASK);
	say_answer(0, 0, "");
	ck_assert_int_eq(answers.times, 0);
	say_answer(0, 2, "");
	ck_assert_int_eq(answers.times, 1);
	ck_assert_str_eq(answers.texts[1], "1");
}
END_TEST

START_TEST(with_the_hub_go_the_questions_it_had_and_no_others)
{
	begin();
	ask(0, 10000);
	hand_hub_hear(&hub, MESSAGE_ASK);
	close(hub.fd);
	hub.fd = -1;
	hand_hub_turn(&hub);
	ck_assert_int_eq(answers.times, 1);
	ck_assert_str_eq(answers.texts[0], "");
	ask(0, 10000);
	hand_hub_turn(&hub);
	ck_assert_int_eq(answers.times, 0);
	begin();
	say_answer(hand_hub_hear(&hub, MESSAGE_ASK).id, 0, "4");
	ck_assert_int_eq(answers.times, 1);
	ck_assert_str_eq(answers.texts[0], "4");
}
END_TEST

START_TEST(a_question_is_over_when_its_time_is_up)
{
	begin();
	ask(COURIER_ALL, 20);
	hand_hub_hear(&hub, MESSAGE_ASK);
	ck_assert_int_eq(answers.times, 0);
	while (answers.times == 0)
		hand_hub_turn_until_due(&hub);
	ck_assert_str_eq(answers.texts[1], "1");
	ck_assert_str_eq(answers.texts[2], "");
}
END_TEST

START_TEST(who_stops_asking_is_not_told)
{
	struct ask *stopped;

	begin();
	stopped = ask(0, 10000);
	courier_stop_asking(&hub.worker, stopped);
	hand_hub_hear_nothing(&hub);
	stopped = ask(0, 10000);
	hand_hub_turn(&hub);
	courier_stop_asking(&hub.worker, stopped);
	say_answer(hand_hub_hear(&hub, MESSAGE_ASK).id, 0, "4");
	ck_assert_int_eq(answers.times, 0);
}
END_TEST

START_TEST(questions_of_others_are_answered)
{
	static const struct {
		const char *question;
		const char *answer;
	} rows[] = {
	    {"{\"ask\":\"place\"}", "1"},
	    {"{\"ask\":\"nothing we know\"}", ""},
	};
	struct message message;

	begin();
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hand_hub_say(
		    &hub, &(struct message){.type = MESSAGE_ASK,
			      .id = i + 5,
			      .peer = 2,
			      .text = slice_of_text(rows[i].question)});
		message = hand_hub_hear(&hub, MESSAGE_ANSWER);
		ck_assert_uint_eq(message.id, i + 5);
		ck_assert_uint_eq(message.peer, 2);
		ck_assert(slice_is(message.text, rows[i].answer));
	}
}
END_TEST

START_TEST(no_more_questions_are_open_than_the_bound)
{
	size_t count = 0;

	while (ask(0, 10000) != NULL)
		ck_assert_uint_le(++count, 1024);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_uint_eq(count, 1024);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("courier");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_event_is_said_and_its_answer_told_once);
	tcase_add_test(tests, what_is_published_without_a_hub_waits_for_one);
	tcase_add_test(tests, the_next_hub_is_told_again_what_has_no_answer);
	tcase_add_test(tests, a_hub_that_hangs_up_is_replaced_without_a_gap);
	tcase_add_test(tests, a_list_has_its_results_in_order);
	tcase_add_test(tests, guests_are_announced_with_each_list);
	tcase_add_test(tests, a_count_is_waited_for_and_lost_with_the_hub);
	tcase_add_test(
	    tests, who_is_forgotten_is_not_told_and_not_said_unless_it_was);
	tcase_add_test(tests, more_than_the_bounds_is_refused);
	tcase_add_test(tests, a_hub_that_failed_for_now_is_greeted_again);
	tcase_add_test(tests, no_message_is_cut_short_by_a_failure);
	tcase_add_test(tests, what_a_hub_can_never_take_is_not_said_again);
	tcase_add_test(tests, a_worker_that_ends_says_bye_when_all_is_answered);
	tcase_add_test(
	    tests, a_worker_that_ends_without_all_answers_says_nothing);
	tcase_add_test(tests, one_is_asked_and_answers);
	tcase_add_test(
	    tests, all_are_asked_and_the_one_that_asks_is_one_of_them);
	tcase_add_test(tests, who_asks_itself_is_answered_by_the_loop);
	tcase_add_test(tests, one_that_is_gone_answers_nothing_any_more);
	tcase_add_test(
	    tests, with_the_hub_go_the_questions_it_had_and_no_others);
	tcase_add_test(tests, a_question_is_over_when_its_time_is_up);
	tcase_add_test(tests, who_stops_asking_is_not_told);
	tcase_add_test(tests, questions_of_others_are_answered);
	tcase_add_test(tests, no_more_questions_are_open_than_the_bound);
	return suite_run("courier", tests);
}
