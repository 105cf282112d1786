/* Tests of notice: what is read is what is said, placeholders apart. */
#include "broker/shared/notice.h"

#include <errno.h>

#include "protocol/buf.h"
#include "tests/unit/suite.h"

enum { ALL = (1 << NOTICE_PLACEHOLDER_COUNT) - 1, SIZE = 160 };

static char expected[SIZE];

/* Says which placeholder it is. */
static void
append_number(
    struct buf *buf, enum notice_placeholder placeholder, const void *context)
{
	ck_assert_ptr_eq(context, expected);
	buf_printf(buf, "<%d>", (int)placeholder);
}

static void
assert_text(const struct notice *notice, const char *text)
{
	struct buf buf;

	buf_init(&buf, 0);
	notice_append_text(&buf, notice, append_number, expected);
	ck_assert_uint_eq(buf_length(&buf), strlen(text));
	ck_assert_mem_eq(buf_bytes(&buf), text, strlen(text));
	buf_finish(&buf);
}

static const struct {
	const char *text;
	enum notice_kind kind;
	const char *name;
	const char *said;
} good[] = {
    {"none", NOTICE_NONE, NULL, NULL},
    {"comment", NOTICE_COMMENT, NULL, NULL},
    {"data ping", NOTICE_DATA, NULL, "ping"},
    {"data  two words ", NOTICE_DATA, NULL, "two words"},
    {"data {}", NOTICE_DATA, NULL, "{}"},
    {"event ping {\"ts\":{ts}}", NOTICE_EVENT, "ping", "{\"ts\":<3>}"},
    {"event\tping\tx", NOTICE_EVENT, "ping", "x"},
    {"event e {channels}{refused}{cursor}{ts}{stream}{user}{heartbeat}",
	NOTICE_EVENT, "e", "<0><1><2><3><4><5><6>"},
    {"data {{ts}}", NOTICE_DATA, NULL, "{<3>}"},
    {"data {ts", NOTICE_DATA, NULL, "{ts"},
    {"data {TS}{ts }{ ts}{1}{", NOTICE_DATA, NULL, "{TS}{ts }{ ts}{1}{"},
    {"data {\"a\":{\"b\":[{ts},{}]}}", NOTICE_DATA, NULL,
	"{\"a\":{\"b\":[<3>,{}]}}"},
    {"data \xC3\xA9{ts}", NOTICE_DATA, NULL, "\xC3\xA9<3>"},
    {"event data event", NOTICE_EVENT, "data", "event"},
};

START_TEST(a_notice_says_what_was_written)
{
	struct notice notice;

	ck_assert_int_eq(notice_read(&notice, slice_of_text(good[_i].text), ALL,
			     expected, SIZE),
	    0);
	ck_assert_int_eq(notice.kind, good[_i].kind);
	if (good[_i].name == NULL)
		ck_assert_ptr_null(notice.name);
	else
		ck_assert_str_eq(notice.name, good[_i].name);
	if (good[_i].said == NULL)
		ck_assert_ptr_null(notice.text);
	else
		assert_text(&notice, good[_i].said);
	notice_finish(&notice);
}
END_TEST

static const char *const bad[] = {"", "non", "none x", "comment x", "data",
    "data ", "event", "event x", "event x ", "ping", "Data x", "data\xFF",
    "data \xFF", "event \xFF x", "standard"};

START_TEST(what_is_no_notice_is_refused)
{
	struct notice notice;

	errno = 0;
	ck_assert_int_eq(
	    notice_read(&notice, slice_of_text(bad[_i]), ALL, expected, SIZE),
	    -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_eq(expected, "");
}
END_TEST

START_TEST(a_placeholder_that_is_not_there_is_named)
{
	struct notice notice;
	unsigned allowed = 1U << NOTICE_TS | 1U << NOTICE_CURSOR;

	ck_assert_int_eq(notice_read(&notice, slice_of_text("data {ts}{now}"),
			     allowed, expected, SIZE),
	    -1);
	ck_assert_str_eq(expected, "one of {cursor} {ts} in place of {now}");
	ck_assert_int_eq(notice_read(&notice, slice_of_text("data {refused}"),
			     allowed, expected, SIZE),
	    -1);
	ck_assert_str_eq(
	    expected, "one of {cursor} {ts} in place of {refused}");
}
END_TEST

START_TEST(an_expectation_is_bounded)
{
	char text[300] = "data {";
	struct notice notice;

	memset(text + 6, 'x', 250);
	text[256] = '}';
	for (size_t size = 1; size < SIZE; size++) {
		memset(expected, 'x', sizeof(expected));
		ck_assert_int_eq(notice_read(&notice, slice_of_text(text), ALL,
				     expected, size),
		    -1);
		ck_assert_uint_lt(strnlen(expected, SIZE), size);
		ck_assert(size == SIZE || expected[size] == 'x');
	}
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("notice");

	tcase_add_loop_test(tests, a_notice_says_what_was_written, 0,
	    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tests, what_is_no_notice_is_refused, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tests, a_placeholder_that_is_not_there_is_named);
	tcase_add_test(tests, an_expectation_is_bounded);
	return suite_run("notice", tests);
}
