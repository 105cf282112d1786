/* Tests of verdict: which facts come to which verdict, and how surely. */
#include "broker/shared/verdict.h"

#include "tests/unit/suite.h"

enum {
	KNOWN = 1,
	COVERED = 2,
	BEGUN = 4,
	WITHDRAWN = 8,
	FILTERED = 16,
	REACHED = 32,
	ENDED = 64,
	KEPT = 128,
	CHANGED = 256,
	CONFLATED = 512,
	/* A stream that has got the event. */
	GOT = KNOWN | COVERED | BEGUN | REACHED | KEPT,
};

static const struct {
	int facts;
	enum verdict verdict;
	bool certain;
} rows[] = {
    {GOT, VERDICT_WRITTEN, true},
    {GOT | ENDED, VERDICT_WRITTEN, true},
    {GOT | CHANGED, VERDICT_WRITTEN, false},
    {GOT & ~KEPT, VERDICT_WRITTEN, false},
    {GOT | FILTERED, VERDICT_FILTERED, true},
    {GOT | FILTERED | CHANGED, VERDICT_FILTERED, false},
    {(GOT & ~KEPT) | FILTERED, VERDICT_FILTERED, true},
    {GOT | CONFLATED, VERDICT_CONFLATED, true},
    {GOT | CONFLATED | FILTERED, VERDICT_FILTERED, true},
    {(GOT & ~REACHED) | CONFLATED, VERDICT_CONFLATED, true},
    {GOT | WITHDRAWN, VERDICT_NOT_GRANTED, true},
    {(GOT & ~COVERED) | WITHDRAWN, VERDICT_NOT_GRANTED, true},
    {GOT | WITHDRAWN | FILTERED, VERDICT_NOT_GRANTED, true},
    {GOT & ~COVERED, VERDICT_NOT_SUBSCRIBED, true},
    {GOT & ~(COVERED | BEGUN), VERDICT_NOT_SUBSCRIBED, true},
    {(GOT & ~COVERED) | CHANGED, VERDICT_NOT_SUBSCRIBED, false},
    {GOT & ~BEGUN, VERDICT_BEGAN_AFTER, true},
    {(GOT & ~BEGUN) | FILTERED, VERDICT_BEGAN_AFTER, true},
    {GOT & ~REACHED, VERDICT_LAGGING, true},
    {(GOT & ~REACHED) | FILTERED, VERDICT_FILTERED, true},
    {GOT & ~(REACHED | KEPT), VERDICT_HISTORY_GONE, true},
    {(GOT & ~REACHED) | ENDED, VERDICT_ENDED_BEFORE, true},
    {(GOT & ~(REACHED | KEPT)) | ENDED, VERDICT_ENDED_BEFORE, true},
    {0, VERDICT_BEGAN_AFTER, true},
    {BEGUN, VERDICT_UNKNOWN, true},
    {BEGUN | REACHED, VERDICT_UNKNOWN, true},
    {BEGUN | ENDED, VERDICT_ENDED_BEFORE, true},
    {BEGUN | ENDED | REACHED, VERDICT_UNKNOWN, true},
};

static struct verdict_facts
facts_of(int bits)
{
	return (struct verdict_facts){
	    .known = (bits & KNOWN) != 0,
	    .covered = (bits & COVERED) != 0,
	    .begun = (bits & BEGUN) != 0,
	    .withdrawn = (bits & WITHDRAWN) != 0,
	    .filtered = (bits & FILTERED) != 0,
	    .reached = (bits & REACHED) != 0,
	    .ended = (bits & ENDED) != 0,
	    .kept = (bits & KEPT) != 0,
	    .changed = (bits & CHANGED) != 0,
	    .conflated = (bits & CONFLATED) != 0,
	};
}

START_TEST(each_verdict_follows_from_its_facts)
{
	struct verdict_facts facts = facts_of(rows[_i].facts);

	ck_assert_str_eq(
	    verdict_word(verdict_find(&facts)), verdict_word(rows[_i].verdict));
	ck_assert_int_eq(verdict_certain(&facts), rows[_i].certain);
}
END_TEST

START_TEST(each_verdict_has_a_row_a_word_and_a_sentence)
{
	for (int i = 0; i < VERDICT_COUNT; i++) {
		bool found = false;

		for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++)
			found |= rows[j].verdict == (enum verdict)i;
		ck_assert_msg(found, "%s", verdict_word((enum verdict)i));
		ck_assert_uint_gt(strlen(verdict_sentence((enum verdict)i)), 0);
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(verdict_word((enum verdict)i),
			    verdict_word((enum verdict)j));
	}
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("verdict");

	tcase_add_loop_test(tests, each_verdict_follows_from_its_facts, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tests, each_verdict_has_a_row_a_word_and_a_sentence);
	return suite_run("verdict", tests);
}
