/* patterns_test: lists of patterns. */
#include <errno.h>
#include <stdio.h>

#include "broker/worker/cursor/patterns.h"
#include "tests/unit/suite.h"

static struct slice
text(const char *text)
{
	return slice_of_text(text);
}

static void
add_all(struct patterns *patterns, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(patterns_add(patterns, text(list[i])), 0);
}

START_TEST(a_list_owns_its_texts)
{
	struct patterns patterns = {.count = 0};
	char bytes[] = "org:1:*";

	ck_assert_int_eq(patterns_add(&patterns, text(bytes)), 0);
	bytes[4] = '2';
	ck_assert(patterns_cover(&patterns, text("org:1:a")));
	ck_assert(!patterns_cover(&patterns, text("org:2:a")));
	patterns_finish(&patterns);
	ck_assert_uint_eq(patterns.count, 0);
}
END_TEST

START_TEST(a_pattern_is_there_once)
{
	static const char *const list[] = {"a", "b", "a", "a:*", "a"};
	struct patterns patterns = {.count = 0};

	add_all(&patterns, list, 5);
	ck_assert_uint_eq(patterns.count, 3);
	patterns_finish(&patterns);
}
END_TEST

START_TEST(just_what_is_named_is_taken_out)
{
	static const char *const list[] = {"a", "a:*", "b"};
	struct patterns patterns = {.count = 0};

	add_all(&patterns, list, 3);
	ck_assert(!patterns_remove(&patterns, text("a:b")));
	ck_assert(patterns_remove(&patterns, text("a")));
	ck_assert(!patterns_remove(&patterns, text("a")));
	ck_assert_uint_eq(patterns.count, 2);
	ck_assert(patterns_cover(&patterns, text("a:b")));
	ck_assert(patterns_cover(&patterns, text("b")));
	patterns_finish(&patterns);
}
END_TEST

START_TEST(covering_means_all_of_it)
{
	static const char *const list[] = {"a:*", "b", "c:d:*"};
	static const struct {
		const char *pattern;
		bool covered;
	} cases[] = {{"a:x", true}, {"a:*", true}, {"a:x:*", true},
	    {"a", false}, {"b", true}, {"b:*", false}, {"c:*", false},
	    {"c:d", false}, {"c:d:e", true}, {"*", false}};
	struct patterns patterns = {.count = 0};

	add_all(&patterns, list, 3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(patterns_cover(&patterns,
				  text(cases[i].pattern)) == cases[i].covered,
		    "cover %s", cases[i].pattern);
	patterns_finish(&patterns);
}
END_TEST

START_TEST(a_list_has_a_bound)
{
	struct patterns patterns = {.count = 0};
	char name[16];

	for (int i = 0; i < PATTERNS_MAX; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		ck_assert_int_eq(patterns_add(&patterns, text(name)), 0);
	}
	errno = 0;
	ck_assert_int_eq(patterns_add(&patterns, text("one more")), -1);
	ck_assert_int_eq(errno, E2BIG);
	ck_assert_int_eq(patterns_add(&patterns, text("c0")), 0);
	patterns_finish(&patterns);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("patterns");

	tcase_add_test(tests, a_list_owns_its_texts);
	tcase_add_test(tests, a_pattern_is_there_once);
	tcase_add_test(tests, just_what_is_named_is_taken_out);
	tcase_add_test(tests, covering_means_all_of_it);
	tcase_add_test(tests, a_list_has_a_bound);
	return suite_run("patterns", tests);
}
