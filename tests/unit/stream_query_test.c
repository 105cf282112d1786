/* Tests of stream_query: times, as a client writes them. */
#include "broker/worker/http/stream_query.h"

#include "tests/unit/suite.h"

enum { MAX_MS = 60000, UNTOUCHED = 7 };

static const struct {
	const char *text;
	int ms; /* -1: refused */
} times[] = {
    {"0", 0},
    {"0s", 0},
    {"1", 1},
    {"007", 7},
    {"250ms", 250},
    {"60s", 60000},
    {"1m", 60000},
    {"60000", 60000},
    {"", -1},
    {"ms", -1},
    {"s", -1},
    {"-1", -1},
    {"+1", -1},
    {" 1", -1},
    {"1 ", -1},
    {"1.5s", -1},
    {"1h", -1},
    {"1sec", -1},
    {"1S", -1},
    {"60001", -1},
    {"61s", -1},
    {"2m", -1},
    {"4294967296", -1},
    {"18446744073709551617", -1},
    {"1\xC2\xB5s", -1},
};

START_TEST(a_time_is_what_it_says_or_refused)
{
	uint32_t ms = UNTOUCHED;
	bool read =
	    stream_query_read_time(slice_of_text(times[_i].text), MAX_MS, &ms);

	ck_assert_int_eq(read, times[_i].ms != -1);
	ck_assert_uint_eq(ms, read ? (uint32_t)times[_i].ms : UNTOUCHED);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("stream_query");

	tcase_add_loop_test(tests, a_time_is_what_it_says_or_refused, 0,
	    sizeof(times) / sizeof(times[0]));
	return suite_run("stream_query", tests);
}
