/* store_reader: opening the store for reading, and what is said to SQLite. See
 * store_reader.h. */
#include "broker/worker/cursor/store_reader.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/shared/log.h"
#include "broker/shared/store.h"

#define EVENT_COLUMNS "e.cursor, c.name, e.kind, e.type, e.key, e.data"
#define EVENT_NAMES "e.cursor, c.name, e.kind, e.type, e.key, NULL"
#define EVENT_TABLES "event e JOIN channel c ON c.id = e.channel"
#define LATEST_TABLES \
	"latest l JOIN event e ON e.cursor = l.cursor" \
	" JOIN channel c ON c.id = e.channel"

static const char *const texts[STATEMENTS] = {
    [READ_BEGIN] = "BEGIN",
    [READ_END] = "COMMIT",
    [READ_STATE] = "SELECT max_horizon, losses, floor FROM state",
    [READ_BIRTH] = "SELECT cursor FROM birth",
    [CHANNEL_EXACT] = "SELECT id FROM channel WHERE name = ?",
    [CHANNEL_RANGE] = "SELECT id FROM channel WHERE name >= ? AND name < ?"
		      " LIMIT ?",
    [CHANNEL_LOST] = "SELECT name FROM channel"
		     " WHERE id = ?3 AND lost > ?1 AND horizon > ?2",
    [CHANNELS_LOST] = "SELECT name FROM channel WHERE lost > ? AND horizon > ?"
		      " ORDER BY horizon DESC LIMIT ?",
    [EVENT_NEXT] = "SELECT cursor FROM event WHERE channel = ? AND cursor > ?"
		   " ORDER BY cursor LIMIT 1",
    [EVENT_GET] =
	"SELECT " EVENT_COLUMNS " FROM " EVENT_TABLES " WHERE e.cursor = ?",
    [EVENT_SCAN] = "SELECT " EVENT_COLUMNS " FROM " EVENT_TABLES
		   " WHERE e.cursor > ? AND e.cursor <= ?"
		   " ORDER BY e.cursor LIMIT ?",
    [EVENT_GET_NAMES] =
	"SELECT " EVENT_NAMES " FROM " EVENT_TABLES " WHERE e.cursor = ?",
    [EVENT_SCAN_NAMES] = "SELECT " EVENT_NAMES " FROM " EVENT_TABLES
			 " WHERE e.cursor > ? AND e.cursor <= ?"
			 " ORDER BY e.cursor LIMIT ?",
    [LATEST_ANY] = "SELECT 1 FROM latest WHERE channel = ? LIMIT 1",
    [LATEST_SCAN] = "SELECT " EVENT_COLUMNS " FROM " LATEST_TABLES
		    " WHERE l.cursor > ? AND l.cursor <= ?"
		    " ORDER BY l.cursor LIMIT ?",
    [REVOCATIONS_NEXT] = "SELECT number, user, pattern, at_ms, restores"
			 " FROM revocation WHERE number > ?"
			 " ORDER BY number LIMIT ?",
};

int
store_reader_failed(struct store_reader *reader, const char *what)
{
	log_warn("store: %s: %s", what, sqlite3_errmsg(reader->db));
	return -1;
}

struct store_reader *
store_reader_open(const char *path)
{
	struct store_reader *reader = calloc(1, sizeof(*reader));
	char *error;

	if (reader == NULL)
		return NULL;
	reader->db = store_open_reader(path, &error);
	if (reader->db == NULL) {
		log_warn("store: %s", error != NULL ? error : "no memory");
		sqlite3_free(error);
		free(reader);
		return NULL;
	}
	if (store_prepare(reader->db, reader->statements, texts, STATEMENTS) ==
	    -1) {
		store_reader_failed(reader, "open");
		store_reader_close(reader);
		return NULL;
	}
	return reader;
}

void
store_reader_close(struct store_reader *reader)
{
	int result;

	if (reader == NULL)
		return;
	store_finalize(reader->statements, STATEMENTS);
	result = sqlite3_close(reader->db);
	assert(result == SQLITE_OK); /* every statement is finalized */
	free(reader);
}

void
store_reader_bind(sqlite3_stmt *statement, int index, uint64_t number)
{
	/* Whatever a client claims, no cursor is above 2^63. */
	int64_t bounded = number > INT64_MAX ? INT64_MAX : (int64_t)number;
	int result = sqlite3_bind_int64(statement, index, bounded);

	assert(result == SQLITE_OK);
}

uint64_t
store_reader_number(sqlite3_stmt *statement, int column)
{
	int64_t number = sqlite3_column_int64(statement, column);

	return number > 0 ? (uint64_t)number : 0;
}

struct slice
store_reader_slice(sqlite3_stmt *statement, int column)
{
	const void *bytes = sqlite3_column_blob(statement, column);

	return slice_of(bytes, (size_t)sqlite3_column_bytes(statement, column));
}
