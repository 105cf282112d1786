/* Tests of gzip: whatever the pieces are, what comes out at the other end is
 * what they were made of, each as soon as it is in. */
#include "broker/worker/cursor/gzip.h"

#include <string.h>
#include <zlib.h>

#include "protocol/buf.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { TEXT_MAX = 400000 };

static struct gzip *gzip;
static z_stream inflating;
static struct buf out, seen;
static char text[TEXT_MAX];
static uint64_t state;

static void
set_up(void)
{
	state = 271828;
	gzip = gzip_create(3);
	ck_assert_ptr_nonnull(gzip);
	buf_init(&out, 0);
	buf_init(&seen, 0);
	memset(&inflating, 0, sizeof(inflating));
	ck_assert_int_eq(inflateInit2(&inflating, 16 + MAX_WBITS), Z_OK);
}

static void
tear_down(void)
{
	inflateEnd(&inflating);
	gzip_destroy(gzip);
	buf_finish(&out);
	buf_finish(&seen);
}

/* Reads all that was appended; `seen` has what came of it. */
static int
read_out(void)
{
	int result = Z_OK;

	buf_clear(&seen);
	inflating.next_in = (Bytef *)(uintptr_t)buf_bytes(&out);
	inflating.avail_in = (uInt)buf_length(&out);
	while (inflating.avail_in > 0 && result == Z_OK) {
		char *room = buf_reserve(&seen, TEXT_MAX);

		inflating.next_out = (Bytef *)room;
		inflating.avail_out = TEXT_MAX;
		result = inflate(&inflating, Z_SYNC_FLUSH);
		buf_commit(&seen, TEXT_MAX - inflating.avail_out);
	}
	buf_clear(&out);
	return result;
}

static void
assert_seen(struct slice expected)
{
	ck_assert_int_eq(read_out(), Z_OK);
	ck_assert_uint_eq(buf_length(&seen), expected.len);
	ck_assert_mem_eq(buf_bytes(&seen), expected.bytes, expected.len);
}

/* Text that repeats itself, or not at all. */
static struct slice
make_text(size_t len, bool repeats)
{
	for (size_t i = 0; i < len; i++)
		text[i] = repeats ? (char)("{\"status\":"[i % 10])
				  : (char)sample_random(&state);
	return slice_of(text, len);
}

START_TEST(each_piece_comes_out_whole_without_the_next)
{
	static const size_t lens[] = {1, 2, 24, 300, 65534, 65535, 65536, 65537,
	    131071, GZIP_TEXT_MAX, GZIP_TEXT_MAX + 1, TEXT_MAX};

	gzip_append_head(&out);
	for (size_t i = 0; i < 4 * sizeof(lens) / sizeof(lens[0]); i++) {
		struct slice piece = make_text(lens[i / 4], i % 2 == 0);

		if (i % 4 < 2)
			gzip_append(gzip, &out, piece, slice_of(NULL, 0));
		else
			gzip_append_stored(&out, piece);
		ck_assert(!buf_failed(&out));
		assert_seen(piece);
	}
}
END_TEST

START_TEST(a_piece_grows_by_no_more_than_what_a_stored_one_needs)
{
	for (size_t len = 1; len < 200000; len = 2 * len + 7) {
		size_t blocks = (len + 65534) / 65535;

		buf_clear(&out);
		gzip_append(
		    gzip, &out, make_text(len, false), slice_of(NULL, 0));
		ck_assert_uint_le(buf_length(&out), len + 5 * blocks);
		buf_clear(&out);
		gzip_append_stored(&out, make_text(len, true));
		ck_assert_uint_eq(buf_length(&out), len + 5 * blocks);
	}
}
END_TEST

/* The decoder refuses a piece that refers to what was before it. */
START_TEST(a_piece_stands_alone)
{
	struct slice piece = make_text(1000, true);

	gzip_append(gzip, &out, piece, slice_of(NULL, 0));
	buf_clear(&out);
	gzip_append_head(&out);
	gzip_append(gzip, &out, piece, slice_of(NULL, 0));
	assert_seen(piece);
}
END_TEST

START_TEST(a_piece_behind_its_like_is_shorter)
{
	struct slice before = make_text(3 * GZIP_BEFORE_MAX, false);
	struct slice piece = slice_of(
	    before.bytes + before.len - GZIP_BEFORE_MAX, GZIP_BEFORE_MAX);
	size_t len;

	gzip_append_head(&out);
	gzip_append(gzip, &out, before, slice_of(NULL, 0));
	assert_seen(before);
	gzip_append(gzip, &out, piece, before);
	len = buf_length(&out);
	ck_assert_uint_lt(len, piece.len / 10);
	assert_seen(piece);
	/* And does without it when it is not there. */
	gzip_append(gzip, &out, piece, slice_of(NULL, 0));
	ck_assert_uint_gt(buf_length(&out), len);
	assert_seen(piece);
}
END_TEST

START_TEST(an_end_ends_a_stream_that_holds_what_was_added)
{
	struct gzip_sum sum = {0, 0};

	gzip_append_head(&out);
	for (size_t i = 0; i < 20; i++) {
		struct slice piece = make_text(1 + i * i * 97, i % 3 == 0);
		struct gzip_sum own = {0, 0};

		gzip_append(gzip, &out, piece, slice_of(NULL, 0));
		gzip_sum_add(&own, piece);
		if (i % 2 == 0)
			gzip_sum_add(&sum, piece);
		else
			gzip_sum_join(&sum, &own);
	}
	gzip_append_end(&out, &sum);
	ck_assert_int_eq(read_out(), Z_STREAM_END);
	ck_assert_uint_eq(buf_length(&seen), sum.bytes);
}
END_TEST

START_TEST(an_end_of_another_stream_is_refused)
{
	struct gzip_sum sum = {0, 0};

	gzip_append_head(&out);
	gzip_append_stored(&out, make_text(100, true));
	gzip_append_end(&out, &sum);
	ck_assert_int_eq(read_out(), Z_DATA_ERROR);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("gzip");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, each_piece_comes_out_whole_without_the_next);
	tcase_add_test(
	    tests, a_piece_grows_by_no_more_than_what_a_stored_one_needs);
	tcase_add_test(tests, a_piece_stands_alone);
	tcase_add_test(tests, a_piece_behind_its_like_is_shorter);
	tcase_add_test(tests, an_end_ends_a_stream_that_holds_what_was_added);
	tcase_add_test(tests, an_end_of_another_stream_is_refused);
	return suite_run("gzip", tests);
}
