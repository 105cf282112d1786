/* Tests of coder: whatever the pieces are, what comes out at the other end is
 * what they were made of, each as soon as it is in. */
#include "broker/worker/cursor/coder.h"

#include <string.h>

#include "protocol/buf.h"
#include "tests/unit/coding_reader.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { TEXT_MAX = 400000, SHARED = 60, SHARED_TEXT_MAX = 600 };

/* What a stored piece is longer by: so much for each that many bytes. */
static const struct {
	size_t block;
	size_t head;
} stored[CODING_COUNT] = {
    [CODING_GZIP] = {65535, 5},
    [CODING_ZSTD] = {131072, 3},
};

static enum coding coding;
static struct coder *coder;
static struct coding_reader reader;
static struct buf out;
static char text[TEXT_MAX];
static uint64_t state;

static void
set_up(void)
{
	state = 271828;
	coder = coder_create(coding, 3);
	ck_assert_ptr_nonnull(coder);
	buf_init(&out, 0);
	reader_init(&reader, coding);
}

static void
set_up_gzip(void)
{
	coding = CODING_GZIP;
	set_up();
}

#ifndef SSEMUX_NO_ZSTD
static void
set_up_zstd(void)
{
	coding = CODING_ZSTD;
	set_up();
}
#endif

static void
tear_down(void)
{
	coder_destroy(coder);
	buf_finish(&out);
	reader_finish(&reader);
}

/* All that was appended brings this. */
static void
assert_brings(struct slice expected)
{
	ck_assert(!buf_failed(&out));
	reader_take_buf(&reader, &out);
	reader_assert_seen(&reader, expected);
}

static struct slice
nothing(void)
{
	return slice_of(NULL, 0);
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
	    131071, 131072, 131073, CODER_TEXT_MAX, CODER_TEXT_MAX + 1,
	    TEXT_MAX};

	coder_append_head(coding, &out);
	for (size_t i = 0; i < 4 * sizeof(lens) / sizeof(lens[0]); i++) {
		struct slice piece = make_text(lens[i / 4], i % 2 == 0);

		if (i % 4 < 2)
			coder_append(coder, &out, piece, nothing());
		else
			coder_append_stored(coding, &out, piece);
		assert_brings(piece);
	}
}
END_TEST

START_TEST(a_piece_grows_by_no_more_than_what_a_stored_one_needs)
{
	for (size_t len = 1; len < 200000; len = 2 * len + 7) {
		size_t blocks =
		    (len + stored[coding].block - 1) / stored[coding].block;
		size_t most = len + stored[coding].head * blocks;

		buf_clear(&out);
		coder_append(coder, &out, make_text(len, false), nothing());
		ck_assert_uint_le(buf_length(&out), most);
		buf_clear(&out);
		coder_append_stored(coding, &out, make_text(len, true));
		ck_assert_uint_eq(buf_length(&out), most);
	}
}
END_TEST

START_TEST(text_that_repeats_itself_becomes_short_up_to_a_bound)
{
	for (size_t len = 100; len <= CODER_TEXT_MAX; len *= 2) {
		buf_clear(&out);
		coder_append(coder, &out, make_text(len, true), nothing());
		ck_assert_uint_lt(buf_length(&out), 30 + len / 20);
	}
	buf_clear(&out);
	coder_append(
	    coder, &out, make_text(CODER_TEXT_MAX + 1, true), nothing());
	ck_assert_uint_gt(buf_length(&out), CODER_TEXT_MAX);
}
END_TEST

/* The decoder refuses a piece that refers to what was before it. */
START_TEST(a_piece_stands_alone)
{
	struct slice piece = make_text(1000, true);

	coder_append(coder, &out, piece, nothing());
	buf_clear(&out);
	coder_append_head(coding, &out);
	coder_append(coder, &out, piece, nothing());
	assert_brings(piece);
}
END_TEST

/* Text as a stream has it, that does not repeat itself. */
static struct slice
make_letters(size_t len)
{
	for (size_t i = 0; i < len; i++)
		text[i] = (char)(' ' + sample_below(&state, 90));
	return slice_of(text, len);
}

START_TEST(a_piece_behind_its_like_is_shorter)
{
	struct slice before = make_letters(3 * CODER_BEFORE_MAX);
	static char end[CODER_BEFORE_MAX];
	struct slice piece = {end, sizeof(end)};
	size_t len;

	memcpy(end, before.bytes + before.len - sizeof(end), sizeof(end));
	coder_append_head(coding, &out);
	coder_append(coder, &out, before, nothing());
	assert_brings(before);
	coder_append(coder, &out, piece, before);
	len = buf_length(&out);
	ck_assert_uint_lt(len, piece.len / 10);
	assert_brings(piece);
	/* And does without it when it is not there. */
	coder_append(coder, &out, piece, nothing());
	ck_assert_uint_gt(buf_length(&out), len);
	assert_brings(piece);
}
END_TEST

/* Some of it as it was, some new: as events are, or as nothing is. */
static struct slice
make_mixture(char *room, size_t len)
{
	static const char words[] = "{\"status\":\"shipped\",\"total\":12345}";

	for (size_t i = 0; i < len; i++) {
		uint64_t kind = sample_below(&state, 200);
		size_t run = 1 + sample_below(&state, 300);

		if (run > len - i)
			run = len - i;
		for (size_t j = 0; j < run; j++, i++) {
			size_t back = (size_t)kind * 7 + 1;

			if (kind < 3)
				room[i] = (char)sample_random(&state);
			else if (kind < 60 && back <= i)
				room[i] = room[i - back];
			else
				room[i] = words[(i + j) % sizeof(words)];
		}
		i--;
	}
	return slice_of(room, len);
}

START_TEST(any_text_behind_any_other_comes_out_at_any_level)
{
	static char before_room[2 * CODER_BEFORE_MAX];
	size_t head;

	coder_destroy(coder);
	coder = coder_create(coding, 1 + _i);
	ck_assert_ptr_nonnull(coder);
	coder_append_head(coding, &out);
	head = buf_length(&out);
	for (int i = 0; i < 1500; i++) {
		static const uint64_t most[] = {12, 400, 6000, 90000};
		struct slice before = make_mixture(
		    before_room, sample_below(&state, sizeof(before_room)));
		struct slice piece = make_mixture(
		    text, 1 + sample_below(&state, most[i % 64 ? i % 3 : 3]));
		size_t reach = sample_below(&state, before.len + 1);

		if (before.len > 0) {
			coder_append_stored(coding, &out, before);
			assert_brings(before);
		}
		coder_append(coder, &out, piece,
		    slice_of(before.bytes + before.len - reach, reach));
		ck_assert_uint_le(buf_length(&out),
		    head + piece.len + 2 * stored[coding].head);
		head = 0;
		assert_brings(piece);
	}
}
END_TEST

/* Noise in the middle of its like: there is a gain of few bytes, or none. */
START_TEST(a_text_that_is_hardly_shorter_comes_out)
{
	coder_append_head(coding, &out);
	for (size_t like = 0; like < 200; like++) {
		for (size_t len = 1; len < 150; len += 7) {
			size_t before = buf_length(&out);
			struct slice piece;

			make_text(like + len, false);
			for (size_t i = 0; i < like; i++)
				text[i] = 'x';
			piece = slice_of(text, like + len);
			coder_append(coder, &out, piece, nothing());
			ck_assert_uint_le(buf_length(&out),
			    before + piece.len + stored[coding].head);
			assert_brings(piece);
		}
	}
}
END_TEST

/* Texts of short periods, which a compressor that begins anew takes for granted
 * that a stream begins with. */
static struct slice
make_period(char *room)
{
	size_t len = 8 + sample_below(&state, SHARED_TEXT_MAX - 8);
	size_t period = 1 + sample_below(&state, 9);

	for (size_t i = 0; i < len; i++)
		room[i] = i < period || sample_below(&state, 100) == 0
			      ? (char)('a' + sample_below(&state, 26))
			      : room[i - period];
	return slice_of(room, len);
}

/* Each alone, and behind each other, made once: then in any order. */
START_TEST(a_piece_is_right_wherever_it_stands)
{
	static char room[SHARED][SHARED_TEXT_MAX];
	static struct buf alone[SHARED], behind[SHARED][SHARED];
	struct slice texts[SHARED];
	size_t last = 0;

	for (size_t i = 0; i < SHARED; i++) {
		texts[i] = make_period(room[i]);
		coder_append(coder, &alone[i], texts[i], nothing());
	}
	for (size_t i = 0; i < SHARED * SHARED; i++)
		coder_append(coder, &behind[i / SHARED][i % SHARED],
		    texts[i % SHARED], texts[i / SHARED]);
	coder_append_head(coding, &out);
	for (int i = 0; i < 20000; i++) {
		size_t next = sample_below(&state, SHARED);
		const struct buf *piece =
		    i > 0 && sample_below(&state, 2) == 0 && next != last
			? &behind[last][next]
			: &alone[next];

		buf_append(&out, buf_bytes(piece), buf_length(piece));
		assert_brings(texts[next]);
		last = next;
	}
	for (size_t i = 0; i < SHARED; i++) {
		buf_finish(&alone[i]);
		for (size_t j = 0; j < SHARED; j++)
			buf_finish(&behind[i][j]);
	}
}
END_TEST

START_TEST(an_end_ends_a_stream_that_holds_what_was_added)
{
	struct coder_sum sum = {0, 0};
	size_t len = 0;

	coder_append_head(coding, &out);
	for (size_t i = 0; i < 20; i++) {
		struct slice piece = make_text(1 + i * i * 97, i % 3 == 0);
		struct coder_sum own = {0, 0};

		len += piece.len;
		coder_append(coder, &out, piece, nothing());
		coder_sum_add(coding, &own, piece);
		if (i % 2 == 0)
			coder_sum_add(coding, &sum, piece);
		else
			coder_sum_join(coding, &sum, &own);
	}
	ck_assert_uint_eq(sum.bytes, len);
	coder_append_end(coding, &out, &sum);
	ck_assert_int_eq(reader_take_buf(&reader, &out), READER_ENDED);
	ck_assert_uint_eq(buf_length(&reader.seen), len);
}
END_TEST

START_TEST(an_end_of_another_stream_is_refused)
{
	struct coder_sum sum = {0, 0};

	coder_append_head(coding, &out);
	coder_append_stored(coding, &out, make_text(100, true));
	coder_append_end(coding, &out, &sum);
	ck_assert_int_eq(reader_take_buf(&reader, &out), READER_BROKEN);
}
END_TEST

static TCase *
tests_of(const char *name, void (*begin)(void))
{
	TCase *tests = tcase_create(name);

	tcase_add_checked_fixture(tests, begin, tear_down);
	tcase_add_test(tests, each_piece_comes_out_whole_without_the_next);
	tcase_add_test(
	    tests, a_piece_grows_by_no_more_than_what_a_stored_one_needs);
	tcase_add_test(
	    tests, text_that_repeats_itself_becomes_short_up_to_a_bound);
	tcase_add_test(tests, a_piece_stands_alone);
	tcase_add_test(tests, a_piece_behind_its_like_is_shorter);
	tcase_add_loop_test(
	    tests, any_text_behind_any_other_comes_out_at_any_level, 0, 9);
	tcase_add_test(tests, a_text_that_is_hardly_shorter_comes_out);
	tcase_add_test(tests, a_piece_is_right_wherever_it_stands);
	tcase_add_test(tests, an_end_ends_a_stream_that_holds_what_was_added);
	return tests;
}

int
main(void)
{
	TCase *gzip = tests_of("gzip", set_up_gzip);

	tcase_add_test(gzip, an_end_of_another_stream_is_refused);
#ifndef SSEMUX_NO_ZSTD
	return suite_run2("coder", gzip, tests_of("zstd", set_up_zstd));
#else
	return suite_run("coder", gzip);
#endif
}
