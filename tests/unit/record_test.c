/* Tests of record: an event as one block, there and back. */
#include "broker/shared/record.h"

#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

static _Alignas(RECORD_ALIGNMENT) char block[SAMPLE_DATA_MAX + 1024];
static struct sample_event sample;

static void
assert_same(const struct event *a, const struct event *b)
{
	ck_assert_uint_eq(a->cursor, b->cursor);
	ck_assert_int_eq(a->kind, b->kind);
	ck_assert(slice_equal(a->channel, b->channel));
	ck_assert(slice_equal(a->type, b->type));
	ck_assert(slice_equal(a->key, b->key));
	ck_assert(slice_equal(a->data, b->data));
}

START_TEST(an_event_comes_out_as_it_went_in)
{
	struct event *event = sample_make(&sample, 42, (size_t)_i);
	struct event out;

	for (int kind = EVENT_TEXT; kind <= EVENT_RESYNC; kind++) {
		event->kind = (enum event_kind)kind;
		out = record_event(record_write(block, event));
		assert_same(event, &out);
	}
}
END_TEST

START_TEST(the_longest_event_is_longer_than_its_data_by_no_more_than_is_said)
{
	char label[EVENT_CHANNEL_MAX];
	struct event *event = sample_make(&sample, 1, SAMPLE_DATA_MAX);
	struct event out;

	memset(label, 'x', sizeof(label));
	event->channel = slice_of(label, EVENT_CHANNEL_MAX);
	event->type = slice_of(label, EVENT_TYPE_MAX);
	event->key = slice_of(label, EVENT_KEY_MAX);
	ck_assert_uint_le(
	    record_size(event), SAMPLE_DATA_MAX + RECORD_OVERHEAD_MAX);
	out = record_event(record_write(block, event));
	assert_same(event, &out);
}
END_TEST

START_TEST(a_block_is_as_long_as_was_said_and_ends_aligned)
{
	struct event *event = sample_make(&sample, 7, (size_t)_i);
	size_t size = record_size(event);
	const struct record *record;

	memset(block, 0x5A, sizeof(block));
	record = record_write(block, event);
	ck_assert_uint_eq(record->size, size);
	ck_assert_uint_eq(size % RECORD_ALIGNMENT, 0);
	ck_assert_uint_eq(record->receipt, 0);
	for (size_t i = size; i < size + 64; i++)
		ck_assert_int_eq(block[i], 0x5A);
}
END_TEST

START_TEST(a_block_means_the_same_wherever_it_is_copied_to)
{
	static _Alignas(RECORD_ALIGNMENT) char copy[sizeof(block)];
	struct event *event = sample_make(&sample, 9, 1000);
	struct event out;
	size_t size = record_write(block, event)->size;

	memcpy(copy, block, size);
	memset(block, 0, sizeof(block));
	out = record_event((const struct record *)(const void *)copy);
	ck_assert(out.channel.bytes >= copy);
	ck_assert(out.data.bytes < copy + size);
	assert_same(event, &out);
}
END_TEST

START_TEST(a_block_whose_lengths_do_not_fit_is_not_plausible)
{
	struct record *record =
	    record_write(block, sample_make(&sample, 9, 100));
	const struct record good = *record;

	ck_assert(record_plausible(record, good.size));
	ck_assert(!record_plausible(record, good.size - 1));
	record->size -= RECORD_ALIGNMENT;
	ck_assert(!record_plausible(record, good.size));
	*record = good;
	record->size += 1;
	ck_assert(!record_plausible(record, sizeof(block)));
	*record = good;
	record->data_len = UINT32_MAX;
	ck_assert(!record_plausible(record, good.size));
	*record = good;
	record->channel_len = UINT8_MAX;
	ck_assert(!record_plausible(record, good.size));
	*record = good;
	record->kind = EVENT_RESYNC + 1;
	ck_assert(!record_plausible(record, good.size));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("record");

	tcase_add_loop_test(tests, an_event_comes_out_as_it_went_in, 0, 20);
	tcase_add_test(tests,
	    the_longest_event_is_longer_than_its_data_by_no_more_than_is_said);
	tcase_add_loop_test(
	    tests, a_block_is_as_long_as_was_said_and_ends_aligned, 0, 20);
	tcase_add_test(tests, a_block_means_the_same_wherever_it_is_copied_to);
	tcase_add_test(
	    tests, a_block_whose_lengths_do_not_fit_is_not_plausible);
	return suite_run("record", tests);
}
