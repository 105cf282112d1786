/* Tests of json_walk: members and elements are the bytes that they were. */
#include "protocol/json_walk.h"

#include <check.h>

#include "protocol/buf.h"
#include "protocol/json.h"
#include "tests/unit/suite.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

/* What a walk finds, as name=value; or =value; */
static const struct {
	const char *text;
	const char *found; /* NULL: neither an object nor an array */
} rows[] = {
    {"{}", ""},
    {" [ ] ", ""},
    {"{\"a\":1}", "\"a\"=1;"},
    {" { \"a\" : 1.50 , \"a\" : [ 1, {\"b\":2} ] , \"\":\"}\"}\n",
	"\"a\"=1.50;\"a\"=[ 1, {\"b\":2} ];\"\"=\"}\";"},
    {"{\"\\u0061\\\"\":{\"x\":[]},\"b\":null}",
	"\"\\u0061\\\"\"={\"x\":[]};\"b\"=null;"},
    {"[1,-2e5 , \"a,b]\",[[]],{},true]", "=1;=-2e5;=\"a,b]\";=[[]];={};=true;"},
    {"7", NULL},
    {"\"[]\"", NULL},
    {"null", NULL},
};

static void
append(struct buf *found, struct slice name, struct slice value)
{
	buf_append(found, name.bytes, name.len);
	buf_append_char(found, '=');
	buf_append(found, value.bytes, value.len);
	buf_append_char(found, ';');
}

START_TEST(a_walk_finds_each_with_its_bytes)
{
	struct slice text = slice_of_text(rows[_i].text);
	struct slice name = slice_of(NULL, 0), value;
	struct json_walk walk;
	struct buf found;

	ck_assert(json_valid(text.bytes, text.len));
	buf_init(&found, 0);
	if (json_walk_object(&walk, text)) {
		while (json_walk_member(&walk, &name, &value))
			append(&found, name, value);
	} else if (json_walk_array(&walk, text)) {
		while (json_walk_element(&walk, &value))
			append(&found, name, value);
	} else {
		ck_assert_ptr_null(rows[_i].found);
		return;
	}
	ck_assert_ptr_nonnull(rows[_i].found);
	ck_assert(slice_is(
	    slice_of(buf_bytes(&found), buf_length(&found)), rows[_i].found));
	/* The end stays the end. */
	ck_assert(!json_walk_element(&walk, &value));
	buf_finish(&found);
}
END_TEST

static const struct {
	const char *string;
	const char *text; /* NULL: it stands for nothing */
} strings[] = {
    {"\"\"", ""},
    {"\"abc\"", "abc"},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
    {"\"\\u0041\\u00e9\\u20AC\"", "A\xC3\xA9\xE2\x82\xAC"},
    {"\"\\uD83D\\uDE00\"", "\xF0\x9F\x98\x80"},
    {"\"x\\uDBFF\\uDFFFy\"", "x\xF4\x8F\xBF\xBFy"},
    {"\"\\uD83D\"", NULL},
    {"\"\\uD83D\\u0041\"", NULL},
    {"\"\\uD83Dx12345\"", NULL},
    {"\"\\uDE00\"", NULL},
    {"\"\\uDE00\\uD83D\"", NULL},
};

START_TEST(a_string_is_the_text_that_it_stands_for)
{
	struct slice string = slice_of_text(strings[_i].string);
	struct buf text;
	int result;

	ck_assert(json_is_string(string));
	buf_init(&text, 0);
	result = json_string_decode(string, &text);
	ck_assert_int_eq(result, strings[_i].text == NULL ? -1 : 0);
	if (result == 0) {
		ck_assert(
		    slice_is(slice_of(buf_bytes(&text), buf_length(&text)),
			strings[_i].text));
		ck_assert(json_string_is(string, strings[_i].text));
	}
	ck_assert(!json_string_is(string, "something else"));
	buf_finish(&text);
}
END_TEST

START_TEST(nul_is_a_character)
{
	struct buf text;

	buf_init(&text, 0);
	ck_assert_int_eq(
	    json_string_decode(slice_of_text("\"a\\u0000b\""), &text), 0);
	ck_assert_uint_eq(buf_length(&text), 3);
	ck_assert_mem_eq(buf_bytes(&text), "a\0b", 3);
	ck_assert(!json_string_is(slice_of_text("\"a\\u0000b\""), "a"));
	buf_finish(&text);
}
END_TEST

START_TEST(a_value_ends_where_it_ends)
{
	static const struct {
		const char *text;
		size_t len;
	} values[] = {{"1,2", 1}, {"[1],", 3}, {" {} x", 3}, {"\"a\"b", 3},
	    {"-", 0}, {"", 0}, {"[1", 0}, {",", 0}, {"truex", 4}};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		ck_assert_uint_eq(
		    json_value_length(values[i].text, strlen(values[i].text)),
		    values[i].len);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("json_walk");

	tcase_add_loop_test(
	    tests, a_walk_finds_each_with_its_bytes, 0, COUNT(rows));
	tcase_add_loop_test(
	    tests, a_string_is_the_text_that_it_stands_for, 0, COUNT(strings));
	tcase_add_test(tests, nul_is_a_character);
	tcase_add_test(tests, a_value_ends_where_it_ends);
	return suite_run("json_walk", tests);
}
