/* Tests of sse: what a browser reads is what a publisher sent, and no more. */
#include "broker/shared/sse.h"

#include <check.h>
#include <stdlib.h>

#include "protocol/buf.h"
#include "protocol/cursor_id.h"
#include "tests/unit/event_stream.h"
#include "tests/unit/some_shapes.h"

static struct buf out;

static struct sse_shape shapes[SHAPES];

static void
set_up(void)
{
	make_some_shapes(shapes);
	buf_init(&out, 0);
}

static void
tear_down(void)
{
	buf_finish(&out);
}

static struct event
event_with(enum event_kind kind, struct slice data)
{
	return (struct event){
	    .cursor = cursor_id_make(1763700000000, 7),
	    .channel = slice_of_text("org:42:orders"),
	    .data = data,
	    .kind = kind,
	};
}

static void
assert_out(const char *expected)
{
	ck_assert_uint_eq(buf_length(&out), strlen(expected));
	ck_assert_mem_eq(buf_bytes(&out), expected, strlen(expected));
}

/* Texts that have forged events, ids or fields somewhere before. */
static const struct slice hostile[] = {
#define HOSTILE(text) \
	{ \
		text, sizeof(text) - 1 \
	}
    HOSTILE(""),
    HOSTILE(" "),
    HOSTILE(" leading space"),
    HOSTILE(": comment"),
    HOSTILE("\n"),
    HOSTILE("\r"),
    HOSTILE("\r\n"),
    HOSTILE("\n\n"),
    HOSTILE("\r\r"),
    HOSTILE("\n\r"),
    HOSTILE("\r\n\r\n"),
    HOSTILE("\r\r\n\n"),
    HOSTILE("a\rid: 9999999999999-0\r\rdata: forged\r\r"),
    HOSTILE("a\nid: 9999999999999-0\n\ndata: forged\n\n"),
    HOSTILE("a\r\nevent: bye\r\ndata: forged\r\n\r\n"),
    HOSTILE("a\revent: bye"),
    HOSTILE("id: 1-0"),
    HOSTILE("event: resync"),
    HOSTILE("retry: 0\nretry: 0"),
    HOSTILE("data: x"),
    HOSTILE("data"),
    HOSTILE("a\0b\rid: 1\0-0\r"),
    HOSTILE("\0"),
    HOSTILE("\xEF\xBB\xBF"
	    "after a byte order mark"),
    HOSTILE("line\xEF\xBB\xBF\ndata:\xEF\xBB\xBF"),
    HOSTILE("\xE2\x80\xA8line separator\xE2\x80\xA9\xC2\x85next line"),
    HOSTILE("\xF0\x9F\x9A\x80 four bytes \xF4\x8F\xBF\xBF"),
    HOSTILE("\x0B\x0C\x1C\x1D\x1E\x1F\x7F"),
    HOSTILE("quote \" backslash \\ slash / \\u0041 \\n"),
    HOSTILE("</script>"),
    HOSTILE("trailing line end\n"),
    HOSTILE("trailing carriage return\r"),
};

enum { HOSTILE_COUNT = sizeof(hostile) / sizeof(hostile[0]) };

/* Reads what was written; there must be one event with the right id. */
static struct seen_event
only_event(struct event_stream *stream)
{
	event_stream_read(stream, buf_bytes(&out), buf_length(&out));
	ck_assert_uint_eq(stream->count, 1);
	ck_assert_uint_eq(stream->ids, 1);
	ck_assert_uint_eq(stream->retries, 0);
	ck_assert_uint_eq(stream->comments, 0);
	ck_assert_uint_eq(stream->unknown, 0);
	ck_assert_uint_eq(stream->data.len, 0); /* nothing is left open */
	ck_assert_str_eq(stream->events[0].id.bytes, "1763700000000-7");
	return stream->events[0];
}

static int
hex_value(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Undoes the escapes of a JSON string whose characters are all ASCII or taken
 * along; without surrogates, which are never written. */
static struct text
unescaped(const char *bytes, size_t len)
{
	static const char letters[] = "bfnrt\"\\";
	static const char meant[] = "\b\f\n\r\t\"\\";
	struct text text = text_copy("", 0);

	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];

		ck_assert_int_ne(c, '"');
		ck_assert_uint_ge((unsigned char)c, 0x20);
		if (c == '\\' && bytes[i + 1] == 'u') {
			ck_assert_mem_eq(bytes + i + 2, "00", 2);
			c = (char)(hex_value(bytes[i + 4]) << 4 |
				   hex_value(bytes[i + 5]));
			i += 5;
		} else if (c == '\\') {
			const char *found = strchr(letters, bytes[++i]);

			ck_assert_ptr_nonnull(found);
			c = meant[found - letters];
		}
		text_append(&text, &c, 1);
	}
	return text;
}

START_TEST(raw_data_comes_out_as_it_went_in_with_line_feeds)
{
	struct event event = event_with(EVENT_TEXT, hostile[_i]);
	struct text expected =
	    text_with_line_feeds(hostile[_i].bytes, hostile[_i].len);
	struct event_stream stream;
	struct seen_event seen;

	sse_append_event(&out, &event, &sse_raw);
	seen = only_event(&stream);
	ck_assert_uint_eq(seen.name.len, 0);
	ck_assert_uint_eq(seen.data.len, expected.len);
	ck_assert_mem_eq(seen.data.bytes, expected.bytes, expected.len);
	text_clear(&expected);
	event_stream_finish(&stream);
}
END_TEST

START_TEST(tagged_text_comes_out_byte_for_byte)
{
	static const char head[] =
	    "{\"channel\":\"org:42:orders\",\"ts\":1763700000000,\"data\":\"";
	size_t head_len = sizeof(head) - 1;
	struct event event = event_with(EVENT_TEXT, hostile[_i]);
	struct event_stream stream;
	struct seen_event seen;
	struct text text;

	sse_append_event(&out, &event, &sse_tagged);
	seen = only_event(&stream);
	ck_assert_uint_eq(seen.name.len, 0);
	ck_assert_uint_ge(seen.data.len, head_len + 2);
	ck_assert_mem_eq(seen.data.bytes, head, head_len);
	ck_assert_str_eq(seen.data.bytes + seen.data.len - 2, "\"}");
	text =
	    unescaped(seen.data.bytes + head_len, seen.data.len - head_len - 2);
	ck_assert_uint_eq(text.len, hostile[_i].len);
	ck_assert_mem_eq(text.bytes, hostile[_i].bytes, text.len);
	text_clear(&text);
	event_stream_finish(&stream);
}
END_TEST

START_TEST(a_hostile_type_forges_nothing_in_either_format)
{
	struct event event = event_with(EVENT_TEXT, slice_of_text("data"));
	struct event_stream stream;

	event.type = hostile[_i];
	event.key = hostile[_i];
	for (size_t shape = 0; shape < SHAPES; shape++) {
		buf_clear(&out);
		sse_append_event(&out, &event, &shapes[shape]);
		only_event(&stream);
		event_stream_finish(&stream);
	}
}
END_TEST

START_TEST(a_tagged_block_has_exactly_the_documented_bytes)
{
	struct event event =
	    event_with(EVENT_JSON, slice_of_text("{\"status\":\"shipped\"}"));

	event.type = slice_of_text("order.updated");
	event.key = slice_of_text("ord_42");
	sse_append_event(&out, &event, &sse_tagged);
	assert_out(
	    "id: 1763700000000-7\n"
	    "data: {\"channel\":\"org:42:orders\","
	    "\"type\":\"order.updated\",\"key\":\"ord_42\","
	    "\"ts\":1763700000000,\"data\":{\"status\":\"shipped\"}}\n\n");
}
END_TEST

START_TEST(of_a_snapshot_it_says_so_and_has_no_id)
{
	struct event event = event_with(EVENT_JSON, slice_of_text("1"));
	struct sse_shape shape = sse_tagged, raw = sse_raw;
	struct sse_shape envelope = {.format = SSE_ENVELOPE};

	ck_assert_int_eq(
	    sse_shape_add_field(&envelope, slice_of_text("s:snapshot")), 0);
	sse_append_event(&out, &event, &envelope);
	shape.snapshot = raw.snapshot = envelope.snapshot = true;
	sse_append_event(&out, &event, &shape);
	sse_append_event(&out, &event, &raw);
	sse_append_event(&out, &event, &envelope);
	assert_out("id: 1763700000000-7\ndata: {}\n\n"
		   "data: {\"channel\":\"org:42:orders\","
		   "\"ts\":1763700000000,\"snapshot\":true,\"data\":1}\n\n"
		   "data: 1\n\ndata: {\"s\":true}\n\n");
}
END_TEST

START_TEST(a_tagged_block_leaves_out_a_type_or_key_that_is_not_there)
{
	struct event event = event_with(EVENT_JSON, slice_of_text("1"));

	event.key = slice_of_text("k");
	sse_append_event(&out, &event, &sse_tagged);
	event.key = slice_of_text("");
	event.type = slice_of_text("t");
	sse_append_event(&out, &event, &sse_tagged);
	assert_out("id: 1763700000000-7\ndata: {\"channel\":\"org:42:orders\","
		   "\"key\":\"k\",\"ts\":1763700000000,\"data\":1}\n\n"
		   "id: 1763700000000-7\ndata: {\"channel\":\"org:42:orders\","
		   "\"type\":\"t\",\"ts\":1763700000000,\"data\":1}\n\n");
}
END_TEST

START_TEST(an_object_is_the_tagged_one_with_its_cursor_and_its_line_breaks)
{
	struct event event =
	    event_with(EVENT_JSON, slice_of_text("{\r\n\"a\":\r1\n}"));

	event.type = slice_of_text("t");
	event.key = slice_of_text("\"k");
	sse_append_object(&out, &event);
	assert_out("{\"cursor\":\"1763700000000-7\","
		   "\"channel\":\"org:42:orders\",\"type\":\"t\","
		   "\"key\":\"\\\"k\",\"ts\":1763700000000,"
		   "\"data\":{\r\n\"a\":\r1\n}}");
	buf_clear(&out);
	event = event_with(EVENT_BYTES, slice_of("\xff\n", 2));
	sse_append_object(&out, &event);
	assert_out("{\"cursor\":\"1763700000000-7\","
		   "\"channel\":\"org:42:orders\",\"ts\":1763700000000,"
		   "\"data\":\"/wo=\"}");
}
END_TEST

START_TEST(line_breaks_of_json_become_data_lines)
{
	struct event event =
	    event_with(EVENT_JSON, slice_of_text("{\r\n\"a\":\r1\n}"));

	sse_append_event(&out, &event, &sse_tagged);
	assert_out("id: 1763700000000-7\ndata: {\"channel\":\"org:42:orders\","
		   "\"ts\":1763700000000,\"data\":{\n"
		   "data: \"a\":\ndata: 1\ndata: }}\n\n");
}
END_TEST

START_TEST(bytes_are_base64_when_tagged_and_verbatim_when_raw)
{
	struct event event =
	    event_with(EVENT_BYTES, slice_of("\x00\xFF\n\x80", 4));

	sse_append_event(&out, &event, &sse_tagged);
	assert_out("id: 1763700000000-7\ndata: {\"channel\":\"org:42:orders\","
		   "\"ts\":1763700000000,\"data\":\"AP8KgA==\"}\n\n");
	buf_clear(&out);
	sse_append_event(&out, &event, &sse_raw);
	ck_assert_uint_eq(buf_length(&out), 20 + 9 + 8 + 1);
	ck_assert_mem_eq(
	    buf_bytes(&out) + 20, "data: \x00\xFF\ndata: \x80\n\n", 18);
}
END_TEST

START_TEST(a_raw_block_names_the_event_after_its_type)
{
	struct event event =
	    event_with(EVENT_JSON, slice_of_text("{\"id\":\"ord_42\"}"));

	event.type = slice_of_text("order.updated");
	event.key = slice_of_text("not shown");
	sse_append_event(&out, &event, &sse_raw);
	assert_out("id: 1763700000000-7\nevent: order.updated\n"
		   "data: {\"id\":\"ord_42\"}\n\n");
}
END_TEST

START_TEST(empty_raw_data_is_one_empty_data_line)
{
	struct event event = event_with(EVENT_TEXT, slice_of(NULL, 0));

	sse_append_event(&out, &event, &sse_raw);
	assert_out("id: 1763700000000-7\ndata: \n\n");
}
END_TEST

START_TEST(a_resync_is_a_control_event_in_both_formats)
{
	struct event event = event_with(EVENT_RESYNC, slice_of(NULL, 0));

	for (size_t shape = 0; shape < SHAPES; shape++) {
		buf_clear(&out);
		sse_append_event(&out, &event, &shapes[shape]);
		assert_out("event: resync\ndata: {\"channels\":"
			   "[\"org:42:orders\"],\"reason\":\"publisher\"}\n\n");
	}
}
END_TEST

START_TEST(a_control_event_has_a_name_and_no_id)
{
	sse_append_control(&out, slice_of_text("live"),
	    slice_of_text("{\"cursor\":\"1-0\"}"), 0);
	assert_out("event: live\ndata: {\"cursor\":\"1-0\"}\n\n");
}
END_TEST

START_TEST(retry_rides_in_the_block_of_a_control_event)
{
	sse_append_control(
	    &out, slice_of_text("bye"), slice_of_text("{}"), UINT32_MAX);
	assert_out("retry: 4294967295\nevent: bye\ndata: {}\n\n");
	buf_clear(&out);
	sse_append_control(&out, slice_of_text("bye"), slice_of_text("{}"), 10);
	assert_out("retry: 10\nevent: bye\ndata: {}\n\n");
}
END_TEST

START_TEST(a_heartbeat_is_a_comment_and_no_empty_line)
{
	sse_append_heartbeat(&out);
	assert_out(":hb\n");
}
END_TEST

START_TEST(blocks_and_heartbeats_one_after_the_other_stay_apart)
{
	struct event event = event_with(EVENT_TEXT, slice_of_text("x\r"));
	struct event_stream stream;

	sse_append_control(
	    &out, slice_of_text("connected"), slice_of_text("{}"), 2000);
	sse_append_heartbeat(&out);
	sse_append_event(&out, &event, &sse_raw);
	sse_append_heartbeat(&out);
	sse_append_event(&out, &event, &sse_tagged);
	event_stream_read(&stream, buf_bytes(&out), buf_length(&out));
	ck_assert_uint_eq(stream.count, 3);
	ck_assert_uint_eq(stream.comments, 2);
	ck_assert_uint_eq(stream.retries, 1);
	ck_assert_str_eq(stream.events[0].name.bytes, "connected");
	ck_assert_uint_eq(stream.events[0].id.len, 0);
	ck_assert_str_eq(stream.events[1].data.bytes, "x\n");
	event_stream_finish(&stream);
}
END_TEST

START_TEST(a_buffer_that_is_full_fails_and_takes_nothing_past_its_cap)
{
	struct event event = event_with(EVENT_TEXT, slice_of_text("a\nb\rc"));
	struct buf small;

	for (size_t cap = 1; cap < 100; cap++) {
		for (size_t shape = 0; shape < SHAPES; shape++) {
			buf_init(&small, cap);
			event.type = slice_of_text("type");
			sse_append_event(&small, &event, &shapes[shape]);
			ck_assert(
			    buf_failed(&small) || buf_length(&small) > 35);
			ck_assert_uint_le(buf_length(&small), cap);
			buf_finish(&small);
		}
	}
}
END_TEST

static Suite *
suite(void)
{
	TCase *tests = tcase_create("sse");
	Suite *suite = suite_create("sse");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests,
	    raw_data_comes_out_as_it_went_in_with_line_feeds, 0, HOSTILE_COUNT);
	tcase_add_loop_test(
	    tests, tagged_text_comes_out_byte_for_byte, 0, HOSTILE_COUNT);
	tcase_add_loop_test(tests,
	    a_hostile_type_forges_nothing_in_either_format, 0, HOSTILE_COUNT);
	tcase_add_test(tests, a_tagged_block_has_exactly_the_documented_bytes);
	tcase_add_test(tests, of_a_snapshot_it_says_so_and_has_no_id);
	tcase_add_test(
	    tests, a_tagged_block_leaves_out_a_type_or_key_that_is_not_there);
	tcase_add_test(tests, line_breaks_of_json_become_data_lines);
	tcase_add_test(
	    tests, bytes_are_base64_when_tagged_and_verbatim_when_raw);
	tcase_add_test(tests, a_raw_block_names_the_event_after_its_type);
	tcase_add_test(tests, empty_raw_data_is_one_empty_data_line);
	tcase_add_test(tests, a_resync_is_a_control_event_in_both_formats);
	tcase_add_test(tests, a_control_event_has_a_name_and_no_id);
	tcase_add_test(tests, retry_rides_in_the_block_of_a_control_event);
	tcase_add_test(tests,
	    an_object_is_the_tagged_one_with_its_cursor_and_its_line_breaks);
	tcase_add_test(tests, a_heartbeat_is_a_comment_and_no_empty_line);
	tcase_add_test(
	    tests, blocks_and_heartbeats_one_after_the_other_stay_apart);
	tcase_add_test(
	    tests, a_buffer_that_is_full_fails_and_takes_nothing_past_its_cap);
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
