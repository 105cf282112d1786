/* ranking_test: the names with the largest counts. */
#include <stdio.h>
#include <string.h>

#include "broker/worker/answers/ranking.h"
#include "tests/unit/suite.h"

static char taken[256];

static void
take(struct slice name, uint64_t count, void *context)
{
	size_t used = strlen(taken);

	ck_assert_ptr_eq(context, taken);
	snprintf(taken + used, sizeof(taken) - used, "%.*s=%u ", (int)name.len,
	    name.bytes, (unsigned)count);
}

static const char *
top(struct ranking *ranking, size_t most)
{
	taken[0] = '\0';
	ranking_top(ranking, most, take, taken);
	return taken;
}

static void
add(struct ranking *ranking, const char *name, uint64_t count)
{
	ck_assert_int_eq(ranking_add(ranking, slice_of_text(name), count), 0);
}

START_TEST(counts_of_one_name_add_up)
{
	struct ranking ranking = {.entries = NULL};

	add(&ranking, "a", 1);
	add(&ranking, "b", 2);
	add(&ranking, "a", 5);
	ck_assert_uint_eq(ranking_size(&ranking), 2);
	ck_assert_str_eq(top(&ranking, 9), "a=6 b=2 ");
	ranking_finish(&ranking);
	ck_assert_uint_eq(ranking_size(&ranking), 0);
}
END_TEST

START_TEST(the_largest_come_first_and_ties_by_name)
{
	struct ranking ranking = {.entries = NULL};

	add(&ranking, "bb", 3);
	add(&ranking, "b", 3);
	add(&ranking, "", 3);
	add(&ranking, "z", 7);
	add(&ranking, "a", 1);
	ck_assert_str_eq(top(&ranking, 4), "z=7 =3 b=3 bb=3 ");
	ck_assert_str_eq(top(&ranking, 0), "");
	ranking_finish(&ranking);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("ranking");

	tcase_add_test(tests, counts_of_one_name_add_up);
	tcase_add_test(tests, the_largest_come_first_and_ties_by_name);
	return suite_run("ranking", tests);
}
