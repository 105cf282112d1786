/*
 * Tests of store_reserve: a disk that is full. The disk is made: the files of
 * the store have so many bytes together at most, and a write beyond is short,
 * and then fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/hub/store_write.h"
#include "broker/shared/store.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/suite.h"

enum {
	TEXT_BYTES = 30000,
	RESERVE_BYTES = 16 << 20,
	DISK_BYTES = 48 << 20,
	ROWS = 512,
};

static struct store_folder store;
static struct store_limits limits;
static uint64_t disk_bytes;
static uint64_t acknowledged; /* cursors are 1 up to this */
static char text[TEXT_BYTES + 1];

static uint64_t
file_bytes(const char *end)
{
	char path[STORE_PATH_SIZE + 16];
	struct stat status;

	snprintf(path, sizeof(path), "%s%s", store.path, end);
	return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static uint64_t
used(void)
{
	return file_bytes("") + file_bytes("-wal") + file_bytes("-reserve");
}

static uint64_t
room(void)
{
	return used() < disk_bytes ? disk_bytes - used() : 0;
}

static ssize_t
write_to_disk(int fd, const void *bytes, size_t count, off_t offset)
{
	struct stat status;
	off_t end = offset + (off_t)count;
	uint64_t beyond;

	ck_assert_int_eq(fstat(fd, &status), 0);
	beyond = end > status.st_size ? (uint64_t)(end - status.st_size) : 0;
	if (beyond > room()) {
		beyond -= room();
		if (beyond >= count) {
			errno = ENOSPC;
			return -1;
		}
		count -= beyond;
	}
	return pwrite(fd, bytes, count, offset);
}

/* In the place of the C library's. */
int
posix_fallocate(int fd, off_t offset, off_t count)
{
	struct stat status;

	ck_assert_int_eq(fstat(fd, &status), 0);
	if (offset + count <= status.st_size)
		return 0;
	if ((uint64_t)(offset + count - status.st_size) > room()) {
		/* As some file systems do: as much as there is. */
		ck_assert_int_eq(
		    ftruncate(fd, status.st_size + (off_t)room()), 0);
		return ENOSPC;
	}
	return ftruncate(fd, offset + count) == 0 ? 0 : errno;
}

static void
set_up(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	ck_assert_int_eq(vfs->xSetSystemCall(vfs, "pwrite64",
			     (sqlite3_syscall_ptr)write_to_disk),
	    SQLITE_OK);
	ck_assert_int_eq(vfs->xSetSystemCall(
			     vfs, "pwrite", (sqlite3_syscall_ptr)write_to_disk),
	    SQLITE_OK);
	disk_bytes = DISK_BYTES;
	acknowledged = 0;
	memset(text, 'x', TEXT_BYTES);
	limits = (struct store_limits){
	    UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
	store_folder_make(&store);
	ck_assert_int_eq(
	    store_reserve_open(store.writer, store.path, RESERVE_BYTES), 0);
	ck_assert(!store_is_full(store.writer));
	ck_assert_uint_eq(file_bytes("-reserve"), RESERVE_BYTES);
}

static void
tear_down(void)
{
	char path[STORE_PATH_SIZE + 16];

	disk_bytes = UINT64_MAX;
	snprintf(path, sizeof(path), "%s-reserve", store.path);
	unlink(path);
	store_folder_remove(&store);
}

/* With a thread for checkpoints, or without. */
static void
start_mover(int way)
{
	if (way == 1)
		store_start_mover(store.writer, store.path, "OFF");
}

/* As the hub does: a batch, and what follows it. */
static bool
publish(void)
{
	const struct event event = {
	    .cursor = acknowledged + 1,
	    .channel = slice_of_text("c"),
	    .data = slice_of_text(text),
	};
	bool stored = false;

	if (store_begin(store.writer) == 0) {
		store.publisher = (struct store_publisher){.id = 0};
		stored =
		    store_find_publisher(store.writer, slice_of_text("folder"),
			&store.publisher) == 0 &&
		    (store.publisher.id != 0 ||
			store_make_publisher(store.writer,
			    slice_of_text("folder"), &store.publisher) == 0) &&
		    store_add_event(&store, &event, &store.publisher,
			acknowledged + 1) == 0 &&
		    store_commit(store.writer) == 0;
		if (!stored)
			store_rollback(store.writer);
	}
	acknowledged += stored;
	store_checkpoint(store.writer);
	return stored;
}

/* What the hub does each second, and when it is idle. */
static void
tend_and_trim(void)
{
	bool more = true;

	store_reserve_tend(store.writer);
	while (more) {
		store_trim(store.writer, &limits, 0, ROWS, &more);
		store_checkpoint(store.writer);
	}
}

/* Until that is so for some seconds: a disk may be full for the log alone. */
static void
publish_until_refused(void)
{
	uint64_t before = acknowledged;

	for (int refused = 0; refused < 4;) {
		if (publish()) {
			refused = 0;
		} else {
			refused++;
			tend_and_trim();
		}
		ck_assert_uint_lt(
		    acknowledged - before, DISK_BYTES / TEXT_BYTES * 2);
	}
}

/* The newest are there, each once, and nothing else. */
static void
assert_left(uint64_t left)
{
	ck_assert_uint_eq(
	    store_query(&store, "SELECT count(*) FROM event"), left);
	ck_assert_uint_eq(
	    store_query(&store, "SELECT max(cursor) FROM event"), acknowledged);
	ck_assert_uint_eq(store_query(&store, "SELECT min(cursor) FROM event"),
	    acknowledged - left + 1);
	ck_assert_uint_eq(
	    store_query(&store, "SELECT count(*) FROM pragma_integrity_check"
				" WHERE integrity_check = 'ok'"),
	    1);
}

START_TEST(a_full_disk_refuses_and_what_was_acknowledged_is_there)
{
	start_mover(_i);
	publish_until_refused();
	ck_assert(store_is_full(store.writer));
	ck_assert_uint_eq(file_bytes("-reserve"), 0);
	/* The reserve is not for events. */
	ck_assert(!publish());
	assert_left(acknowledged);
	for (int i = 0; i < 3; i++)
		tend_and_trim();
	ck_assert(!publish());
	assert_left(acknowledged);
	store_folder_reopen(&store);
	assert_left(acknowledged);
}
END_TEST

START_TEST(retention_goes_on_and_what_it_frees_is_used)
{
	uint64_t before;

	start_mover(_i);
	publish_until_refused();
	for (int i = 0; i < 3; i++)
		tend_and_trim();
	assert_left(acknowledged);
	limits.max_events = 100;
	for (int i = 0; i < 20; i++)
		tend_and_trim();
	assert_left(100);
	/* The files are no smaller, and the disk as full as before. */
	ck_assert(store_is_full(store.writer));
	limits.max_events = UINT64_MAX;
	before = acknowledged;
	publish_until_refused();
	ck_assert_uint_gt(acknowledged - before, 150);
	assert_left(100 + acknowledged - before);
}
END_TEST

START_TEST(it_goes_on_when_there_is_room_again)
{
	uint64_t before;

	start_mover(_i);
	publish_until_refused();
	tend_and_trim();
	ck_assert(!publish());
	before = acknowledged;
	disk_bytes = 2 * DISK_BYTES;
	tend_and_trim();
	ck_assert(!store_is_full(store.writer));
	ck_assert_uint_eq(file_bytes("-reserve"), RESERVE_BYTES);
	publish_until_refused();
	ck_assert_uint_gt(acknowledged, 2 * before);
	assert_left(acknowledged);
}
END_TEST

START_TEST(one_who_starts_on_a_full_disk_takes_no_events)
{
	sqlite3 *worker; /* for whom the log stays as it is */

	publish_until_refused();
	ck_assert_int_eq(sqlite3_open(store.path, &worker), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(worker, "SELECT one FROM state", NULL, NULL, NULL),
	    SQLITE_OK);
	tend_and_trim();
	disk_bytes = used(); /* others have taken what there was */
	store_folder_reopen(&store);
	ck_assert_int_eq(
	    store_reserve_open(store.writer, store.path, RESERVE_BYTES), 0);
	ck_assert(store_is_full(store.writer));
	ck_assert(!publish());
	limits.max_events = 100;
	for (int i = 0; i < 20; i++)
		tend_and_trim();
	assert_left(100);
	ck_assert(publish());
	assert_left(101);
	ck_assert_int_eq(sqlite3_close(worker), SQLITE_OK);
}
END_TEST

START_TEST(without_a_reserve_there_is_no_file)
{
	store_folder_reopen(&store);
	ck_assert_int_eq(store_reserve_open(store.writer, store.path, 0), 0);
	ck_assert(!store_is_full(store.writer));
	ck_assert_uint_eq(file_bytes("-reserve"), 0);
	publish_until_refused();
	assert_left(acknowledged);
	disk_bytes = 2 * DISK_BYTES;
	ck_assert(publish());
	assert_left(acknowledged);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("store_reserve");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests,
	    a_full_disk_refuses_and_what_was_acknowledged_is_there, 0, 2);
	tcase_add_loop_test(
	    tests, retention_goes_on_and_what_it_frees_is_used, 0, 2);
	tcase_add_loop_test(tests, it_goes_on_when_there_is_room_again, 0, 2);
	tcase_add_test(tests, one_who_starts_on_a_full_disk_takes_no_events);
	tcase_add_test(tests, without_a_reserve_there_is_no_file);
	return suite_run("store_reserve", tests);
}
