/* Tests of frame: an event's block as one chunk, whatever its length. */
#include "broker/worker/cursor/frame.h"

#include "protocol/buf.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

static struct buf block, out;
static struct sample_event sample;

static void
set_up(void)
{
	buf_init(&block, 0);
	buf_init(&out, 0);
}

static void
tear_down(void)
{
	buf_finish(&block);
	buf_finish(&out);
}

/* A chunk with these bytes, made by printf. */
static void
assert_chunk(struct slice frame, const struct buf *content)
{
	char head[16];
	int head_len =
	    snprintf(head, sizeof(head), "%zx\r\n", buf_length(content));

	ck_assert_uint_eq(
	    frame.len, (size_t)head_len + buf_length(content) + 2);
	ck_assert_mem_eq(frame.bytes, head, head_len);
	ck_assert_mem_eq(
	    frame.bytes + head_len, buf_bytes(content), buf_length(content));
	ck_assert_mem_eq(frame.bytes + frame.len - 2, "\r\n", 2);
}

START_TEST(a_frame_is_a_chunk_with_the_events_block)
{
	const struct sse_shape *shape = _i % 2 == 0 ? &sse_tagged : &sse_raw;
	size_t data_len = (size_t)_i * (size_t)_i;
	struct event *event = sample_make(&sample, 77, data_len);
	struct frame frame;

	buf_append_text(&out, "before");
	sse_append_event(&block, event, shape);
	frame = frame_append(&out, event, shape);
	ck_assert_ptr_eq(frame.bytes, buf_bytes(&out) + 6);
	ck_assert_uint_eq(buf_length(&out), 6 + frame.len);
	assert_chunk(frame_part(&frame, 1), &block);
	/* HTTP/1.0 has no chunks: the block alone. */
	ck_assert(slice_equal(frame_part(&frame, 0),
	    slice_of(buf_bytes(&block), buf_length(&block))));
	ck_assert_mem_eq(buf_bytes(&out), "before", 6);
}
END_TEST

START_TEST(frames_follow_each_other_without_a_gap)
{
	size_t end = 0;

	for (uint64_t i = 0; i < 50; i++) {
		struct event *event = sample_make(&sample, i, 5 * i);
		struct frame frame = frame_append(&out, event, &sse_tagged);

		ck_assert_ptr_eq(frame.bytes, buf_bytes(&out) + end);
		end += frame.len;
		ck_assert_uint_eq(buf_length(&out), end);
	}
}
END_TEST

START_TEST(a_block_of_any_bytes_becomes_a_chunk)
{
	for (size_t len = 1; len < 70000; len = len * 3 + 1) {
		buf_clear(&block);
		buf_clear(&out);
		ck_assert_ptr_nonnull(buf_reserve(&block, len));
		memset(block.data, '\n', len);
		buf_commit(&block, len);
		frame_append_chunk(&out, &block);
		assert_chunk(
		    slice_of(buf_bytes(&out), buf_length(&out)), &block);
	}
}
END_TEST

START_TEST(a_frame_that_finds_no_memory_has_no_bytes)
{
	struct event *event = sample_make(&sample, 1, 1000);
	struct frame frame;

	buf_finish(&out);
	buf_init(&out, 500);
	frame = frame_append(&out, event, &sse_tagged);
	ck_assert_ptr_null(frame.bytes);
	ck_assert(buf_failed(&out));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("frame");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(
	    tests, a_frame_is_a_chunk_with_the_events_block, 0, 150);
	tcase_add_test(tests, frames_follow_each_other_without_a_gap);
	tcase_add_test(tests, a_block_of_any_bytes_becomes_a_chunk);
	tcase_add_test(tests, a_frame_that_finds_no_memory_has_no_bytes);
	return suite_run("frame", tests);
}
