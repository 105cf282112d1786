/* Tests of packs: each is what its events are, and is made no more often than
 * it may be. */
#include "broker/worker/cursor/packs.h"

#include <unistd.h>

#include "broker/shared/board.h"
#include "broker/shared/config.h"
#include "broker/worker/cursor/gzip_quick.h"
#include "tests/unit/coding_reader.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum {
	WINDOW_BYTES = 1048576,
	WINDOW_EVENTS = 256,
};

static struct config config;
static struct board board;
static int board_fd;
static struct window window;
static struct packs *packs;
static uint64_t newest; /* cursor */
static uint64_t state;
static enum coding coding;
static struct coding_reader reader;
static struct buf expected;

static void
set_up(void)
{
	/* Sample events are on c:0 to c:6. */
	static const char *const overrides[] = {
#ifdef SSEMUX_NO_ZSTD
	    "http.compression=gzip",
#else
	    "http.compression=gzip, zstd",
#endif
	    "broker.window=512k", "channel c:3.secret=on"};
	char error[CONFIG_ERROR_SIZE];
	struct buf head;

	state = 577215;
	newest = 1000;
	buf_init(&expected, 0);
	ck_assert_int_eq(config_load(&config, NULL, overrides, 3, error), 0);
	ck_assert_int_eq(board_create(&board, 1, &board_fd), 0);
	ck_assert_int_eq(window_init(&window, WINDOW_BYTES, WINDOW_EVENTS,
			     config.shapes, config.shape_count),
	    0);
	window_reset(&window, newest);
	packs = packs_create(&config, &window, &board);
	ck_assert_ptr_nonnull(packs);
	packs_begin_turn(packs, UINT64_MAX / 2, 100);
	buf_init(&head, 0);
	coder_append_head(coding, &head);
	reader_init(&reader, coding);
	reader_take_buf(&reader, &head);
	buf_finish(&head);
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
	reader_finish(&reader);
	packs_destroy(packs);
	window_finish(&window);
	close(board_fd);
	config_finish(&config);
	buf_finish(&expected);
}

static void
add(size_t count, size_t data_len)
{
	for (size_t i = 0; i < count; i++) {
		const struct record *record = sample_record(++newest, data_len);
		void *room = window_reserve(&window, record->size);

		ck_assert_ptr_nonnull(room);
		memcpy(room, record, record->size);
		window_commit(&window, 0);
	}
}

static struct pack_key
key_of(uint64_t span, uint64_t bits)
{
	return (struct pack_key){.of = {span, bits}, .coding = coding};
}

static uint64_t
made(void)
{
	return board_sum(&board, METRIC_PACKS_MADE);
}

/* The text of these events, in `expected`. */
static void
expect(const struct pack_key *key)
{
	buf_clear(&expected);
	for (uint64_t i = 0; i < PACKS_SPAN; i++) {
		struct event event;

		if ((key->of.bits >> i & 1) == 0)
			continue;
		event = window_event(&window,
		    window_entry(&window, key->of.span * PACKS_SPAN + i));
		sse_append_event(&expected, &event, &config.shapes[key->shape]);
	}
}

/* The chunk holds a piece that brings just the text of these events, behind
 * what was read before. */
static void
assert_holds(const struct frame *frame, const struct pack_key *key,
    const struct coder_sum *sum)
{
	struct slice piece = frame_part(frame, 0);
	struct coder_sum wanted = {0, 0};
	struct slice text;

	ck_assert_uint_eq(strtoul(frame->bytes, NULL, 16), piece.len);
	expect(key);
	text = slice_of(buf_bytes(&expected), buf_length(&expected));
	reader_take(&reader, piece);
	reader_assert_seen(&reader, text);
	coder_sum_add(coding, &wanted, text);
	ck_assert_uint_eq(sum->checksum, wanted.checksum);
	ck_assert_uint_eq(sum->bytes, wanted.bytes);
}

/* Gets it, whole, with nothing pinned; its length. */
static size_t
get(const struct pack_key *key)
{
	uint64_t pin = UINT64_MAX;
	const struct pack *pack;
	struct frame frame;
	struct coder_sum sum;

	ck_assert_int_eq(
	    packs_get(packs, key, &pin, &pack, &frame), PACKS_FRAME);
	sum = packs_sum(packs, pack);
	assert_holds(&frame, key, &sum);
	return frame.len;
}

static enum packs_got
try(const struct pack_key *key)
{
	uint64_t pin = UINT64_MAX;
	const struct pack *pack;
	struct frame frame;

	return packs_get(packs, key, &pin, &pack, &frame);
}

START_TEST(a_pack_is_the_text_of_its_events)
{
	for (int i = 0; i < 300; i++) {
		struct pack_key key;

		add(1 + sample_below(&state, 90), sample_below(&state, 300));
		key = key_of((window.end - 1) / PACKS_SPAN, 0);
		key.shape = (unsigned)sample_below(&state, 2);
		while (key.of.bits == 0) {
			key.of.bits = sample_random(&state);
			if (window.end % PACKS_SPAN != 0)
				key.of.bits &=
				    (UINT64_C(1) << window.end % PACKS_SPAN) -
				    1;
		}
		get(&key);
	}
}
END_TEST

START_TEST(the_same_events_are_compressed_once)
{
	struct pack_key key = key_of(0, 0x0F0F), other = key_of(0, 0x0F1F);
	size_t len;

	add(64, 200);
	len = get(&key);
	ck_assert_uint_eq(get(&key), len);
	ck_assert_uint_eq(made(), 1);
	get(&other);
	key.shape = 1;
	get(&key);
	ck_assert_uint_eq(made(), 3);
#ifndef SSEMUX_NO_ZSTD
	key.coding = CODING_GZIP + CODING_ZSTD - coding;
	ck_assert_int_eq(try(&key), PACKS_FRAME);
	ck_assert_uint_eq(made(), 4);
	get(&other);
	ck_assert_uint_eq(made(), 4);
#endif
}
END_TEST

START_TEST(a_pack_behind_another_makes_use_of_it)
{
	struct pack_key first = key_of(0, 1), next = key_of(0, 1 << 7);
	size_t alone;

	add(64, 10);
	alone = get(&next);
	get(&first);
	next.after = first.of;
	ck_assert_uint_lt(get(&next), alone * 3 / 4);
	ck_assert_uint_eq(made(), 3);
}
END_TEST

START_TEST(what_the_window_has_not_any_more_is_no_context)
{
	struct pack_key key = key_of(WINDOW_EVENTS / PACKS_SPAN, 1);
	struct pack_key before = key_of(0, 2);
	size_t alone;

	add(WINDOW_EVENTS + 1, 10);
	ck_assert_uint_eq(window.first, 1);
	alone = get(&key);
	key.after = (struct pack_events){0, 1};
	ck_assert_uint_eq(get(&key), alone);
	get(&before);
	key.after = before.of;
	ck_assert_uint_lt(get(&key), alone);
}
END_TEST

START_TEST(any_stretch_is_cut_into_blocks_that_others_have_too)
{
	ck_assert_uint_eq(packs_first_block(~UINT64_C(0)), ~UINT64_C(0));
	ck_assert_uint_eq(packs_first_block(0xFF0), 0xF0);
	ck_assert_uint_eq(packs_first_block(0xFE), 2);
	ck_assert_uint_eq(packs_first_block(0x81), 0x81);
	ck_assert_uint_eq(packs_first_block(0x181), 0x81);
	for (int first = 0; first < 64; first++) {
		for (int last = first; last < 64; last++) {
			uint64_t bits =
			    ~UINT64_C(0) << first & ~UINT64_C(0) >> (63 - last);
			int count = 0;

			while (bits != 0) {
				uint64_t block = packs_first_block(bits);
				int len = __builtin_popcountll(block);

				ck_assert_int_eq(
				    __builtin_ctzll(block) % len, 0);
				ck_assert_uint_eq(bits & block, block);
				bits &= ~block;
				count++;
			}
			ck_assert_int_le(count, 11);
		}
	}
}
END_TEST

START_TEST(secrets_are_known)
{
	uint64_t wanted = 0, bits = 0x123456789ABCDEF0;

	add(WINDOW_EVENTS, 10);
	for (uint64_t i = 0; i < PACKS_SPAN; i++) {
		struct event event =
		    window_event(&window, window_entry(&window, 64 + i));

		if (slice_is(event.channel, "c:3"))
			wanted |= UINT64_C(1) << i;
	}
	ck_assert_uint_ne(wanted & bits, 0);
	ck_assert_uint_eq(packs_secret_bits(packs, 1, bits), wanted & bits);
	ck_assert_uint_eq(packs_secret_bits(packs, 1, ~UINT64_C(0)), wanted);
	/* Of entries that came later in the place of these. */
	add(2 * WINDOW_EVENTS, 10);
	ck_assert_uint_ne(packs_secret_bits(packs, 9, ~UINT64_C(0)), wanted);
	ck_assert(packs_is_secret(packs, slice_of_text("c:3")));
	ck_assert(!packs_is_secret(packs, slice_of_text("c:33")));
}
END_TEST

START_TEST(beyond_the_credit_what_many_ask_for_is_made)
{
	struct pack_key four = key_of(0, 0xF), three = key_of(0, 7),
			one = key_of(0, 1 << 9), behind = key_of(0, 1 << 8);
	uint64_t bytes = 4 * 164 + 164 + 164 / 2;
	int asks = 1;

	add(64, 100);
	/* What four cost, and one behind another. */
	packs->credit = 0;
	packs_begin_turn(
	    packs, 2 * 700 + bytes * packs_price(packs, coding) - 1, 100);
	ck_assert_int_eq(try(&four), PACKS_FRAME);
	ck_assert_int_eq(try(&three), PACKS_SPENT);
	ck_assert_int_eq(try(&four), PACKS_FRAME);
	behind.after = one.of;
	ck_assert_int_eq(try(&behind), PACKS_SPENT);
	packs_earn(packs, 1);
	ck_assert_int_eq(try(&behind), PACKS_FRAME); /* the last of it */
	behind.of.bits <<= 5;
	ck_assert_int_eq(try(&behind), PACKS_SPENT);
	ck_assert_int_eq(try(&one), PACKS_SPENT);
	one.stored = true;
	ck_assert_int_eq(try(&one), PACKS_FRAME);
	ck_assert_uint_eq(made(), 3);
	while (try(&three) == PACKS_SPENT)
		ck_assert_int_lt(++asks, 20);
	ck_assert_int_gt(asks, 3);
	ck_assert_uint_eq(made(), 4);
}
END_TEST

START_TEST(little_credit_is_kept_for_the_next_turn)
{
	struct pack_key all = key_of(0, ~UINT64_C(0));

	add(64, 4200);
	packs_begin_turn(packs, 0, 100);
	ck_assert_int_eq(try(&all), PACKS_SPENT);
	packs_earn(
	    packs, 64 * 4264 * packs_price(packs, coding) + 700 - 262144);
	ck_assert_int_eq(try(&all), PACKS_ALONE);
	all.shape = 1;
	ck_assert_int_eq(try(&all), PACKS_SPENT);
}
END_TEST

START_TEST(what_is_stored_comes_out_and_is_context)
{
	struct pack_key stored = key_of(0, 0xFF), behind = key_of(0, 0xF00);
	size_t len;

	add(64, 100);
	stored.stored = true;
	len = get(&stored);
	ck_assert_uint_gt(len, buf_length(&expected));
	behind.after = stored.of;
	ck_assert_uint_lt(get(&behind), len);
	stored.stored = false;
	ck_assert_uint_lt(get(&stored), len);
}
END_TEST

START_TEST(for_few_readers_time_counts_more_than_bytes)
{
	struct pack_key all = key_of(0, ~UINT64_C(0));
	size_t saved;

	add(64, 200);
	saved = get(&all);
	packs_destroy(packs);
	packs = packs_create(&config, &window, &board);
	packs_begin_turn(packs, 0, 1);
	ck_assert_uint_gt(get(&all), saved);
}
END_TEST

START_TEST(a_pack_that_is_in_use_is_not_let_go)
{
	struct pack_key first;
	uint64_t pin = UINT64_MAX, number = 0;
	const struct pack *pack;
	struct frame frame, used;
	struct coder_sum sum;
	enum packs_got got = PACKS_FRAME;

	add(WINDOW_EVENTS, 3000);
	number = window.first;
	first = key_of(number / 64, UINT64_C(1) << number % 64);
	ck_assert_int_eq(
	    packs_get(packs, &first, &pin, &pack, &used), PACKS_FRAME);
	sum = packs_sum(packs, pack);
	while (got == PACKS_FRAME && ++number < window.end) {
		struct pack_key key =
		    key_of(number / 64, UINT64_C(1) << number % 64);

		got = packs_get(packs, &key, &pin, &pack, &frame);
	}
	ck_assert_int_eq(got, PACKS_WAIT);
	assert_holds(&used, &first, &sum);
	/* And is, when it is not. */
	pin = UINT64_MAX;
	first = key_of(number / 64, UINT64_C(1) << number % 64);
	ck_assert_int_eq(
	    packs_get(packs, &first, &pin, &pack, &frame), PACKS_FRAME);
	ck_assert_uint_lt(pin, UINT64_MAX);
}
END_TEST

START_TEST(a_long_one_is_there_for_one_write)
{
	struct pack_key key = key_of(0, 1);
	uint64_t pin = UINT64_MAX;
	const struct pack *pack;
	struct frame frame;
	struct coder_sum sum;

	add(1, SAMPLE_DATA_MAX);
	ck_assert_int_eq(
	    packs_get(packs, &key, &pin, &pack, &frame), PACKS_ALONE);
	sum = packs_sum(packs, pack);
	assert_holds(&frame, &key, &sum);
}
END_TEST

static TCase *
tests_of(const char *name, void (*begin)(void))
{
	TCase *tests = tcase_create(name);

	tcase_add_checked_fixture(tests, begin, tear_down);
	tcase_add_test(tests, a_pack_is_the_text_of_its_events);
	tcase_add_test(tests, the_same_events_are_compressed_once);
	tcase_add_test(tests, a_pack_behind_another_makes_use_of_it);
	tcase_add_test(tests, what_the_window_has_not_any_more_is_no_context);
	tcase_add_test(
	    tests, any_stretch_is_cut_into_blocks_that_others_have_too);
	tcase_add_test(tests, secrets_are_known);
	tcase_add_test(tests, beyond_the_credit_what_many_ask_for_is_made);
	tcase_add_test(tests, little_credit_is_kept_for_the_next_turn);
	tcase_add_test(tests, what_is_stored_comes_out_and_is_context);
	tcase_add_test(tests, a_pack_that_is_in_use_is_not_let_go);
	tcase_add_test(tests, a_long_one_is_there_for_one_write);
	return tests;
}

int
main(void)
{
	TCase *gzip = tests_of("gzip", set_up_gzip);

	if (gzip_quick_is_there())
		tcase_add_test(
		    gzip, for_few_readers_time_counts_more_than_bytes);
#ifndef SSEMUX_NO_ZSTD
	return suite_run2("packs", gzip, tests_of("zstd", set_up_zstd));
#else
	return suite_run("packs", gzip);
#endif
}
