/* roster_test: streams and their ids. */
#include <stdlib.h>

#include "broker/worker/roster.h"
#include "tests/unit/suite.h"

enum { STREAMS = 1000 };

/* Pointers that mean nothing. */
static char owners[STREAMS];

static struct subscriber *
owner(size_t i)
{
	return (struct subscriber *)(void *)&owners[i];
}

static struct slice
id_of(const char *id)
{
	return slice_of_text(id);
}

START_TEST(a_stream_is_found_by_its_id)
{
	struct roster roster = {.size = 0};
	static char ids[STREAMS][ROSTER_ID_SIZE];
	uint32_t slots[STREAMS];

	for (size_t i = 0; i < STREAMS; i++)
		ck_assert_int_eq(
		    roster_add(&roster, 3, owner(i), &slots[i], ids[i]), 0);
	for (size_t i = 0; i < STREAMS; i++) {
		ck_assert_uint_eq(strlen(ids[i]), ROSTER_ID_LEN);
		ck_assert_uint_eq(roster_worker(id_of(ids[i])), 3);
		ck_assert_ptr_eq(roster_find(&roster, id_of(ids[i])), owner(i));
	}
	roster_finish(&roster);
}
END_TEST

START_TEST(a_slot_is_used_again_under_another_id)
{
	struct roster roster = {.size = 0};
	char first[ROSTER_ID_SIZE], second[ROSTER_ID_SIZE];
	uint32_t slot, again;

	ck_assert_int_eq(roster_add(&roster, 0, owner(0), &slot, first), 0);
	roster_remove(&roster, slot);
	ck_assert_ptr_null(roster_find(&roster, id_of(first)));
	ck_assert_int_eq(roster_add(&roster, 0, owner(1), &again, second), 0);
	ck_assert_uint_eq(again, slot);
	ck_assert_str_ne(first, second);
	/* The slot alone does not tell them apart: the caller compares. */
	ck_assert_ptr_eq(roster_find(&roster, id_of(first)), owner(1));
	roster_finish(&roster);
}
END_TEST

/* What makes an id unguessable is its alone: no part of it is in another. */
START_TEST(no_id_shares_its_random_part)
{
	enum { PART = 8, FIRST = 6 };
	static char ids[STREAMS][ROSTER_ID_SIZE];
	struct roster roster = {.size = 0};
	uint32_t slot;

	for (size_t i = 0; i < STREAMS; i++) {
		ck_assert_int_eq(
		    roster_add(&roster, 0, owner(0), &slot, ids[i]), 0);
		for (size_t j = i < 32 ? 0 : i - 32; j < i; j++) {
			for (int at = FIRST; at + PART <= ROSTER_ID_LEN; at++)
				ck_assert_ptr_null(memmem(ids[j] + FIRST,
				    ROSTER_ID_LEN - FIRST, ids[i] + at, PART));
		}
	}
	roster_finish(&roster);
}
END_TEST

START_TEST(ids_of_every_worker_are_told_apart)
{
	struct roster roster = {.size = 0};
	char id[ROSTER_ID_SIZE];
	uint32_t slot;

	for (size_t worker = 0; worker < 64; worker++) {
		ck_assert_int_eq(
		    roster_add(&roster, worker, owner(0), &slot, id), 0);
		ck_assert_uint_eq(roster_worker(id_of(id)), worker);
	}
	roster_finish(&roster);
}
END_TEST

START_TEST(what_is_no_id_finds_nothing)
{
	static const char *const others[] = {"", "A", "AAAAAAAAAAAAAAAAAAAAAAA",
	    "AAAAAAAAAAAAAAAAAAAAAAAAA", "AA!AAAAAAAAAAAAAAAAAAAAA",
	    "AA____AAAAAAAAAAAAAAAAAA"};
	struct roster roster = {.size = 0};
	char id[ROSTER_ID_SIZE];
	uint32_t slot;

	ck_assert_int_eq(roster_add(&roster, 0, owner(0), &slot, id), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_ptr_null(roster_find(&roster, id_of(others[i])));
	ck_assert_uint_eq(
	    roster_worker(id_of("!!AAAAAAAAAAAAAAAAAAAAAA")), SIZE_MAX);
	ck_assert_ptr_null(
	    roster_find(&roster, slice_of("AA\0AAAAAAAAAAAAAAAAAAAAA", 24)));
	roster_finish(&roster);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("roster");

	tcase_add_test(tests, a_stream_is_found_by_its_id);
	tcase_add_test(tests, a_slot_is_used_again_under_another_id);
	tcase_add_test(tests, no_id_shares_its_random_part);
	tcase_add_test(tests, ids_of_every_worker_are_told_apart);
	tcase_add_test(tests, what_is_no_id_finds_nothing);
	return suite_run("roster", tests);
}
