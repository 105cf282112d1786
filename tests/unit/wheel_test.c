/* Tests of wheel: each node comes due once, in its second. */
#include "broker/worker/wheel.h"

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

enum { START_S = 1000000 };

/* An owner of a node, as a subscriber would be. */
struct thing {
	struct wheel_node node;
	uint64_t due_s; /* when it came due; 0: not yet */
	int times;
	uint32_t again_in_s;     /* what due() sets; 0: nothing */
	struct thing *takes_off; /* what due() removes */
	struct thing *sets;      /* what due() sets to 5 s */
};

static struct wheel wheel;

static void
thing_init(struct thing *thing)
{
	*thing = (struct thing){.times = 0};
	wheel_node_init(&thing->node);
}

static void
note(struct wheel_node *node, void *context)
{
	struct thing *thing =
	    (struct thing *)((char *)node - offsetof(struct thing, node));

	ck_assert_ptr_eq(context, &wheel);
	ck_assert_ptr_null(node->previous);
	thing->due_s = wheel.now;
	thing->times++;
	if (thing->again_in_s > 0)
		wheel_set(&wheel, node, thing->again_in_s);
	if (thing->takes_off != NULL)
		wheel_remove(&thing->takes_off->node);
	if (thing->sets != NULL)
		wheel_set(&wheel, &thing->sets->node, 5);
}

static void
turn_to(uint64_t now_s)
{
	wheel_turn(&wheel, now_s, note, &wheel);
}

static void
set_up(void)
{
	wheel_init(&wheel, START_S);
}

START_TEST(a_node_comes_due_in_its_second_and_not_before)
{
	struct thing thing;
	uint64_t due_s = START_S + (unsigned)_i;

	thing_init(&thing);
	wheel_set(&wheel, &thing.node, (uint32_t)_i);
	turn_to(due_s - 1);
	ck_assert_int_eq(thing.times, 0);
	turn_to(due_s);
	ck_assert_int_eq(thing.times, 1);
	turn_to(due_s + 3 * WHEEL_SLOTS);
	ck_assert_int_eq(thing.times, 1);
}
END_TEST

START_TEST(a_time_out_of_bounds_becomes_the_nearer_bound)
{
	struct thing soon, late, later;

	thing_init(&soon);
	thing_init(&late);
	thing_init(&later);
	wheel_set(&wheel, &soon.node, 0);
	wheel_set(&wheel, &late.node, WHEEL_SLOTS);
	wheel_set(&wheel, &later.node, UINT32_MAX);
	for (uint64_t s = START_S; s < START_S + 600; s++)
		turn_to(s);
	ck_assert_uint_eq(soon.due_s, START_S + 1);
	ck_assert_uint_eq(late.due_s, START_S + 255);
	ck_assert_uint_eq(later.due_s, START_S + 255);
}
END_TEST

START_TEST(setting_a_node_again_moves_it)
{
	struct thing thing;

	thing_init(&thing);
	wheel_set(&wheel, &thing.node, 10);
	wheel_set(&wheel, &thing.node, 20);
	turn_to(START_S + 19);
	ck_assert_int_eq(thing.times, 0);
	wheel_set(&wheel, &thing.node, 1);
	turn_to(START_S + 100);
	ck_assert_int_eq(thing.times, 1);
}
END_TEST

START_TEST(a_removed_node_never_comes_due)
{
	struct thing removed, kept;

	thing_init(&removed);
	thing_init(&kept);
	wheel_remove(&removed.node); /* it is on no wheel: nothing happens */
	wheel_set(&wheel, &removed.node, 10);
	wheel_set(&wheel, &kept.node, 10);
	wheel_remove(&removed.node);
	wheel_remove(&removed.node);
	turn_to(START_S + 300);
	ck_assert_int_eq(removed.times, 0);
	ck_assert_int_eq(kept.times, 1);
}
END_TEST

START_TEST(a_jump_of_any_length_finds_every_node_once)
{
	static const uint64_t jumps[] = {254, 255, 256, 257, 1000, 1000000000};
	static struct thing things[WHEEL_SLOTS];

	turn_to(START_S + jumps[_i] / 3); /* from some slot */
	for (uint32_t i = 0; i < WHEEL_SLOTS; i++) {
		thing_init(&things[i]);
		wheel_set(&wheel, &things[i].node, i);
	}
	turn_to(wheel.now + jumps[_i]);
	for (uint32_t i = 0; i < WHEEL_SLOTS; i++)
		ck_assert_int_eq(things[i].times, i <= jumps[_i] ? 1 : 0);
	turn_to(wheel.now + 255);
	for (uint32_t i = 0; i < WHEEL_SLOTS; i++)
		ck_assert_int_eq(things[i].times, 1);
}
END_TEST

START_TEST(time_that_stands_still_or_goes_back_turns_nothing)
{
	struct thing thing;

	thing_init(&thing);
	wheel_set(&wheel, &thing.node, 1);
	turn_to(START_S);
	turn_to(START_S - 500);
	ck_assert_int_eq(thing.times, 0);
	turn_to(START_S + 1);
	ck_assert_int_eq(thing.times, 1);
}
END_TEST

/* However far the wheel was behind, and into whichever slot it falls. */
START_TEST(a_node_that_is_set_when_it_comes_due_waits_its_time_again)
{
	struct thing thing;

	for (uint32_t again = 1; again < WHEEL_SLOTS; again++) {
		for (uint64_t late = 0; late < 300; late += 23) {
			uint64_t now_s = wheel.now + 1 + late;

			thing_init(&thing);
			thing.again_in_s = again;
			wheel_set(&wheel, &thing.node, 1);
			turn_to(now_s);
			ck_assert_int_eq(thing.times, 1);
			turn_to(now_s + again - 1);
			ck_assert_int_eq(thing.times, 1);
			turn_to(now_s + again);
			ck_assert_int_eq(thing.times, 2);
			ck_assert_uint_eq(thing.due_s, now_s + again);
			wheel_remove(&thing.node);
		}
	}
}
END_TEST

START_TEST(a_node_may_take_off_or_move_another_that_is_due_too)
{
	struct thing first, removed, moved, last;

	thing_init(&first);
	thing_init(&removed);
	thing_init(&moved);
	thing_init(&last);
	first.takes_off = &removed;
	first.sets = &moved;
	wheel_set(&wheel, &first.node, 3);
	wheel_set(&wheel, &removed.node, 3);
	wheel_set(&wheel, &moved.node, 4);
	wheel_set(&wheel, &last.node, 4);
	turn_to(START_S + 10);
	ck_assert_int_eq(first.times, 1);
	ck_assert_int_eq(removed.times, 0);
	ck_assert_int_eq(moved.times, 0);
	ck_assert_int_eq(last.times, 1);
	turn_to(START_S + 15);
	ck_assert_int_eq(moved.times, 1);
}
END_TEST

START_TEST(many_nodes_in_one_second_come_due_in_the_order_they_were_set)
{
	enum { MANY = 1000 };
	static struct thing things[MANY];
	static struct thing *before;

	for (int i = 0; i < MANY; i++) {
		thing_init(&things[i]);
		wheel_set(&wheel, &things[i].node, 7);
	}
	/* Each takes off the one before it, which must be gone already. */
	before = NULL;
	for (int i = 0; i < MANY; i++) {
		things[i].takes_off = before;
		before = &things[i];
	}
	turn_to(START_S + 7);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(things[i].times, 1);
}
END_TEST

START_TEST(it_says_when_the_next_is_due)
{
	struct thing soon, late;

	wheel_init(&wheel, 1000);
	ck_assert_uint_eq(wheel_next(&wheel), 0);
	wheel_node_init(&soon.node);
	wheel_node_init(&late.node);
	wheel_set(&wheel, &late.node, 255);
	ck_assert_uint_eq(wheel_next(&wheel), 255);
	wheel_set(&wheel, &soon.node, 3);
	ck_assert_uint_eq(wheel_next(&wheel), 3);
	turn_to(1002);
	ck_assert_uint_eq(wheel_next(&wheel), 1);
	wheel_remove(&soon.node);
	ck_assert_uint_eq(wheel_next(&wheel), 253);
	wheel_remove(&late.node);
}
END_TEST

static Suite *
suite(void)
{
	TCase *tests = tcase_create("wheel");
	Suite *suite = suite_create("wheel");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests,
	    a_node_comes_due_in_its_second_and_not_before, 1, WHEEL_SLOTS);
	tcase_add_test(tests, a_time_out_of_bounds_becomes_the_nearer_bound);
	tcase_add_test(tests, setting_a_node_again_moves_it);
	tcase_add_test(tests, a_removed_node_never_comes_due);
	tcase_add_loop_test(
	    tests, a_jump_of_any_length_finds_every_node_once, 0, 6);
	tcase_add_test(
	    tests, time_that_stands_still_or_goes_back_turns_nothing);
	tcase_add_test(
	    tests, a_node_that_is_set_when_it_comes_due_waits_its_time_again);
	tcase_add_test(
	    tests, a_node_may_take_off_or_move_another_that_is_due_too);
	tcase_add_test(tests,
	    many_nodes_in_one_second_come_due_in_the_order_they_were_set);
	tcase_add_test(tests, it_says_when_the_next_is_due);
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
