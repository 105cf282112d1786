/* Tests of asked: a question is found by its member "ask", or not at all. The
 * rooms that answer are played by the test. */
#include "broker/worker/asked.h"

#include <check.h>

#include "broker/worker/answers/stats.h"
#include "broker/worker/answers/trace.h"
#include "broker/worker/stream/change.h"
#include "protocol/buf.h"
#include "tests/unit/suite.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

void
change_asked(struct worker *worker, struct slice question, struct buf *answer)
{
	(void)worker;
	(void)question;
	buf_append_text(answer, "change");
}

void
stats_asked(struct worker *worker, struct slice question, struct buf *answer)
{
	(void)worker;
	(void)question;
	buf_append_text(answer, "stats");
}

void
trace_asked(struct worker *worker, struct slice question, struct buf *answer)
{
	(void)worker;
	(void)question;
	buf_append_text(answer, "trace");
}

static const struct {
	const char *question;
	const char *answer;
} rows[] = {
    {"{\"ask\":\"stats\"}", "stats"},
    {"{\"x\":{\"ask\":\"stats\"},\"ask\":\"ch\\u0061nge\"}", "change"},
    {"{\"ask\":\"trace\"}", "trace"},
    {"{\"ask\":\"nothing we know\"}", ""},
    {"{\"ask\":7}", ""},
    {"{\"stats\":\"ask\"}", ""},
    {"[\"ask\",\"stats\"]", ""},
    {"{\"ask\":\"stats\"", ""},
    {"", ""},
};

START_TEST(a_question_goes_to_its_row)
{
	struct buf answer;

	buf_init(&answer, 0);
	asked_answer(NULL, slice_of_text(rows[_i].question), &answer);
	ck_assert(slice_is(slice_of(buf_bytes(&answer), buf_length(&answer)),
	    rows[_i].answer));
	buf_finish(&answer);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("asked");

	tcase_add_loop_test(tests, a_question_goes_to_its_row, 0, COUNT(rows));
	return suite_run("asked", tests);
}
