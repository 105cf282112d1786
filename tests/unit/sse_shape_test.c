/* Tests of sse_shape, and of the blocks that an envelope gives. */
#include "broker/shared/sse.h"

#include <stdio.h>

#include "protocol/buf.h"
#include "protocol/cursor_id.h"
#include "tests/unit/some_shapes.h"
#include "tests/unit/suite.h"

static struct buf out;

static void
set_up(void)
{
	buf_init(&out, 0);
}

static void
tear_down(void)
{
	buf_finish(&out);
}

static struct event
sample(void)
{
	return (struct event){
	    .cursor = cursor_id_make(1763700000000, 7),
	    .channel = slice_of_text("user:u1:entityA"),
	    .type = slice_of_text("order.updated"),
	    .key = slice_of_text("ord_42"),
	    .data = slice_of_text("{\"n\":1}"),
	    .kind = EVENT_JSON,
	};
}

static void
assert_block(const struct event *event, const struct sse_shape *shape,
    const char *expected)
{
	buf_clear(&out);
	sse_append_event(&out, event, shape);
	ck_assert_uint_eq(buf_length(&out), strlen(expected));
	ck_assert_mem_eq(buf_bytes(&out), expected, strlen(expected));
}

START_TEST(an_envelope_has_its_fields_in_their_order)
{
	static const char *const fields[] = {" type : channel.last ",
	    "event:data", "c:channel", "t:type", "id:key", "ts:ts", "at:cursor",
	    NULL};
	struct sse_shape shape = envelope_of(fields);
	struct event event = sample();

	assert_block(&event, &shape,
	    "id: 1763700000000-7\n"
	    "data: {\"type\":\"entityA\",\"event\":{\"n\":1},"
	    "\"c\":\"user:u1:entityA\",\"t\":\"order.updated\","
	    "\"id\":\"ord_42\",\"ts\":1763700000000,"
	    "\"at\":\"1763700000000-7\"}\n\n");
}
END_TEST

START_TEST(what_an_event_does_not_have_is_left_out)
{
	static const char *const fields[] = {"t:type", "k:key", "d:data", NULL};
	static const char *const optional[] = {"t:type", "k:key", NULL};
	struct sse_shape shape = envelope_of(fields);
	struct event event = sample();

	event.type.len = 0;
	assert_block(&event, &shape,
	    "id: 1763700000000-7\n"
	    "data: {\"k\":\"ord_42\",\"d\":{\"n\":1}}\n\n");
	event.key.len = 0;
	assert_block(
	    &event, &shape, "id: 1763700000000-7\ndata: {\"d\":{\"n\":1}}\n\n");
	shape = envelope_of(optional);
	assert_block(&event, &shape, "id: 1763700000000-7\ndata: {}\n\n");
}
END_TEST

START_TEST(data_stands_in_an_envelope_as_in_a_tagged_event)
{
	static const char *const fields[] = {"d:data", NULL};
	struct sse_shape shape = envelope_of(fields);
	struct event event = sample();

	event.kind = EVENT_TEXT;
	event.data = slice_of_text("a\n\"b\"");
	assert_block(&event, &shape,
	    "id: 1763700000000-7\ndata: {\"d\":\"a\\n\\\"b\\\"\"}\n\n");
	event.kind = EVENT_BYTES;
	event.data = slice_of("\0\xFF", 2);
	assert_block(
	    &event, &shape, "id: 1763700000000-7\ndata: {\"d\":\"AP8=\"}\n\n");
	event.kind = EVENT_JSON;
	event.data = slice_of_text("[1,\r\n2]");
	assert_block(&event, &shape,
	    "id: 1763700000000-7\ndata: {\"d\":[1,\ndata: 2]}\n\n");
}
END_TEST

START_TEST(the_last_segment_of_a_channel_without_colons_is_all_of_it)
{
	static const char *const fields[] = {"c:channel.last", NULL};
	struct sse_shape shape = envelope_of(fields);
	struct event event = sample();

	event.channel = slice_of_text("orders");
	assert_block(&event, &shape,
	    "id: 1763700000000-7\ndata: {\"c\":\"orders\"}\n\n");
	event.channel = slice_of_text("a:");
	assert_block(
	    &event, &shape, "id: 1763700000000-7\ndata: {\"c\":\"\"}\n\n");
}
END_TEST

START_TEST(names_of_events_are_written_or_not_whatever_the_format)
{
	struct sse_shape raw = sse_raw, tagged = sse_tagged;
	struct event event = sample();

	raw.names_events = false;
	assert_block(&event, &raw, "id: 1763700000000-7\ndata: {\"n\":1}\n\n");
	tagged.names_events = true;
	assert_block(&event, &tagged,
	    "id: 1763700000000-7\nevent: order.updated\n"
	    "data: {\"channel\":\"user:u1:entityA\","
	    "\"type\":\"order.updated\",\"key\":\"ord_42\","
	    "\"ts\":1763700000000,\"data\":{\"n\":1}}\n\n");
	event.type.len = 0;
	assert_block(&event, &raw, "id: 1763700000000-7\ndata: {\"n\":1}\n\n");
}
END_TEST

START_TEST(what_is_no_field_is_refused)
{
	static const char *const bad[] = {"", "a", ":", ":data", "a:", "a:dat",
	    "a:data:data", "a\":data", "a\\:data", "a,b:data", "a\nb:data",
	    "\xFF:data", "a:Data", " :data", "\x7F:data",
	    "123456789012345678901234567890123:data"};
	struct sse_shape shape = {.format = SSE_ENVELOPE};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(
		    sse_shape_add_field(&shape, slice_of_text(bad[i])) == -1,
		    "%s", bad[i]);
	ck_assert_uint_eq(shape.field_count, 0);
}
END_TEST

START_TEST(names_are_bounded_and_each_stands_once)
{
	struct sse_shape shape = {.format = SSE_ENVELOPE};
	char text[32];

	ck_assert_int_eq(sse_shape_add_field(&shape,
			     slice_of_text("12345678901234567890123456789012"
					   ":data")),
	    0);
	ck_assert_int_eq(sse_shape_add_field(&shape,
			     slice_of_text("12345678901234567890123456789012"
					   ":ts")),
	    -1);
	for (int i = 1; i < SSE_FIELDS_MAX; i++) {
		snprintf(text, sizeof(text), "n%d:ts", i);
		ck_assert_int_eq(
		    sse_shape_add_field(&shape, slice_of_text(text)), 0);
	}
	ck_assert_int_eq(
	    sse_shape_add_field(&shape, slice_of_text("more:ts")), -1);
	ck_assert_uint_eq(shape.field_count, SSE_FIELDS_MAX);
}
END_TEST

START_TEST(shapes_are_equal_when_their_bytes_are)
{
	struct sse_shape a[SHAPES], b[SHAPES];

	make_some_shapes(a);
	memset(b, 0xA5, sizeof(b)); /* what is not used does not count */
	make_some_shapes(b);
	for (int i = 0; i < SHAPES; i++) {
		for (int j = 0; j < SHAPES; j++)
			ck_assert_int_eq(sse_shape_equal(&a[i], &b[j]), i == j);
	}
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("sse_shape");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_envelope_has_its_fields_in_their_order);
	tcase_add_test(tests, what_an_event_does_not_have_is_left_out);
	tcase_add_test(tests, data_stands_in_an_envelope_as_in_a_tagged_event);
	tcase_add_test(
	    tests, the_last_segment_of_a_channel_without_colons_is_all_of_it);
	tcase_add_test(
	    tests, names_of_events_are_written_or_not_whatever_the_format);
	tcase_add_test(tests, what_is_no_field_is_refused);
	tcase_add_test(tests, names_are_bounded_and_each_stands_once);
	tcase_add_test(tests, shapes_are_equal_when_their_bytes_are);
	return suite_run("sse_shape", tests);
}
