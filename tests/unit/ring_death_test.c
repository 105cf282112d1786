/*
 * Tests of ring: a writer may die at any instruction. The writer is run step
 * by step; after each step the memory is copied, and a new writer takes over
 * the copy, as a new hub does: nothing may be missing then.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/shared/ring.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { RING_BYTES = 65536, DATA_LEN = 40, MORE_EVENTS = 20 };

static struct ring ring; /* of the writer that dies */
static struct ring heir; /* the copy */
static int ring_fd, heir_fd;
static struct ring_reader live; /* a reader that had read all before */
static uint64_t written;

static void
write_one(struct ring *to, uint64_t cursor)
{
	ring_write(to, sample_record(cursor, DATA_LEN));
}

/* Writes until `left` bytes are free before the memory begins anew. */
static void
fill(uint64_t left)
{
	struct ring_reader reader;
	uint64_t at = 0;

	while (at < RING_BYTES || RING_BYTES - at % RING_BYTES > left) {
		write_one(&ring, ++written);
		at = ring_publish(&ring);
	}
	ring_attach(&ring, &reader);
	live = (struct ring_reader){.at = at, .cursor = written};
}

static void
set_up(void)
{
	ck_assert_int_eq(ring_create(&ring, RING_BYTES, &ring_fd), 0);
	ck_assert_int_eq(ring_create(&heir, RING_BYTES, &heir_fd), 0);
	ring_take_over(&ring);
	written = 0;
}

static void
tear_down(void)
{
	ring_unmap(&ring);
	ring_unmap(&heir);
	close(ring_fd);
	close(heir_fd);
}

/* Reads what there is; the cursors behind the reader's must rise one by one,
 * what it has had is passed over. False: it was lapped. */
static bool
read_all(struct ring_reader *reader, uint64_t *head)
{
	static _Alignas(RECORD_ALIGNMENT) char block[RING_BYTES];
	struct event event;
	size_t size;

	for (;;) {
		switch (ring_next_size(&heir, reader, &size)) {
		case RING_EMPTY:
			return true;
		case RING_LAPPED:
			return false;
		case RING_RECORD:
			break;
		}
		ck_assert_int_eq(
		    ring_copy_next(&heir, reader, block, size), RING_RECORD);
		event = record_event((const void *)block);
		ck_assert(sample_intact(&event));
		if (event.cursor <= *head)
			continue;
		ck_assert_uint_eq(event.cursor, *head + 1);
		*head = event.cursor;
	}
}

/* The writer is dead; the events up to `stored` are in the store. */
static void
take_over(uint64_t stored)
{
	uint64_t head = live.cursor;
	struct ring_reader reader = live;

	memcpy(heir.header, ring.header,
	    (size_t)(ring.data - (char *)ring.header) + RING_BYTES);
	ring_take_over(&heir);
	for (uint64_t i = ring_last_cursor(&heir) + 1; i <= stored; i++)
		write_one(&heir, i);
	ring_publish(&heir);
	if (!read_all(&reader, &head)) {
		/* It finds in the store what is before the oldest record. */
		ring_attach(&heir, &reader);
		ck_assert_uint_le(reader.cursor, stored);
		head = reader.cursor;
		ck_assert(read_all(&reader, &head));
	}
	ck_assert_uint_eq(head, stored);
	for (uint64_t i = 1; i <= MORE_EVENTS; i++) {
		write_one(&heir, stored + i);
		ring_publish(&heir);
	}
	ck_assert(read_all(&reader, &head));
	ck_assert_uint_eq(head, stored + MORE_EVENTS);
}

/* Has the writer changed what a reader looks at first, since the last time? Or
 * is it time to look whether it has changed something else? */
static bool
worth_a_look(int step)
{
	static char before[4096];
	size_t size = (size_t)(ring.data - (char *)ring.header);

	ck_assert_uint_le(size, sizeof(before));
	if (step % 64 != 0 && memcmp(before, ring.header, size) == 0)
		return false;
	memcpy(before, ring.header, size);
	return true;
}

/* Runs it instruction by instruction, and takes over after each that matters;
 * does nothing where tracing is not allowed. */
static void
die_everywhere(void (*work)(void), uint64_t stored)
{
	pid_t writer = fork();
	int steps = 0;
	int status;

	if (writer == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			_exit(1);
		raise(SIGSTOP);
		work();
		_exit(0);
	}
	while (waitpid(writer, &status, 0) == writer && WIFSTOPPED(status)) {
		if (worth_a_look(steps++))
			take_over(stored);
		ck_assert_int_eq(
		    ptrace(PTRACE_SINGLESTEP, writer, NULL, NULL), 0);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
		fprintf(stderr, "ring_death_test: tracing is not allowed\n");
		return;
	}
	ck_assert_int_eq(status, 0);
	ck_assert_int_gt(steps, 100);
}

static void
publish_three(void)
{
	for (uint64_t i = 1; i <= 3; i++)
		write_one(&ring, written + i);
	ring_publish(&ring);
}

START_TEST(nothing_is_missing_after_a_death_while_a_batch_is_written)
{
	fill(4096);
	die_everywhere(publish_three, written + 3);
}
END_TEST

START_TEST(nothing_is_missing_after_a_death_where_the_memory_begins_anew)
{
	fill(200);
	die_everywhere(publish_three, written + 3);
}
END_TEST

static void
skip_and_publish(void)
{
	ring_skip_to(&ring, written + 5);
	write_one(&ring, written + 6);
	ring_publish(&ring);
}

START_TEST(nothing_is_missing_after_a_death_in_a_skip)
{
	fill(4096);
	die_everywhere(skip_and_publish, written + 6);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("ring_death");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(
	    tests, nothing_is_missing_after_a_death_while_a_batch_is_written);
	tcase_add_test(tests,
	    nothing_is_missing_after_a_death_where_the_memory_begins_anew);
	tcase_add_test(tests, nothing_is_missing_after_a_death_in_a_skip);
	return suite_run("ring_death", tests);
}
