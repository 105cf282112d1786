/* Tests of ring: what a reader copies is whole, in order, or known to be lost.
 */
#include "broker/shared/ring.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { RING_BYTES = 65536, LONGEST = RING_BYTES / 4 - 128 };

static struct ring ring;
static int ring_fd;
static struct ring view; /* mapped for reading */
static struct ring_reader reader;
static uint64_t written; /* cursor of the newest event */
static uint64_t state;   /* of sample_random() */

static void
set_up(void)
{
	ck_assert_int_eq(ring_create(&ring, RING_BYTES, &ring_fd), 0);
	ck_assert_int_eq(ring_map_reader(&view, ring_fd), 0);
	ring_take_over(&ring);
	ring_attach(&view, &reader);
	written = 0;
	state = 88172645463325252;
}

static void
tear_down(void)
{
	ring_unmap(&view);
	ring_unmap(&ring);
	close(ring_fd);
}

static void
write_one(size_t data_len)
{
	ring_write(&ring, sample_record(++written, data_len));
}

/* Reads the next record and checks every byte of it. */
static enum ring_read
read_one(struct event *event)
{
	static _Alignas(RECORD_ALIGNMENT) char block[RING_BYTES];
	const struct record *record = (const void *)block;
	size_t size;
	enum ring_read result = ring_next_size(&view, &reader, &size);

	if (result != RING_RECORD)
		return result;
	ck_assert_uint_le(size, RING_BYTES / 4);
	result = ring_copy_next(&view, &reader, block, size);
	if (result != RING_RECORD)
		return result;
	ck_assert(record_plausible(record, size));
	*event = record_event(record);
	ck_assert_uint_eq(event->cursor, reader.cursor);
	ck_assert(sample_intact(event));
	return RING_RECORD;
}

/* Reads all there is: the cursors behind that of the reader, one by one. */
static void
read_up_to(uint64_t last)
{
	struct event event;

	while (reader.cursor < last) {
		uint64_t before = reader.cursor;

		ck_assert_int_eq(read_one(&event), RING_RECORD);
		ck_assert_uint_eq(event.cursor, before + 1);
	}
	ck_assert_int_eq(read_one(&event), RING_EMPTY);
}

START_TEST(a_new_ring_is_empty)
{
	struct event event;

	ck_assert_uint_eq(ring_last_cursor(&ring), 0);
	ck_assert_uint_eq(reader.cursor, 0);
	ck_assert_int_eq(read_one(&event), RING_EMPTY);
	ck_assert_uint_eq(view.size, RING_BYTES);
}
END_TEST

START_TEST(a_size_becomes_the_next_power_of_two)
{
	struct ring other;
	int fd;

	ck_assert_int_eq(ring_create(&other, RING_BYTES + 1, &fd), 0);
	ck_assert_uint_eq(other.size, 2 * RING_BYTES);
	ring_unmap(&other);
	close(fd);
}
END_TEST

START_TEST(nobody_can_map_it_for_writing_from_the_descriptor)
{
	void *memory = mmap(
	    NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);

	ck_assert_ptr_eq(memory, MAP_FAILED);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(ring_fd, 0), -1);
}
END_TEST

START_TEST(memory_of_another_layout_is_refused)
{
	struct ring other;
	int fd = memfd_create("other", MFD_CLOEXEC);

	ck_assert_int_eq(ftruncate(fd, RING_BYTES), 0);
	ck_assert_int_eq(ring_map_reader(&other, fd), -1);
	ck_assert_int_eq(errno, EPROTO);
	close(fd);
}
END_TEST

START_TEST(a_record_is_visible_once_it_is_published)
{
	struct event event;

	write_one(10);
	ck_assert_int_eq(read_one(&event), RING_EMPTY);
	ck_assert_uint_eq(ring_last_cursor(&view), 0);
	ring_publish(&ring);
	ck_assert_uint_eq(ring_last_cursor(&view), 1);
	ck_assert_int_eq(read_one(&event), RING_RECORD);
	ck_assert_uint_eq(event.cursor, 1);
}
END_TEST

/* Every place in the memory, every size of what is left at its end. */
START_TEST(a_reader_that_keeps_up_misses_nothing_over_many_rounds)
{
	for (int batch = 0; batch < 3000; batch++) {
		size_t count = 1 + sample_below(&state, 8);

		for (size_t i = 0; i < count; i++)
			write_one(sample_below(&state, 900));
		ring_publish(&ring);
		read_up_to(written);
	}
	ck_assert_uint_gt(reader.at, 50 * RING_BYTES);
}
END_TEST

START_TEST(records_of_any_size_up_to_a_quarter_fit)
{
	for (size_t len = 0; len <= LONGEST; len += 1 + len / 5) {
		write_one(len);
		ring_publish(&ring);
		read_up_to(written);
	}
	for (int i = 0; i < 20; i++) {
		write_one(LONGEST - (size_t)i);
		ring_publish(&ring);
		read_up_to(written);
	}
}
END_TEST

START_TEST(what_is_written_without_an_end_becomes_visible_by_itself)
{
	struct event event;

	for (int i = 0; i < 1000; i++)
		write_one(500);
	/* It was lapped, and what it finds then is whole. */
	ck_assert_int_eq(read_one(&event), RING_LAPPED);
	ring_attach(&view, &reader);
	ring_publish(&ring);
	read_up_to(written);
}
END_TEST

START_TEST(a_lapped_reader_finds_out_and_goes_on_at_the_oldest)
{
	struct event event;
	uint64_t oldest;

	write_one(100);
	ring_publish(&ring);
	for (int i = 0; i < 1000; i++)
		write_one(100);
	ring_publish(&ring);
	ck_assert_int_eq(read_one(&event), RING_LAPPED);
	ck_assert_int_eq(read_one(&event), RING_LAPPED);
	ring_attach(&view, &reader);
	oldest = reader.cursor;
	ck_assert_uint_gt(oldest, 100);
	read_up_to(written);
	/* Most of the memory was still in use. */
	ck_assert_uint_gt((written - oldest) * 152, RING_BYTES * 9 / 10);
}
END_TEST

START_TEST(a_record_can_be_passed_over_without_copying_it)
{
	size_t size;

	for (int i = 0; i < 10; i++)
		write_one(100);
	ring_publish(&ring);
	for (uint64_t i = 1; i <= 9; i++) {
		ck_assert_int_eq(
		    ring_next_size(&view, &reader, &size), RING_RECORD);
		ck_assert_int_eq(
		    ring_skip_next(&view, &reader, size), RING_RECORD);
		ck_assert_uint_eq(reader.cursor, i);
	}
	read_up_to(written);
}
END_TEST

START_TEST(a_skip_laps_everybody_and_says_up_to_where)
{
	struct event event;

	write_one(10);
	ring_publish(&ring);
	read_up_to(written);
	ring_skip_to(&ring, 1000);
	ck_assert_uint_eq(ring_last_cursor(&ring), 1000);
	ck_assert_int_eq(read_one(&event), RING_LAPPED);
	ring_attach(&view, &reader);
	ck_assert_uint_eq(reader.cursor, 1000);
	ck_assert_int_eq(read_one(&event), RING_EMPTY);
	written = 1000;
	for (int i = 0; i < 500; i++) {
		write_one(300);
		ring_publish(&ring);
		read_up_to(written);
	}
}
END_TEST

START_TEST(what_a_dead_writer_had_not_made_visible_is_forgotten)
{
	write_one(10);
	ring_publish(&ring);
	write_one(20);
	write_one(30);
	ring_take_over(&ring);
	ck_assert_uint_eq(ring_last_cursor(&ring), 1);
	written = 1;
	write_one(40);
	ring_publish(&ring);
	read_up_to(2);
}
END_TEST

enum { FAST_EVENTS = 200000 };

/* As fast as it can, in a process of its own. */
static void
write_fast(void)
{
	while (written < FAST_EVENTS) {
		size_t count = 1 + sample_below(&state, 50);

		for (size_t i = 0; i < count; i++)
			write_one(sample_below(&state, 64));
		ring_publish(&ring);
	}
}

/* Lets the writer get a round ahead, now and then. */
static void
dawdle(void)
{
	uint64_t seen = ring_last_cursor(&view);
	uint64_t far = seen + RING_BYTES / sizeof(struct record);

	if (far > FAST_EVENTS)
		return;
	while (ring_last_cursor(&view) < far)
		;
}

START_TEST(a_reader_beside_a_fast_writer_copies_whole_records_only)
{
	uint64_t copied = 0, lapped = 0;
	pid_t writer = fork();
	int status;

	if (writer == 0) {
		write_fast();
		_exit(0);
	}
	while (reader.cursor < FAST_EVENTS) {
		uint64_t before = reader.cursor;
		struct event event;

		switch (read_one(&event)) {
		case RING_RECORD:
			ck_assert(event.cursor == before + 1 ||
				  (event.cursor <= before && lapped > 0));
			if (++copied % 20000 == 0)
				dawdle();
			break;
		case RING_LAPPED:
			lapped++;
			ring_attach(&view, &reader);
			ck_assert_uint_ge(reader.cursor, before);
			break;
		case RING_EMPTY:
			break;
		}
	}
	ck_assert_int_eq(waitpid(writer, &status, 0), writer);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_gt(copied, 1000);
	ck_assert_uint_gt(lapped, 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("ring");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_new_ring_is_empty);
	tcase_add_test(tests, a_size_becomes_the_next_power_of_two);
	tcase_add_test(
	    tests, nobody_can_map_it_for_writing_from_the_descriptor);
	tcase_add_test(tests, memory_of_another_layout_is_refused);
	tcase_add_test(tests, a_record_is_visible_once_it_is_published);
	tcase_add_test(
	    tests, a_reader_that_keeps_up_misses_nothing_over_many_rounds);
	tcase_add_test(tests, records_of_any_size_up_to_a_quarter_fit);
	tcase_add_test(
	    tests, what_is_written_without_an_end_becomes_visible_by_itself);
	tcase_add_test(
	    tests, a_lapped_reader_finds_out_and_goes_on_at_the_oldest);
	tcase_add_test(tests, a_record_can_be_passed_over_without_copying_it);
	tcase_add_test(tests, a_skip_laps_everybody_and_says_up_to_where);
	tcase_add_test(
	    tests, what_a_dead_writer_had_not_made_visible_is_forgotten);
	tcase_add_test(
	    tests, a_reader_beside_a_fast_writer_copies_whole_records_only);
	return suite_run("ring", tests);
}
