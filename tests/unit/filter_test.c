/* Tests of filter: which events a stream takes. */
#include "broker/shared/filter.h"

#include "tests/unit/suite.h"

enum { PATTERNS = 8 };

/* A list of patterns divided by spaces. */
struct patterns {
	struct slice list[PATTERNS];
	size_t count;
};

static struct patterns
split(const char *text)
{
	struct patterns patterns = {.count = 0};

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		patterns.list[patterns.count++] = slice_of(text, len);
		text += len;
		text += *text == ' ';
	}
	return patterns;
}

static bool
passes(const struct filter *filter, struct slice type)
{
	return filter_passes(filter, type, slice_of(NULL, 0));
}

static bool
takes(const char *own, const char *asked, const char *type)
{
	struct patterns first = split(own), second = split(asked);
	const struct filter_list lists[] = {
	    {first.list, first.count, false, FILTER_TYPE},
	    {second.list, second.count, false, FILTER_TYPE}};
	struct filter *filter = filter_create(lists, 2);
	bool taken;

	ck_assert_ptr_nonnull(filter);
	taken = passes(filter, slice_of_text(type));
	filter_destroy(filter);
	return taken;
}

static const struct {
	const char *own;
	const char *asked;
	const char *passing; /* types divided by spaces */
	const char *held_back;
} cases[] = {
    {"", "", "a order.updated", ""},
    {"order.updated", "", "order.updated",
	"order.update order.updated2 Order.updated x"},
    {"order.*", "", "order. order.updated order.a.b", "order orders x"},
    {"order*", "", "order orders order.x", "orde x"},
    {"*", "", "x order", ""},
    {"!a", "", "b aa A", "a"},
    {"!a.*", "", "a b", "a.b a."},
    {"!a !b", "", "c", "a b"},
    {"a.* !a.b", "", "a.c a.bb", "a.b b"},
    {"!a.b a.*", "", "a.c", "a.b c"},
    {"* !x", "", "y", "x"},
    {"!*", "", "", "a b"},
    {"a b", "", "a b", "c ab"},
    {"a.*", "a.b c", "a.b", "a.c c"},
    {"!a", "a b", "b", "a c"},
    {"a", "!a", "", "a b"},
    {"a", "*", "a", "b"},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

START_TEST(a_type_passes_what_every_list_lets_pass)
{
	struct patterns passing = split(cases[_i].passing);
	struct patterns held_back = split(cases[_i].held_back);
	char type[64];

	for (size_t i = 0; i < passing.count + held_back.count; i++) {
		bool expected = i < passing.count;
		struct slice text = expected
					? passing.list[i]
					: held_back.list[i - passing.count];

		memcpy(type, text.bytes, text.len);
		type[text.len] = '\0';
		ck_assert_msg(
		    takes(cases[_i].own, cases[_i].asked, type) == expected,
		    "%s | %s: %s", cases[_i].own, cases[_i].asked, type);
	}
}
END_TEST

START_TEST(an_event_without_a_type_is_named_by_a_star_alone)
{
	ck_assert(takes("", "", ""));
	ck_assert(takes("*", "", ""));
	ck_assert(takes("!a", "", ""));
	ck_assert(takes("!a.*", "", ""));
	ck_assert(!takes("a", "", ""));
	ck_assert(!takes("a.*", "", ""));
	ck_assert(!takes("!*", "", ""));
}
END_TEST

START_TEST(no_filter_lets_everything_pass)
{
	ck_assert(passes(NULL, slice_of_text("a")));
	ck_assert(passes(NULL, slice_of(NULL, 0)));
	filter_destroy(NULL);
}
END_TEST

/* The claims that were to fill it are missing: nobody gets more for that. */
START_TEST(a_closed_list_without_patterns_lets_nothing_pass)
{
	const struct slice hidden = slice_of_text("!x");
	const struct filter_list empty = {NULL, 0, true, FILTER_TYPE};
	const struct filter_list negative = {&hidden, 1, true, FILTER_TYPE};
	struct filter *filter = filter_create(&empty, 1);

	ck_assert(!passes(filter, slice_of_text("a")));
	ck_assert(!passes(filter, slice_of(NULL, 0)));
	filter_destroy(filter);
	filter = filter_create(&negative, 1);
	ck_assert(!passes(filter, slice_of_text("a")));
	filter_destroy(filter);
}
END_TEST

START_TEST(a_filter_keeps_its_own_copy)
{
	char text[] = "order.*";
	const struct slice pattern = slice_of_text(text);
	const struct filter_list list = {&pattern, 1, false, FILTER_TYPE};
	struct filter *filter = filter_create(&list, 1);

	memset(text, 'x', sizeof(text) - 1);
	ck_assert(passes(filter, slice_of_text("order.created")));
	ck_assert(!passes(filter, slice_of_text("xxxxxxxx")));
	filter_destroy(filter);
}
END_TEST

START_TEST(a_renewed_filter_has_another_first_list)
{
	struct patterns own = split("a.* !a.b"), asked = split("a.* b !a.c");
	struct patterns other = split("b");
	const struct filter_list lists[] = {
	    {own.list, own.count, false, FILTER_TYPE},
	    {asked.list, asked.count, false, FILTER_TYPE}};
	const struct filter_list first = {
	    other.list, other.count, false, FILTER_TYPE};
	const struct filter_list none = {NULL, 0, true, FILTER_TYPE};
	const struct filter_list *with_first[] = {&first, NULL};
	const struct filter_list *with_none[] = {&none, NULL};
	const struct filter_list *with_own[] = {&lists[0], NULL};
	struct filter *filter = filter_create(lists, 2), *renewed, *closed;

	renewed = filter_renew(filter, with_first, 2);
	closed = filter_renew(renewed, with_none, 2);
	ck_assert(passes(filter, slice_of_text("a.x")));
	ck_assert(!passes(filter, slice_of_text("b")));
	filter_destroy(filter);
	ck_assert(passes(renewed, slice_of_text("b")));
	ck_assert(!passes(renewed, slice_of_text("a.x")));
	filter_destroy(renewed);
	ck_assert(!passes(closed, slice_of_text("b")));
	renewed = filter_renew(closed, with_own, 2);
	filter_destroy(closed);
	ck_assert(passes(renewed, slice_of_text("a.x")));
	ck_assert(!passes(renewed, slice_of_text("a.b")));
	ck_assert(!passes(renewed, slice_of_text("a.c")));
	filter_destroy(renewed);
}
END_TEST

START_TEST(a_list_of_keys_is_asked_about_keys)
{
	struct patterns types = split("order.*"), keys = split("ord_* !ord_4");
	const struct filter_list lists[] = {
	    {types.list, types.count, false, FILTER_TYPE},
	    {keys.list, keys.count, false, FILTER_KEY}};
	const struct filter_list other = {keys.list + 1, 1, false, FILTER_KEY};
	const struct filter_list *with_other[] = {NULL, &other};
	struct filter *filter = filter_create(lists, 2);
	struct slice type = slice_of_text("order.x");
	struct filter *renewed = filter_renew(filter, with_other, 2);

	ck_assert(filter_passes(filter, type, slice_of_text("ord_1")));
	ck_assert(!filter_passes(filter, type, slice_of_text("ord_4")));
	ck_assert(!filter_passes(filter, type, slice_of_text("x")));
	ck_assert(!filter_passes(filter, type, slice_of(NULL, 0)));
	ck_assert(!filter_passes(
	    filter, slice_of_text("ord_1"), slice_of_text("ord_1")));
	ck_assert(filter_passes(renewed, type, slice_of(NULL, 0)));
	ck_assert(filter_passes(renewed, type, slice_of_text("x")));
	ck_assert(!filter_passes(renewed, type, slice_of_text("ord_4")));
	ck_assert(
	    !filter_passes(renewed, slice_of_text("x"), slice_of_text("x")));
	filter_destroy(filter);
	filter_destroy(renewed);
}
END_TEST

START_TEST(a_filter_of_empty_lists_takes_all)
{
	struct patterns some = split("!a");
	const struct filter_list open = {NULL, 0, false, FILTER_TYPE};
	const struct filter_list closed = {NULL, 0, true, FILTER_TYPE};
	const struct filter_list hiding = {some.list, 1, false, FILTER_KEY};
	const struct filter_list lists[][2] = {
	    {open, open}, {open, closed}, {open, hiding}};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct filter *filter = filter_create(lists[i], 2);

		ck_assert_int_eq(filter_takes_all(filter), i == 0);
		filter_destroy(filter);
	}
}
END_TEST

static char longest[] = "!ttttttttttttttttttttttttttttttttttttttttttttttttt"
			"tttttttttttttttttttttttttttttttttttttttttttttttttt"
			"tttttttttttttttttttttttttttttttttttttttttttttttttt"
			"ttttttttttttttttttttttttttttttttttttttttttttttttttt*";

START_TEST(what_is_no_pattern_is_found_out)
{
	static const char *const good[] = {"a", "a.b", "a*", "*", "!a", "!a.*",
	    "!*", "two words", "\xC3\xA9", longest};
	static const char *const bad[] = {"", "!", "!!a", "a*b", "**", "a,b",
	    "a\nb", "a!b", "*a", "\x7F", "a\tb"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(filter_pattern_valid(slice_of_text(good[i])),
		    "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(
		    !filter_pattern_valid(slice_of_text(bad[i])), "%s", bad[i]);
	longest[strlen(longest) - 1] = 't';
	ck_assert(!filter_pattern_valid(slice_of_text(longest)));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("filter");

	tcase_add_loop_test(
	    tests, a_type_passes_what_every_list_lets_pass, 0, CASES);
	tcase_add_test(tests, an_event_without_a_type_is_named_by_a_star_alone);
	tcase_add_test(tests, no_filter_lets_everything_pass);
	tcase_add_test(tests, a_closed_list_without_patterns_lets_nothing_pass);
	tcase_add_test(tests, a_filter_keeps_its_own_copy);
	tcase_add_test(tests, a_renewed_filter_has_another_first_list);
	tcase_add_test(tests, a_list_of_keys_is_asked_about_keys);
	tcase_add_test(tests, a_filter_of_empty_lists_takes_all);
	tcase_add_test(tests, what_is_no_pattern_is_found_out);
	return suite_run("filter", tests);
}
