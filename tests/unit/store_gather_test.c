/* Tests of store_gather: the log's bytes are the same, in fewer writes. */
#include "broker/hub/store_gather.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { ROUNDS = 60, ROWS = 100 };

static char folder[32];
static char path[64];
static sqlite3 *writer;
static uint64_t state;

static sqlite3 *
open_as(const char *file, const char *vfs)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open_v2(file, &db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs),
	    SQLITE_OK);
	return db;
}

static int
try_sql(const char *text)
{
	return sqlite3_exec(writer, text, NULL, NULL, NULL);
}

static void
sql(const char *text)
{
	ck_assert_msg(
	    try_sql(text) == SQLITE_OK, "%s: %s", text, sqlite3_errmsg(writer));
}

static void
set_up(void)
{
	memcpy(folder, "/tmp/ssemux-unit-XXXXXX",
	    sizeof("/tmp/ssemux-unit-XXXXXX"));
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
	writer = open_as(path, store_gather());
	/* A cache so small that pages are written before the end. */
	sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
	    "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 20;"
	    "CREATE TABLE t (x INTEGER PRIMARY KEY, b BLOB);"
	    "CREATE INDEX by_length ON t (length(b))");
	state = 31415926;
}

static void
tear_down(void)
{
	static const char *const files[] = {
	    "db", "db-wal", "db-shm", "copy", "copy-wal", "copy-shm"};

	ck_assert_int_eq(sqlite3_close(writer), SQLITE_OK);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char file[64];

		snprintf(file, sizeof(file), "%s/%s", folder, files[i]);
		unlink(file);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

/* What is in the table, in one text. */
static void
describe(sqlite3 *db, char text[128])
{
	sqlite3_stmt *statement;

	ck_assert_int_eq(
	    sqlite3_prepare_v2(db,
		"SELECT count(*) || ' ' || total(x) || ' ' ||"
		" total(length(b)) || ' ' || ifnull(hex(substr(max(b), 1, 8)),"
		" '') FROM t",
		-1, &statement, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	snprintf(text, 128, "%s", sqlite3_column_text(statement, 0));
	ck_assert_int_eq(sqlite3_finalize(statement), SQLITE_OK);
}

static void
assert_holds(const char *file, const char *expected)
{
	sqlite3 *db = open_as(file, NULL);
	sqlite3_stmt *check;
	char text[128];

	describe(db, text);
	ck_assert_str_eq(text, expected);
	ck_assert_int_eq(
	    sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(check), SQLITE_ROW);
	ck_assert_str_eq((const char *)sqlite3_column_text(check, 0), "ok");
	ck_assert_int_eq(sqlite3_finalize(check), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void
copy_file(const char *name, const char *to)
{
	char from[64], target[64], bytes[4096];
	FILE *in, *out;
	size_t got;

	snprintf(from, sizeof(from), "%s/%s", folder, name);
	snprintf(target, sizeof(target), "%s/%s", folder, to);
	in = fopen(from, "r");
	out = fopen(target, "w");
	ck_assert(in != NULL && out != NULL);
	while ((got = fread(bytes, 1, sizeof(bytes), in)) > 0)
		ck_assert_uint_eq(fwrite(bytes, 1, got, out), got);
	ck_assert_int_eq(fclose(in), 0);
	ck_assert_int_eq(fclose(out), 0);
}

/* As it would be found, had the process been killed now. */
static void
assert_found_after_a_kill(const char *expected)
{
	char file[64];

	snprintf(file, sizeof(file), "%s/copy-shm", folder);
	unlink(file);
	copy_file("db", "copy");
	copy_file("db-wal", "copy-wal");
	snprintf(file, sizeof(file), "%s/copy", folder);
	assert_holds(file, expected);
}

static void
change_some(void)
{
	char text[160];

	switch (sample_below(&state, 4)) {
	case 0:
		sql("DELETE FROM t WHERE x % 7 = 3");
		break;
	case 1:
		sql("UPDATE t SET b = randomblob(300) WHERE x % 5 = 2");
		break;
	default:
		snprintf(text, sizeof(text),
		    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
		    " SELECT i + 1 FROM n WHERE i < %zu)"
		    "INSERT INTO t (b) SELECT randomblob(%zu) FROM n",
		    sample_below(&state, ROWS) + 1, sample_below(&state, 3000));
		sql(text);
	}
}

START_TEST(whatever_is_committed_is_there_for_others_and_after_a_kill)
{
	char before[128], text[128];

	for (int round = 0; round < ROUNDS; round++) {
		size_t changes = sample_below(&state, 4) + 1;

		describe(writer, before);
		sql("BEGIN IMMEDIATE");
		while (changes-- > 0)
			change_some();
		/* Nothing of it may be seen yet, whatever is written. */
		if (round % 10 == 0)
			assert_found_after_a_kill(before);
		if (sample_below(&state, 5) == 0) {
			sql("ROLLBACK");
		} else {
			sql("COMMIT");
			describe(writer, before);
		}
		describe(writer, text);
		ck_assert_str_eq(text, before);
		if (round % 10 == 5)
			assert_found_after_a_kill(before);
		if (round % 10 == 7)
			assert_holds(path, before);
		if (sample_below(&state, 20) == 0)
			sql("PRAGMA wal_checkpoint(PASSIVE)");
		if (sample_below(&state, 40) == 0)
			sql("PRAGMA wal_checkpoint(TRUNCATE);"
			    "DELETE FROM t WHERE x % 4 != 0");
	}
}
END_TEST

START_TEST(what_cannot_be_written_is_not_committed)
{
	struct rlimit limit, small;
	char before[128], text[128];

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	sql("INSERT INTO t (b) VALUES (randomblob(300))");
	for (rlim_t bytes = 20000; bytes < 400000; bytes += 30011) {
		describe(writer, before);
		small = (struct rlimit){bytes, limit.rlim_max};
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
		sql("BEGIN IMMEDIATE");
		(void)try_sql("INSERT INTO t (b) VALUES (zeroblob(500000))");
		ck_assert_int_ne(try_sql("COMMIT"), SQLITE_OK);
		(void)try_sql("ROLLBACK");
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
		describe(writer, text);
		ck_assert_str_eq(text, before);
		assert_found_after_a_kill(before);
		sql("INSERT INTO t (b) VALUES (randomblob(300))");
		describe(writer, text);
		ck_assert_str_ne(text, before);
		assert_holds(path, text);
	}
}
END_TEST

/* Calls of this process that write. Asserting would be some more. */
static unsigned long
writes(void)
{
	FILE *file = fopen("/proc/self/io", "r");
	unsigned long calls = 0;
	char line[64];

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "syscw: ", 7) == 0)
			calls = strtoul(line + 7, NULL, 10);
	}
	fclose(file);
	return calls;
}

START_TEST(a_transaction_of_some_pages_is_one_write)
{
	static const char insert[] = "INSERT INTO t (b) VALUES (x'0123')";
	unsigned long before, after;
	int failed = 0;

	sql(insert);
	before = writes();
	for (int i = 0; i < 10; i++)
		failed |= try_sql(insert);
	after = writes();
	ck_assert_int_eq(failed, SQLITE_OK);
	ck_assert_uint_eq(after - before, 10);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("store_gather");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(
	    tests, whatever_is_committed_is_there_for_others_and_after_a_kill);
	tcase_add_test(tests, what_cannot_be_written_is_not_committed);
	tcase_add_test(tests, a_transaction_of_some_pages_is_one_write);
	return suite_run("store_gather", tests);
}
