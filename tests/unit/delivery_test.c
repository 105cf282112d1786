/* Tests of delivery: each subscriber's list holds its entries, in order. */
#include "broker/worker/cursor/delivery.h"

#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { SUBSCRIBERS = 30, SIZE = 1000, TURNS = 200 };

/* The lists know a subscriber by its address alone. */
struct subscriber {
	uint32_t first, last;
	uint64_t entries[SIZE];
	size_t count;
};

static struct subscriber subscribers[SUBSCRIBERS];
static struct deliveries deliveries;

static void
set_up(void)
{
	ck_assert_int_eq(deliveries_init(&deliveries, SIZE), 0);
}

static void
tear_down(void)
{
	deliveries_finish(&deliveries);
}

static void
begin(uint64_t base)
{
	for (int i = 0; i < SUBSCRIBERS; i++)
		subscribers[i] = (struct subscriber){.first = DELIVERY_NONE};
	deliveries_begin(&deliveries, base);
}

static void
add(struct subscriber *subscriber, uint64_t entry)
{
	deliveries_add(&deliveries, subscriber, &subscriber->first,
	    &subscriber->last, entry);
	subscriber->entries[subscriber->count++] = entry;
}

static void
assert_list(const struct subscriber *subscriber)
{
	uint32_t index = subscriber->first;

	for (size_t i = 0; i < subscriber->count; i++) {
		ck_assert_uint_ne(index, DELIVERY_NONE);
		ck_assert_uint_eq(deliveries_entry(&deliveries, index),
		    subscriber->entries[i]);
		index = deliveries.list[index].next;
	}
	ck_assert_uint_eq(index, DELIVERY_NONE);
}

static void
assert_all(void)
{
	size_t with_any = 0;

	for (int i = 0; i < SUBSCRIBERS; i++) {
		assert_list(&subscribers[i]);
		with_any += subscribers[i].count > 0;
	}
	ck_assert_uint_eq(deliveries.subscriber_count, with_any);
	for (size_t i = 0; i < deliveries.subscriber_count; i++)
		ck_assert_uint_gt(deliveries.subscribers[i]->count, 0);
}

START_TEST(every_turn_each_list_holds_what_was_added_in_order)
{
	uint64_t state = 271828, entry = UINT64_C(1) << 40;

	for (int turn = 0; turn < TURNS; turn++) {
		begin(entry);
		while (!deliveries_full(&deliveries, SUBSCRIBERS) &&
		       sample_below(&state, 60) > 0) {
			size_t first = sample_below(&state, SUBSCRIBERS);

			for (size_t i = first; i < SUBSCRIBERS; i += 7)
				add(&subscribers[i], entry);
			entry++;
		}
		assert_all();
	}
}
END_TEST

START_TEST(it_is_full_when_not_all_would_find_room)
{
	begin(0);
	for (int i = 0; i < SIZE; i++) {
		ck_assert(!deliveries_full(&deliveries, SIZE - (size_t)i));
		ck_assert(deliveries_full(&deliveries, SIZE - (size_t)i + 1));
		add(&subscribers[0], 5);
	}
	ck_assert(!deliveries_full(&deliveries, 0));
	ck_assert(deliveries_full(&deliveries, 1));
}
END_TEST

START_TEST(one_may_have_all_and_all_may_have_one)
{
	begin(7);
	for (uint64_t i = 0; i < SIZE; i++)
		add(&subscribers[3], 7 + i);
	assert_all();
	begin(8);
	for (int i = 0; i < SUBSCRIBERS; i++)
		add(&subscribers[i], 9);
	assert_all();
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("delivery");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(
	    tests, every_turn_each_list_holds_what_was_added_in_order);
	tcase_add_test(tests, it_is_full_when_not_all_would_find_room);
	tcase_add_test(tests, one_may_have_all_and_all_may_have_one);
	return suite_run("delivery", tests);
}
