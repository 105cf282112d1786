/* Tests of zstd_check: what is sound comes out right in every stream, and what
 * would not, is not. */
#include "broker/worker/cursor/zstd_check.h"

#include <zstd.h>

#include "broker/worker/cursor/zstd_block.h"
#include "protocol/buf.h"
#include "tests/unit/coding_reader.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { TEXT_MAX = 3000, HEAD_BYTES = 6, TEXTS = 3000 };

static struct zstd_check *check;
static ZSTD_CCtx *compressor;
static uint64_t state;
static char text[ZSTD_CHECK_TEXT_MAX + 1];
static char made[ZSTD_COMPRESSBOUND(ZSTD_CHECK_TEXT_MAX + 1)];

static void
set_up(void)
{
	state = 141421;
	check = zstd_check_create();
	compressor = ZSTD_createCCtx();
	ck_assert_ptr_nonnull(check);
	ck_assert_ptr_nonnull(compressor);
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_contentSizeFlag, 0);
}

static void
tear_down(void)
{
	zstd_check_destroy(check);
	ZSTD_freeCCtx(compressor);
}

/* Text of a short period, which changes now and then; or with words that come
 * again. */
static struct slice
make_text(size_t len)
{
	size_t period = 1 + sample_below(&state, 12);
	uint64_t change = 20 + sample_below(&state, 200);

	for (size_t i = 0; i < len; i++)
		text[i] = i < period || sample_below(&state, change) == 0
			      ? (char)('a' + sample_below(&state, 26))
			      : text[i - period];
	return slice_of(text, len);
}

/* As a compressor makes it that begins anew: its blocks, the last marked so. */
static struct slice
make_blocks(struct slice of, struct slice before)
{
	size_t len;

	ZSTD_CCtx_refPrefix(compressor, before.bytes, before.len);
	len = ZSTD_compress2(compressor, made, sizeof(made), of.bytes, of.len);
	ck_assert(!ZSTD_isError(len));
	return slice_of(made + HEAD_BYTES, len - HEAD_BYTES);
}

static struct slice
nothing(void)
{
	return slice_of(NULL, 0);
}

static void
write_last_head(char *head, size_t size)
{
	zstd_block_write_head(head, ZSTD_BLOCK_COMPRESSED, size);
	head[0] |= 1;
}

static void
append_raw(struct buf *out, struct slice raw)
{
	char head[ZSTD_BLOCK_HEAD_BYTES];

	zstd_block_write_head(head, ZSTD_BLOCK_RAW, raw.len);
	buf_append(out, head, sizeof(head));
	buf_append(out, raw.bytes, raw.len);
}

/* Begins a stream that has these repeat offsets. */
static void
append_past(struct buf *out, const unsigned offsets[3])
{
	/* Three sequences of a literal and three bytes from before, see
	 * zstd_check.c; each offset is of 7 bits. */
	static const unsigned char begin[] = {0x28, 0xB5, 0x2F, 0xFD, 0, 0x38};
	unsigned char block[] = {
	    3 << 3, 'x', 'y', 'z', 3, 0x54, 1, 7, 0, 0, 0, 0};
	uint32_t bits = 1;
	char filler[256];
	char head[ZSTD_BLOCK_HEAD_BYTES];

	for (int i = 0; i < 3; i++)
		bits = bits << 7 | (offsets[i] + 3 - 128);
	for (size_t i = 0; i < sizeof(filler); i++)
		filler[i] = (char)('0' + sample_below(&state, 60));
	for (int i = 0; i < 3; i++)
		block[9 + i] = (unsigned char)(bits >> 8 * i);
	buf_append(out, begin, sizeof(begin));
	append_raw(out, slice_of(filler, sizeof(filler)));
	zstd_block_write_head(head, ZSTD_BLOCK_COMPRESSED, sizeof(block));
	buf_append(out, head, sizeof(head));
	buf_append(out, block, sizeof(block));
}

/* Does the text come out, behind the text before, in a stream that has had
 * something else? */
static bool
comes_out(struct slice blocks, struct slice of, struct slice before)
{
	unsigned offsets[3];
	struct coding_reader reader;
	struct buf stream;
	bool right;

	for (int i = 0; i < 3; i++)
		offsets[i] = 125 + (unsigned)sample_below(&state, 128);
	buf_init(&stream, 0);
	reader_init(&reader, CODING_ZSTD);
	append_past(&stream, offsets);
	append_raw(&stream, before);
	ck_assert_int_eq(reader_take_buf(&reader, &stream), READER_GOES_ON);
	ck_assert_uint_eq(buf_length(&reader.seen), 256 + 12 + before.len);
	right = reader_take(&reader, blocks) == READER_ENDED &&
		slice_equal(
		    slice_of(buf_bytes(&reader.seen), buf_length(&reader.seen)),
		    of);
	reader_finish(&reader);
	buf_finish(&stream);
	return right;
}

/* Texts with short periods, alone and behind others: a compressor takes repeat
 * offsets from before for some, and just these are not sound. */
START_TEST(what_comes_out_wrong_is_not_sound)
{
	char before[ZSTD_CHECK_BEFORE_MAX];
	int wrong = 0, sound = 0, refused = 0;

	for (int i = 0; i < TEXTS; i++) {
		struct slice behind = nothing(), of, blocks;
		bool is_sound;

		ZSTD_CCtx_setParameter(
		    compressor, ZSTD_c_compressionLevel, 1 + i % 9);
		if (i % 2 == 1) {
			of = make_text(1 + sample_below(&state, 4096));
			memcpy(before, of.bytes, of.len);
			behind = slice_of(before, of.len);
		}
		of = make_text(1 + sample_below(&state, TEXT_MAX));
		blocks = make_blocks(of, behind);
		is_sound = zstd_check_sound(check, blocks, of, behind);
		sound += is_sound;
		refused += !is_sound;
		for (int j = 0; j < 3; j++) {
			if (comes_out(blocks, of, behind))
				continue;
			wrong++;
			ck_assert(!is_sound);
		}
	}
	/* Of those that it refuses, some came out right by chance. */
	ck_assert_int_gt(wrong, 50);
	ck_assert_int_gt(sound, TEXTS * 3 / 4);
	ck_assert_int_le(refused, wrong);
}
END_TEST

/* Whatever the bytes are: of blocks that were changed, too, none is sound that
 * comes out wrong. */
START_TEST(blocks_that_were_changed_are_not_sound)
{
	int sound = 0;

	for (int i = 0; i < TEXTS; i++) {
		struct slice of = make_text(1 + sample_below(&state, 200));
		struct slice blocks = make_blocks(of, nothing());
		size_t at = HEAD_BYTES + sample_below(&state, blocks.len);

		made[at] = (char)(made[at] ^ 1 << sample_below(&state, 8));
		if (!zstd_check_sound(check, blocks, of, nothing()))
			continue;
		sound++;
		for (int j = 0; j < 3; j++)
			ck_assert(comes_out(blocks, of, nothing()));
	}
	ck_assert_int_lt(sound, TEXTS / 10);
}
END_TEST

/* Blocks from the midst of a stream have tables from before. */
START_TEST(tables_from_before_are_found)
{
	ZSTD_inBuffer in;
	ZSTD_outBuffer out;
	int without = 0, with = 0;

	for (int i = 0; i < 300; i++) {
		struct slice first = make_text(TEXT_MAX), blocks;
		struct zstd_block block;
		size_t begin;

		for (size_t j = 0; j < first.len; j++)
			text[j] = (char)("{\"status\":19,}"[sample_below(
			    &state, 14)]);
		out = (ZSTD_outBuffer){made, sizeof(made), 0};
		in = (ZSTD_inBuffer){text, 2000, 0};
		ck_assert_uint_eq(
		    ZSTD_compressStream2(compressor, &out, &in, ZSTD_e_flush),
		    0);
		begin = out.pos;
		in = (ZSTD_inBuffer){text, TEXT_MAX, 2000};
		ck_assert_uint_eq(
		    ZSTD_compressStream2(compressor, &out, &in, ZSTD_e_end), 0);
		blocks = slice_of(made + begin, out.pos - begin);
		if (zstd_block_have_tables(blocks)) {
			with++;
			continue;
		}
		without++;
		ck_assert(zstd_block_next(&blocks, &block));
		ck_assert_int_eq(block.type, ZSTD_BLOCK_COMPRESSED);
		ck_assert(!zstd_check_sound(check,
		    slice_of(made + begin, out.pos - begin),
		    slice_of(text + 2000, 1000), slice_of(text, 2000)));
		/* With the block that brings them it is a whole. */
		ck_assert(zstd_block_have_tables(
		    slice_of(made + HEAD_BYTES, out.pos - HEAD_BYTES)));
	}
	ck_assert_int_gt(without, 100);
	(void)with;
}
END_TEST

/* A block of a literal section, and sequences with these modes. */
static bool
has_tables(const char *inside, size_t len)
{
	char block[64];

	write_last_head(block, len);
	memcpy(block + ZSTD_BLOCK_HEAD_BYTES, inside, len);
	return zstd_block_have_tables(
	    slice_of(block, ZSTD_BLOCK_HEAD_BYTES + len));
}

START_TEST(each_table_is_looked_at)
{
	/* No literals and one sequence; modes of the three tables. */
	ck_assert(has_tables("\0\1\0....", 7));
	ck_assert(has_tables("\0\1\x54....", 7));
	ck_assert(has_tables("\0\1\xA8....", 7));
	ck_assert(!has_tables("\0\1\xC0....", 7));
	ck_assert(!has_tables("\0\1\x30....", 7));
	ck_assert(!has_tables("\0\1\x0C....", 7));
	/* So many sequences that two and three bytes say it. */
	ck_assert(has_tables("\0\x80\1\0....", 8));
	ck_assert(!has_tables("\0\x80\1\xC0....", 8));
	ck_assert(!has_tables("\0\xFF\1\1\xC0....", 9));
	/* Literals in all ways: raw, a run, with a table, and without. */
	ck_assert(has_tables("\x18...\0", 5));
	ck_assert(!has_tables("\x18...\1\xC0", 6));
	ck_assert(has_tables("\x34\0...\0", 6));
	ck_assert(has_tables("\x3C\0\0...\0", 7));
	ck_assert(has_tables("\x19.\0", 3));
	ck_assert(has_tables("\x02\xC0\0...\0", 7));
	ck_assert(!has_tables("\x03\xC0\0...\0", 7));
	ck_assert(!has_tables("\x07\xC0\0...\0", 7));
	ck_assert(has_tables("\x0A\0\x0C\0...\0", 8));
	ck_assert(!has_tables("\x0B\0\x0C\0...\0", 8));
	ck_assert(has_tables("\x0E\0\xC0\0\0...\0", 9));
	ck_assert(!has_tables("\x0F\0\xC0\0\0...\0", 9));
	/* What is cut. */
	for (size_t len = 0; len < 6; len++)
		ck_assert(!has_tables("\x18...\1\xC0", len));
	ck_assert(!has_tables("\x02\xC0\0..", 5));
}
END_TEST

/* One that just the check has from before, and so does no harm there. */
START_TEST(a_table_from_before_is_refused_though_it_fits)
{
	/* Literals "de" behind one sequence: 3 bytes, from 3 bytes before. Its
	 * tables are runs: no literals, an offset of 2 bits, a match of 3. */
	const char own[] = "\x10"
			   "de"
			   "\1\x54\0\2\0\6";
	const char from_before[] = "\x10"
				   "de"
				   "\1\xD4\2\0\6";
	struct slice of = slice_of_text("abcde"), behind = {of.bytes, 3};
	size_t len = sizeof(own) - 1;

	write_last_head(made, len);
	memcpy(made + ZSTD_BLOCK_HEAD_BYTES, own, len);
	ck_assert(zstd_check_sound(check, slice_of(made, 3 + len), of, behind));
	len--;
	write_last_head(made, len);
	memcpy(made + ZSTD_BLOCK_HEAD_BYTES, from_before, len);
	ck_assert(
	    !zstd_check_sound(check, slice_of(made, 3 + len), of, behind));
}
END_TEST

/* Is a block sound, the last one, with what is inside of it? */
static bool
inside_is_sound(size_t len, struct slice of, struct slice before)
{
	memmove(made + ZSTD_BLOCK_HEAD_BYTES, made, len);
	write_last_head(made, len);
	return zstd_check_sound(
	    check, slice_of(made, ZSTD_BLOCK_HEAD_BYTES + len), of, before);
}

/* Nothing but "a" before and in the text: whatever is copied from there is
 * right. An offset from before, behind so many literals, is found all the
 * same. */
START_TEST(an_offset_from_before_is_found_late)
{
	memset(text, 'a', sizeof(text));
	for (unsigned bits = 6; bits < 16; bits++) {
		for (int slot = 0; slot < 3; slot++) {
			/* A run of literals, and one sequence behind all of
			 * them: its offset is a number, 1; then the repeat
			 * offset. */
			char own[] = {(char)(1 << bits << 4 | 0xD),
			    (char)(1 << bits >> 4), (char)(1 << bits >> 12),
			    'a', 1, 0x54, (char)(19 + bits), 2, 0, 0, 0, 0};
			struct slice of = slice_of(text, (1U << bits) + 3);
			uint32_t number = 1U << (2 + bits);
			uint32_t repeat =
			    slot == 0 ? 1U << bits : (2U | slot / 2) << bits;

			memcpy(own + 9, &number, 3);
			memcpy(made, own, sizeof(own));
			ck_assert(inside_is_sound(
			    9 + (2 + bits) / 8 + 1, of, nothing()));
			own[7] = slot == 0 ? 0 : 1;
			memcpy(own + 9, &repeat, 3);
			memcpy(made, own, sizeof(own));
			ck_assert(!inside_is_sound(
			    9 + (bits + (slot > 0)) / 8 + 1, of, nothing()));
		}
	}
}
END_TEST

/* The first repeat offset less one, in place of a number; behind `before`. */
START_TEST(an_offset_from_before_less_one_is_found)
{
	/* Its tables are runs: no literals, offset 3, matches of 3 bytes. */
	static const char own[] = {0, 1, 0x54, 0, 1, 0, 3};
	static char before[ZSTD_CHECK_BEFORE_MAX];

	memset(before, 'a', sizeof(before));
	for (size_t len = 1; len <= sizeof(before); len++) {
		memcpy(made, own, sizeof(own));
		ck_assert(!inside_is_sound(
		    sizeof(own), slice_of("aaa", 3), slice_of(before, len)));
	}
}
END_TEST

START_TEST(what_does_not_end_with_the_last_block_is_not_sound)
{
	struct slice of = make_text(500);
	struct slice blocks = make_blocks(of, nothing());
	struct slice longer = {blocks.bytes, blocks.len + 1};

	text[0] = 'A'; /* no offset from before */
	blocks = make_blocks(of, nothing());
	longer.len = blocks.len + 1;
	ck_assert(zstd_check_sound(check, blocks, of, nothing()));
	ck_assert(!zstd_check_sound(check, longer, of, nothing()));
	blocks.len--;
	ck_assert(!zstd_check_sound(check, blocks, of, nothing()));
	made[HEAD_BYTES] &= (char)~1;
	blocks.len++;
	ck_assert(!zstd_check_sound(check, blocks, of, nothing()));
	made[HEAD_BYTES] |= 1;
	ck_assert(zstd_check_sound(check, blocks, of, nothing()));
	text[0] = 'B';
	ck_assert(!zstd_check_sound(check, blocks, of, nothing()));
}
END_TEST

START_TEST(the_longest_are_sound_and_no_longer_ones)
{
	static char before[ZSTD_CHECK_BEFORE_MAX + 1];
	struct slice of, behind = {before, sizeof(before) - 1};

	for (size_t i = 0; i < sizeof(before); i++)
		before[i] = (char)(' ' + sample_below(&state, 90));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(' ' + sample_below(&state, 90));
	memcpy(text + 60000, before, 4000);
	of = slice_of(text, ZSTD_CHECK_TEXT_MAX);
	ck_assert(zstd_check_sound(check, make_blocks(of, behind), of, behind));
	behind.len++;
	ck_assert(
	    !zstd_check_sound(check, make_blocks(of, behind), of, behind));
	of.len++;
	ck_assert(!zstd_check_sound(
	    check, make_blocks(of, nothing()), of, nothing()));
}
END_TEST

START_TEST(text_that_is_like_the_filler_is_not_sound)
{
	struct slice of = make_text(500);

	text[400] = (char)0xFE;
	ck_assert(
	    zstd_check_sound(check, make_blocks(of, nothing()), of, nothing()));
	text[400] = (char)0xFF;
	ck_assert(!zstd_check_sound(
	    check, make_blocks(of, nothing()), of, nothing()));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("zstd_check");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_comes_out_wrong_is_not_sound);
	tcase_add_test(tests, blocks_that_were_changed_are_not_sound);
	tcase_add_test(tests, tables_from_before_are_found);
	tcase_add_test(tests, each_table_is_looked_at);
	tcase_add_test(tests, an_offset_from_before_is_found_late);
	tcase_add_test(tests, an_offset_from_before_less_one_is_found);
	tcase_add_test(tests, a_table_from_before_is_refused_though_it_fits);
	tcase_add_test(
	    tests, what_does_not_end_with_the_last_block_is_not_sound);
	tcase_add_test(tests, the_longest_are_sound_and_no_longer_ones);
	tcase_add_test(tests, text_that_is_like_the_filler_is_not_sound);
	return suite_run("zstd_check", tests);
}
