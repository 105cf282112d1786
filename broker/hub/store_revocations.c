/*
 * store_revocations: the rows that say what was withdrawn from whom. See
 * store_revocations.h.
 */
#include "broker/hub/store_revocations.h"

#include <stdbool.h>

#include "broker/hub/store_writer.h"
#include "broker/shared/store.h"

/* The user's rows within a pattern. */
struct within {
	uint64_t rows;
	uint64_t revoke; /* those of them that do not restore */
	uint64_t newest_ms;
};

/* One number that a statement with its values bound gives; 0 for no row. 0 or
 * -1 (not logged). */
static int
ask_number(
    struct store_writer *writer, enum store_statement which, uint64_t *number)
{
	sqlite3_stmt *statement = writer->statements[which];
	int result = sqlite3_step(statement);

	*number = result == SQLITE_ROW ? store_number(statement, 0) : 0;
	sqlite3_reset(statement);
	return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -1;
}

int
store_count_revocations(struct store_writer *writer, uint64_t *newest)
{
	if (ask_number(writer, REVOCATION_NEWEST, newest) == -1 ||
	    ask_number(writer, REVOCATION_COUNT, &writer->revocations) == -1)
		return store_failed(writer, "count revocations");
	return 0;
}

uint64_t
store_revocations(const struct store_writer *writer)
{
	return writer->revocations;
}

/* Binds what WITHIN of store_texts.c asks for. */
static void
bind_within(sqlite3_stmt *statement, const struct store_revocation *revocation)
{
	struct slice prefix = revocation->pattern;
	bool wide = prefix.bytes[prefix.len - 1] == '*';

	prefix.len -= wide;
	store_bind_text(statement, 1, revocation->user);
	store_bind_text(statement, 2, revocation->pattern);
	store_bind_text(statement, 3, prefix);
	store_bind(statement, 4, wide ? prefix.len + 1 : 0);
}

static int
look_within(struct store_writer *writer,
    const struct store_revocation *revocation, struct within *within)
{
	sqlite3_stmt *look = writer->statements[REVOCATION_WITHIN];
	int result;

	bind_within(look, revocation);
	result = sqlite3_step(look);
	*within = (struct within){store_number(look, 0), store_number(look, 1),
	    store_number(look, 2)};
	sqlite3_reset(look);
	return result == SQLITE_ROW ? 0 : -1;
}

static int
count_of_user(struct store_writer *writer, struct slice user, uint64_t *rows)
{
	store_bind_text(writer->statements[REVOCATION_OF_USER], 1, user);
	return ask_number(writer, REVOCATION_OF_USER, rows);
}

enum { REVOKES, RESTORES };

/* Puts a row in the place of those within its pattern. 0 or -1. */
static int
replace(struct store_writer *writer, const struct store_revocation *revocation,
    const struct within *within, unsigned restores)
{
	sqlite3_stmt *add = writer->statements[REVOCATION_ADD];
	/* A clock that was set back must not shorten what is withdrawn. */
	uint64_t at_ms = revocation->now_ms > within->newest_ms
			     ? revocation->now_ms
			     : within->newest_ms;

	bind_within(writer->statements[REVOCATION_DELETE], revocation);
	store_bind_text(add, 1, revocation->user);
	store_bind_text(add, 2, revocation->pattern);
	store_bind(add, 3, at_ms);
	store_bind(add, 4, restores);
	return store_do(writer, REVOCATION_DELETE) == -1 ||
		       store_do(writer, REVOCATION_ADD) == -1
		   ? -1
		   : 0;
}

/* Commits one more row in the place of those. 0 or -1. */
static int
commit(
    struct store_writer *writer, const struct within *within, uint64_t *number)
{
	sqlite3_int64 row = sqlite3_last_insert_rowid(writer->db);

	if (store_do(writer, WRITE_COMMIT) == -1)
		return -1;
	writer->revocations += 1 - within->rows;
	*number = (uint64_t)row;
	return 0;
}

static int
fail(struct store_writer *writer, const char *what)
{
	store_failed(writer, what);
	store_rollback(writer);
	return -1;
}

int
store_revoke(struct store_writer *writer,
    const struct store_revocation *revocation, uint64_t max, uint64_t *number)
{
	struct within within;
	uint64_t of_user;

	if (store_do(writer, WRITE_BEGIN) == -1)
		return store_failed(writer, "revoke");
	if (look_within(writer, revocation, &within) == -1 ||
	    count_of_user(writer, revocation->user, &of_user) == -1)
		return fail(writer, "revoke");
	if (writer->revocations - within.rows >= max ||
	    of_user - within.rows >= STORE_REVOCATIONS_PER_USER) {
		store_rollback(writer);
		return 0;
	}
	if (replace(writer, revocation, &within, REVOKES) == -1 ||
	    commit(writer, &within, number) == -1)
		return fail(writer, "revoke");
	return 1;
}

int64_t
store_restore(struct store_writer *writer,
    const struct store_revocation *revocation, uint64_t *number)
{
	struct within within;

	if (store_do(writer, WRITE_BEGIN) == -1)
		return store_failed(writer, "restore");
	if (look_within(writer, revocation, &within) == -1)
		return fail(writer, "restore");
	if (within.revoke == 0) {
		store_rollback(writer);
		return 0;
	}
	if (replace(writer, revocation, &within, RESTORES) == -1 ||
	    commit(writer, &within, number) == -1)
		return fail(writer, "restore");
	return (int64_t)within.revoke;
}

int
store_forget_revocations(
    struct store_writer *writer, uint64_t before_ms, int rows)
{
	sqlite3_stmt *forget = writer->statements[REVOCATION_FORGET];
	uint64_t any;

	store_bind(writer->statements[REVOCATION_OLD], 1, before_ms);
	if (ask_number(writer, REVOCATION_OLD, &any) == -1)
		return store_failed(writer, "forget revocations");
	if (any == 0)
		return 0;
	store_bind(forget, 1, before_ms);
	store_bind(forget, 2, (uint64_t)rows);
	/* One statement: SQLite makes it a transaction. */
	if (store_do(writer, REVOCATION_FORGET) == -1)
		return store_failed(writer, "forget revocations");
	writer->revocations -= (uint64_t)sqlite3_changes(writer->db);
	return 0;
}
