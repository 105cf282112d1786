/* Tests of conflated: the newest decisions are found, older ones are not. */
#include "broker/worker/cursor/conflated.h"

#include "tests/unit/suite.h"

static const char one[ROSTER_ID_SIZE] = "AAAAAAAAAAAAAAAAAAAAAAAA";
static const char other[ROSTER_ID_SIZE] = "AAAAAAAAAAAAAAAAAAAAAAAB";

START_TEST(a_note_is_found_until_there_are_many_newer_ones)
{
	struct conflated conflated = {.notes = NULL};

	ck_assert_uint_eq(conflated_find(&conflated, slice_of_text(one), 1), 0);
	ck_assert_ptr_null(conflated.notes);
	for (uint64_t i = 1; i <= 3 * CONFLATED_NOTES; i++) {
		conflated_note(&conflated, one, i, i + 5);
		ck_assert_uint_eq(
		    conflated_find(&conflated, slice_of_text(one), i), i + 5);
		ck_assert_uint_eq(
		    conflated_find(&conflated, slice_of_text(other), i), 0);
	}
	ck_assert_uint_eq(
	    conflated_find(&conflated, slice_of_text(one), 2 * CONFLATED_NOTES),
	    0);
	ck_assert_uint_ne(conflated_find(&conflated, slice_of_text(one),
			      2 * CONFLATED_NOTES + 1),
	    0);
	ck_assert_uint_eq(
	    conflated_find(&conflated, slice_of_text("AAAA"), 9000), 0);
	conflated_finish(&conflated);
	ck_assert_ptr_null(conflated.notes);
}
END_TEST

START_TEST(the_newest_note_of_an_event_counts)
{
	struct conflated conflated = {.notes = NULL};

	conflated_note(&conflated, one, 7, 8);
	conflated_note(&conflated, other, 7, 9);
	conflated_note(&conflated, one, 7, 12);
	ck_assert_uint_eq(
	    conflated_find(&conflated, slice_of_text(one), 7), 12);
	ck_assert_uint_eq(
	    conflated_find(&conflated, slice_of_text(other), 7), 9);
	conflated_finish(&conflated);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("conflated");

	tcase_add_test(tests, a_note_is_found_until_there_are_many_newer_ones);
	tcase_add_test(tests, the_newest_note_of_an_event_counts);
	return suite_run("conflated", tests);
}
