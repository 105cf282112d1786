/* Tests of survivors: of each channel and key the last is left, everything
 * without a key, and each at its own place. */
#include "broker/worker/cursor/survivors.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { LISTS = 300, NAMES = 40 };

static const unsigned char secret[SIPHASH_KEY_BYTES] = "not so secret";

static struct survivors *survivors;
static char names[NAMES][8];

static void
set_up(void)
{
	survivors = survivors_create(secret);
	ck_assert_ptr_nonnull(survivors);
	for (int i = 0; i < NAMES; i++)
		snprintf(names[i], sizeof(names[i]), "n%d", i);
}

static void
tear_down(void)
{
	survivors_destroy(survivors);
}

/* What was added, in place of the list under test. */
static struct {
	size_t channel;
	size_t key; /* NAMES: none */
} added[SURVIVORS_MAX];

static uint64_t
cursor_at(size_t index)
{
	return 10 + 3 * (uint64_t)index;
}

/* The cursor of the next one with the channel and key of this one; 0: none. */
static uint64_t
next_like(size_t index, size_t count)
{
	for (size_t i = index + 1; i < count; i++) {
		if (added[index].key != NAMES &&
		    added[i].key == added[index].key &&
		    added[i].channel == added[index].channel)
			return cursor_at(i);
	}
	return 0;
}

static void
add(size_t index, uint64_t *state, size_t kinds)
{
	struct slice channel, key;

	added[index].channel = sample_below(state, kinds);
	added[index].key =
	    sample_below(state, 4) > 0 ? sample_below(state, kinds) : NAMES;
	if (added[index].key == NAMES) {
		survivors_add(survivors, cursor_at(index), index);
		return;
	}
	channel = slice_of_text(names[added[index].channel]);
	key = slice_of_text(names[added[index].key]);
	ck_assert(survivors_keep(survivors, &channel));
	ck_assert(survivors_keep(survivors, &key));
	survivors_add_keyed(survivors, cursor_at(index), index, channel, key);
}

START_TEST(the_last_of_each_channel_and_key_is_left)
{
	uint64_t state = 271828;

	for (int list = 0; list < LISTS; list++) {
		size_t count = sample_below(&state, 200);
		size_t kinds = 1 + sample_below(&state, NAMES);

		survivors_begin(survivors);
		for (size_t i = 0; i < count; i++)
			add(i, &state, kinds);
		ck_assert_uint_eq(survivors->count, count);
		for (size_t i = 0; i < count; i++) {
			const struct survivor *event = &survivors->events[i];

			ck_assert_uint_eq(event->cursor, cursor_at(i));
			ck_assert_uint_eq(event->number, i);
			ck_assert_uint_eq(
			    event->replaced_by, next_like(i, count));
		}
	}
}
END_TEST

START_TEST(a_channel_and_a_key_are_not_one_text)
{
	survivors_add_keyed(
	    survivors, 1, 0, slice_of_text("ab"), slice_of_text("c"));
	survivors_add_keyed(
	    survivors, 2, 0, slice_of_text("a"), slice_of_text("bc"));
	survivors_add_keyed(
	    survivors, 3, 0, slice_of_text("c"), slice_of_text("ab"));
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(survivors->events[i].replaced_by, 0);
}
END_TEST

START_TEST(a_full_list_finds_each_of_its_keys)
{
	char text[16];
	struct slice key, channel = slice_of_text("c");

	for (int round = 0; round < 2; round++) {
		survivors_begin(survivors);
		for (int i = 0; !survivors_full(survivors); i++) {
			int len = snprintf(
			    text, sizeof(text), "k%d", i % (SURVIVORS_MAX / 2));

			key = slice_of(text, (size_t)len);
			ck_assert(survivors_keep(survivors, &key));
			survivors_add_keyed(
			    survivors, (uint64_t)i + 1, 0, channel, key);
		}
		for (size_t i = 0; i < SURVIVORS_MAX; i++)
			ck_assert_uint_eq(survivors->events[i].replaced_by,
			    i < SURVIVORS_MAX / 2 ? i + 1 + SURVIVORS_MAX / 2
						  : 0);
	}
}
END_TEST

START_TEST(names_are_kept_as_long_as_there_is_room)
{
	char text[1000];
	size_t kept = 0;
	struct slice name = slice_of(text, sizeof(text));

	memset(text, 'x', sizeof(text));
	while (survivors_keep(survivors, &name)) {
		ck_assert(name.bytes != text);
		ck_assert_mem_eq(name.bytes, text, sizeof(text));
		name = slice_of(text, sizeof(text));
		kept++;
	}
	ck_assert_uint_eq(kept, SURVIVORS_TEXT_MAX / sizeof(text));
	survivors_begin(survivors);
	ck_assert(survivors_keep(survivors, &name));
}
END_TEST

/* So does a list whose number has come round. */
START_TEST(an_old_list_is_forgotten)
{
	struct slice name = slice_of_text("n");

	survivors_add_keyed(survivors, 1, 0, name, name);
	survivors->list = UINT32_MAX;
	survivors_add_keyed(survivors, 2, 0, name, name);
	survivors_begin(survivors);
	survivors_add_keyed(survivors, 3, 0, name, name);
	ck_assert_uint_eq(survivors->count, 1);
	ck_assert_uint_eq(survivors->events[0].replaced_by, 0);
	ck_assert_uint_eq(survivors->list, 1);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("survivors");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_last_of_each_channel_and_key_is_left);
	tcase_add_test(tests, a_channel_and_a_key_are_not_one_text);
	tcase_add_test(tests, a_full_list_finds_each_of_its_keys);
	tcase_add_test(tests, names_are_kept_as_long_as_there_is_room);
	tcase_add_test(tests, an_old_list_is_forgotten);
	return suite_run("survivors", tests);
}
