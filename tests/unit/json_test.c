/* Tests of json: what is JSON, and how strings and bytes become JSON. */
#include "protocol/json.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/buf.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

/* In a buffer of just that size, so that a look past the end is found. */
static bool
valid(const char *text, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	bool is_valid;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, len);
	is_valid = json_valid(copy, len);
	free(copy);
	return is_valid;
}

static const char *const good[] = {"{}", "[]", "null", "true", "false", "0",
    "-0", "1", "-1", "10", "0.5", "1e5", "1E+5", "1e-5", "1.25e10", "\"\"",
    "\"a\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDE00\"",
    "\"\x7F\xC3\xA4\"", " \t\r\n{ } \t\r\n", "{\"a\":1}",
    "{ \"a\" : [ 1 , 2 , { } , [ ] , \"x\" ] , \"b\" : null }", "[[[[]]]]",
    "{\"a\":1,\"a\":2}",
    "123456789012345678901234567890123456789012345678901234567890", "1e999999",
    "[1,[2,{\"a\":[3]}],4]"};

START_TEST(json_is_json)
{
	ck_assert_msg(valid(good[_i], strlen(good[_i])), "%s", good[_i]);
}
END_TEST

static const char *const bad[] = {"", " ", "{", "}", "[", "]", "{]", "[}", "[1",
    "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1",
    "{\"a\":1,}", "{,}", "{\"a\" 1}", "{a:1}", "{'a':1}", "{1:2}", "{null:1}",
    "nul", "nulll", "True", "truefalse", "NaN", "Infinity", "-", "+1", "01",
    "-01", "1.", ".5", "1.e5", "1e", "1e+", "0x10", "1 2", "\"", "\"a",
    "\"\\\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\u", "\"\n\"",
    "\"\t\"", "\"\x1F\"", "[]]", "{}{}", "[1]x", "// a", "[1]//", "/**/1",
    "\v1", "1\f", "\xEF\xBB\xBF{}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"b\"}",
    "[\"a\":1]", "{\"a\",1}", "--1", "1-", "tru"};

START_TEST(anything_else_is_not)
{
	ck_assert_msg(!valid(bad[_i], strlen(bad[_i])), "%s", bad[_i]);
}
END_TEST

START_TEST(a_nul_is_no_json)
{
	ck_assert(!valid("[1]\0", 4));
	ck_assert(!valid("\"\0\"", 3));
	ck_assert(!valid("\"\\\0\"", 4));
	ck_assert(!valid("\0", 1));
}
END_TEST

/* Each beginning of a JSON text that ends with a bracket is none. */
START_TEST(a_text_cut_off_anywhere_is_not_json)
{
	static const char text[] = "{\"a\":[1,-2.5e+3,\"\\u00e4\\n\",true,"
				   "false,null,{\"b\":{}}],\"c\":\"d\"}";

	ck_assert(valid(text, strlen(text)));
	for (size_t len = 0; len < strlen(text); len++)
		ck_assert(!valid(text, len));
}
END_TEST

START_TEST(where_a_text_goes_wrong_is_found)
{
	static const struct {
		const char *text;
		size_t good;
	} rows[] = {{"", 0}, {" ", 1}, {"x", 0}, {"[1,]", 3}, {"[1}", 2},
	    {"{\"a\" 1}", 5}, {"{} x", 3}, {"[1,2", 4}, {"[tru]", 1}};
	bool deep;

	for (size_t i = 0; i < COUNT(rows); i++) {
		ck_assert_uint_eq(
		    json_fault(rows[i].text, strlen(rows[i].text), &deep),
		    rows[i].good);
		ck_assert(!deep);
	}
}
END_TEST

static bool
nested_is_valid(int depth, const char *open, const char *close)
{
	struct buf buf;
	bool is_valid;

	buf_init(&buf, 0);
	for (int i = 0; i < depth; i++)
		buf_append_text(&buf, open);
	buf_append_text(&buf, "0");
	for (int i = 0; i < depth; i++)
		buf_append_text(&buf, close);
	is_valid = json_valid(buf_bytes(&buf), buf_length(&buf));
	buf_finish(&buf);
	return is_valid;
}

START_TEST(the_deepest_nesting_is_taken_and_one_more_is_not)
{
	ck_assert(nested_is_valid(JSON_DEPTH_MAX, "[", "]"));
	ck_assert(nested_is_valid(JSON_DEPTH_MAX, "{\"a\":", "}"));
	ck_assert(!nested_is_valid(JSON_DEPTH_MAX + 1, "[", "]"));
	ck_assert(!nested_is_valid(JSON_DEPTH_MAX + 1, "{\"a\":", "}"));
	ck_assert(!nested_is_valid(1000000, "[", "]"));
}
END_TEST

/* One bit per level says which bracket must close. */
START_TEST(each_level_closes_with_its_own_bracket)
{
	static const char text[] = "[{\"a\":[{\"b\":[[{\"c\":0}]]}]}]";

	ck_assert(valid(text, strlen(text)));
	for (size_t i = 0; i < strlen(text); i++) {
		char wrong[sizeof(text)];

		memcpy(wrong, text, sizeof(text));
		if (text[i] == ']' || text[i] == '}') {
			wrong[i] = text[i] == ']' ? '}' : ']';
			ck_assert(!valid(wrong, strlen(wrong)));
		}
	}
}
END_TEST

START_TEST(only_objects_and_arrays_are_guessed_to_be_json)
{
	ck_assert(json_is_object_or_array(" {\"a\":1} ", 9));
	ck_assert(json_is_object_or_array("[]", 2));
	ck_assert(!json_is_object_or_array("1", 1));
	ck_assert(!json_is_object_or_array("\"a\"", 3));
	ck_assert(!json_is_object_or_array("null", 4));
	ck_assert(!json_is_object_or_array("{a}", 3));
	ck_assert(!json_is_object_or_array("[1] x", 5));
	ck_assert(!json_is_object_or_array("", 0));
	ck_assert(!json_is_object_or_array(NULL, 0));
}
END_TEST

static void
assert_string(const char *text, size_t len, const char *json)
{
	struct buf buf;

	buf_init(&buf, 0);
	json_append_string(&buf, text, len);
	ck_assert_uint_eq(buf_length(&buf), strlen(json));
	ck_assert_mem_eq(buf_bytes(&buf), json, strlen(json));
	ck_assert(json_valid(buf_bytes(&buf), buf_length(&buf)));
	buf_finish(&buf);
}

START_TEST(a_string_is_escaped_where_it_must_be)
{
	assert_string("", 0, "\"\"");
	assert_string(NULL, 0, "\"\"");
	assert_string("plain", 5, "\"plain\"");
	assert_string("\"\\/", 3, "\"\\\"\\\\/\"");
	assert_string("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	assert_string("\0\x01\x1F", 3, "\"\\u0000\\u0001\\u001f\"");
	assert_string("a\nb\x7F", 4, "\"a\\nb\x7F\"");
	assert_string(
	    "\xC3\xA4\xF0\x9F\x98\x80", 6, "\"\xC3\xA4\xF0\x9F\x98\x80\"");
	assert_string("\xE2\x80\xA8", 3, "\"\xE2\x80\xA8\"");
}
END_TEST

START_TEST(every_control_character_becomes_valid_json)
{
	for (int c = 0; c < 0x80; c++) {
		char text[3] = {'<', (char)c, '>'};
		struct buf buf;

		buf_init(&buf, 0);
		json_append_string(&buf, text, 3);
		ck_assert(json_valid(buf_bytes(&buf), buf_length(&buf)));
		buf_finish(&buf);
	}
}
END_TEST

/* RFC 4648, section 10. */
START_TEST(bytes_become_base64)
{
	static const char *const vectors[][2] = {{"", "\"\""},
	    {"f", "\"Zg==\""}, {"fo", "\"Zm8=\""}, {"foo", "\"Zm9v\""},
	    {"foob", "\"Zm9vYg==\""}, {"fooba", "\"Zm9vYmE=\""},
	    {"foobar", "\"Zm9vYmFy\""}, {"\xFF\xEF\xBE", "\"/+++\""}};

	for (int i = 0; i < COUNT(vectors); i++) {
		struct buf buf;

		buf_init(&buf, 0);
		json_append_base64(&buf, vectors[i][0], strlen(vectors[i][0]));
		buf_append_char(&buf, '\0');
		ck_assert_str_eq(buf_bytes(&buf), vectors[i][1]);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(a_full_buffer_fails_and_holds_no_half_word)
{
	struct buf buf;

	buf_init(&buf, 5);
	json_append_base64(&buf, "foobar", 6);
	ck_assert(buf_failed(&buf));
	ck_assert_uint_eq(buf_length(&buf), 0);
	buf_finish(&buf);
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("json");
	TCase *tests = tcase_create("json");

	tcase_add_loop_test(tests, json_is_json, 0, COUNT(good));
	tcase_add_loop_test(tests, anything_else_is_not, 0, COUNT(bad));
	tcase_add_test(tests, a_nul_is_no_json);
	tcase_add_test(tests, a_text_cut_off_anywhere_is_not_json);
	tcase_add_test(tests, where_a_text_goes_wrong_is_found);
	tcase_add_test(tests, the_deepest_nesting_is_taken_and_one_more_is_not);
	tcase_add_test(tests, each_level_closes_with_its_own_bracket);
	tcase_add_test(tests, only_objects_and_arrays_are_guessed_to_be_json);
	tcase_add_test(tests, a_string_is_escaped_where_it_must_be);
	tcase_add_test(tests, every_control_character_becomes_valid_json);
	tcase_add_test(tests, bytes_become_base64);
	tcase_add_test(tests, a_full_buffer_fails_and_holds_no_half_word);
	suite_add_tcase(suite, tests);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
