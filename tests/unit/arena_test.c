/* Tests of arena: blocks in one piece, whose bytes stay until they are let go.
 */
#include "broker/worker/cursor/arena.h"

#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { SIZE = 1000, BLOCKS = 20000 };

/* A block that was taken, filled with one byte. */
struct block {
	uint64_t position;
	size_t len;
	char byte;
};

static struct block blocks[BLOCKS];

static void
assert_kept(const struct arena *arena, const struct block *block)
{
	const char *bytes = arena_at(arena, block->position);
	size_t same = 0;

	for (size_t i = 0; i < block->len; i++)
		same += bytes[i] == block->byte;
	/* One assertion for all: each is a message to another process. */
	ck_assert(bytes >= arena->bytes &&
		  bytes + block->len <= arena->bytes + arena->size &&
		  same == block->len);
}

START_TEST(every_block_above_the_tail_keeps_its_bytes)
{
	static const size_t alignments[] = {1, 2, 4, 8};
	uint64_t state = 4711;
	struct arena arena;
	size_t first = 0;

	ck_assert_int_eq(arena_init(&arena, SIZE, alignments[_i]), 0);
	for (size_t i = 0; i < BLOCKS; i++) {
		struct block *block = &blocks[i];
		uint64_t tail;
		char *bytes;

		block->len = sample_below(&state, arena.size / 4 + 1);
		block->byte = (char)i;
		block->position = arena_plan(&arena, block->len, &tail);
		bytes = arena_take(&arena, block->position, block->len, tail);
		ck_assert_ptr_eq(bytes, arena_at(&arena, block->position));
		ck_assert_uint_eq(block->position % alignments[_i], 0);
		memset(bytes, block->byte, block->len);
		while (first < i && blocks[first].position < arena.tail)
			first++;
		for (size_t kept = first; kept <= i; kept++)
			assert_kept(&arena, &blocks[kept]);
	}
	arena_finish(&arena);
}
END_TEST

START_TEST(most_of_the_memory_is_in_use)
{
	struct arena arena;
	uint64_t tail;

	ck_assert_int_eq(arena_init(&arena, SIZE, 1), 0);
	for (int i = 0; i < 1000; i++) {
		uint64_t position = arena_plan(&arena, 10, &tail);

		arena_take(&arena, position, 10, tail);
	}
	ck_assert_uint_eq(arena.head - arena.tail, SIZE);
	arena_finish(&arena);
}
END_TEST

START_TEST(a_plan_changes_nothing)
{
	struct arena arena, before;
	uint64_t tail, again;

	ck_assert_int_eq(arena_init(&arena, SIZE, 8), 0);
	for (int i = 0; i < 100; i++) {
		uint64_t position = arena_plan(&arena, 100, &tail);

		before = arena;
		ck_assert_uint_eq(arena_plan(&arena, 100, &again), position);
		ck_assert_uint_eq(again, tail);
		ck_assert_mem_eq(&before, &arena, sizeof(arena));
		arena_take(&arena, position, 100, tail);
	}
	arena_finish(&arena);
}
END_TEST

START_TEST(a_size_is_cut_down_to_the_alignment)
{
	struct arena arena;

	ck_assert_int_eq(arena_init(&arena, 1007, 8), 0);
	ck_assert_uint_eq(arena.size, 1000);
	arena_finish(&arena);
	arena_finish(&arena);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("arena");

	tcase_add_loop_test(
	    tests, every_block_above_the_tail_keeps_its_bytes, 0, 4);
	tcase_add_test(tests, most_of_the_memory_is_in_use);
	tcase_add_test(tests, a_plan_changes_nothing);
	tcase_add_test(tests, a_size_is_cut_down_to_the_alignment);
	return suite_run("arena", tests);
}
