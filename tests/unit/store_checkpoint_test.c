/* Tests of store_checkpoint: how long the write-ahead log becomes. */
#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "broker/hub/store_write.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/suite.h"

enum {
	EVENTS = 1500,
	TEXT_BYTES = 100000, /* 150 MB together */
	LOG_BYTES_MAX = 96 << 20,
};

static struct store_folder store;

/* Two who read by turns: one begins anew only while the other reads. */
static struct reader {
	pthread_t thread;
	sqlite3 *db;
	sem_t turn;
} readers[2];
static bool readers_run;
static atomic_bool over;

static char text[TEXT_BYTES + 1];

static void
do_as(struct reader *reader, const char *what)
{
	ck_assert_int_eq(
	    sqlite3_exec(reader->db, what, NULL, NULL, NULL), SQLITE_OK);
}

static void *
read_by_turns(void *context)
{
	struct reader *reader = context;
	struct reader *other = &readers[reader == &readers[0]];

	while (sem_wait(&reader->turn) == 0 && !over) {
		if (!sqlite3_get_autocommit(reader->db))
			do_as(reader, "COMMIT");
		do_as(reader, "BEGIN; SELECT events FROM state");
		ck_assert_int_eq(sem_post(&other->turn), 0);
	}
	ck_assert_int_eq(sem_post(&other->turn), 0);
	return NULL;
}

static void
start_readers(void)
{
	readers_run = true;
	for (int i = 0; i < 2; i++) {
		struct reader *reader = &readers[i];

		ck_assert_int_eq(
		    sqlite3_open(store.path, &reader->db), SQLITE_OK);
		ck_assert_int_eq(sem_init(&reader->turn, 0, i == 0), 0);
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&readers[i].thread, NULL,
				     read_by_turns, &readers[i]),
		    0);
}

static void
end_readers(void)
{
	over = true;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(readers[i].thread, NULL), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(sqlite3_close(readers[i].db), SQLITE_OK);
		ck_assert_int_eq(sem_destroy(&readers[i].turn), 0);
	}
}

static void
set_up(void)
{
	store_folder_make(&store);
	memset(text, 'x', TEXT_BYTES);
}

static void
tear_down(void)
{
	if (readers_run)
		end_readers();
	store_folder_remove(&store);
}

static off_t
log_bytes(void)
{
	char path[STORE_PATH_SIZE + 4];
	struct stat status;

	snprintf(path, sizeof(path), "%s-wal", store.path);
	ck_assert_int_eq(stat(path, &status), 0);
	return status.st_size;
}

START_TEST(the_log_begins_anew_though_there_is_always_somebody_who_reads)
{
	start_readers();
	if (_i == 1)
		store_start_mover(store.writer, store.path, "OFF");
	for (uint64_t i = 1; i <= EVENTS; i++) {
		store_put_alone(&store, i, "c", text);
		store_checkpoint(store.writer);
		ck_assert_int_lt(log_bytes(), LOG_BYTES_MAX);
	}
	ck_assert_uint_eq(
	    store_query(&store, "SELECT count(*) FROM event"), EVENTS);
}
END_TEST

/* A disk on which a thread that is not the first has to wait. */
static pthread_t first;
static sem_t waits, may_go_on;

static ssize_t
write_when_allowed(int fd, const void *bytes, size_t count, off_t offset)
{
	static atomic_bool waited;

	if (!pthread_equal(pthread_self(), first) && !waited) {
		waited = true;
		ck_assert_int_eq(sem_post(&waits), 0);
		ck_assert_int_eq(sem_wait(&may_go_on), 0);
	}
	return pwrite(fd, bytes, count, offset);
}

START_TEST(while_pages_are_moved_nobody_who_writes_waits)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	uint64_t i = 1;

	ck_assert_int_eq(sem_init(&waits, 0, 0), 0);
	ck_assert_int_eq(sem_init(&may_go_on, 0, 0), 0);
	first = pthread_self();
	vfs->xSetSystemCall(
	    vfs, "pwrite64", (sqlite3_syscall_ptr)write_when_allowed);
	vfs->xSetSystemCall(
	    vfs, "pwrite", (sqlite3_syscall_ptr)write_when_allowed);
	store_start_mover(store.writer, store.path, "OFF");
	for (; i <= 60; i++) {
		store_put_alone(&store, i, "c", text);
		ck_assert_int_eq(store_checkpoint(store.writer), 0);
	}
	ck_assert_int_eq(sem_wait(&waits), 0);
	for (; i <= 80; i++) {
		store_put_alone(&store, i, "c", text);
		ck_assert_int_eq(store_checkpoint(store.writer), 0);
	}
	ck_assert_int_eq(sem_post(&may_go_on), 0);
	store_folder_reopen(&store); /* it has ended its work then */
	ck_assert_uint_eq(
	    store_query(&store, "SELECT count(*) FROM event"), 80);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("store_checkpoint");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests,
	    the_log_begins_anew_though_there_is_always_somebody_who_reads, 0,
	    2);
	tcase_add_test(tests, while_pages_are_moved_nobody_who_writes_waits);
	return suite_run("store_checkpoint", tests);
}
