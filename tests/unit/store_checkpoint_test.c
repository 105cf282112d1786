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
	EVENTS = 1200,
	TEXT_BYTES = 100000, /* 120 MB together */
	LOG_BYTES_MAX = 64 << 20,
};

static struct store_folder store;

/* Two who read by turns: one begins anew only while the other reads. */
static struct reader {
	pthread_t thread;
	sqlite3 *db;
	sem_t turn;
} readers[2];
static atomic_bool over;

static void
do_as(struct reader *reader, const char *text)
{
	ck_assert_int_eq(
	    sqlite3_exec(reader->db, text, NULL, NULL, NULL), SQLITE_OK);
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
set_up(void)
{
	store_folder_make(&store);
	over = false;
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
tear_down(void)
{
	over = true;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(readers[i].thread, NULL), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(sqlite3_close(readers[i].db), SQLITE_OK);
		ck_assert_int_eq(sem_destroy(&readers[i].turn), 0);
	}
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
	char *text = malloc(TEXT_BYTES + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', TEXT_BYTES);
	text[TEXT_BYTES] = '\0';
	for (uint64_t i = 1; i <= EVENTS; i++) {
		store_put_alone(&store, i, "c", text);
		store_checkpoint(store.writer);
		ck_assert_int_lt(log_bytes(), LOG_BYTES_MAX);
	}
	free(text);
	ck_assert_uint_eq(
	    store_query(&store, "SELECT count(*) FROM event"), EVENTS);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("store_checkpoint");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests,
	    the_log_begins_anew_though_there_is_always_somebody_who_reads);
	return suite_run("store_checkpoint", tests);
}
