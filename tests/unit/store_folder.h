/*
 * store_folder: a store in a folder of its own, and events to put into it.
 */
#ifndef TESTS_UNIT_STORE_FOLDER_H
#define TESTS_UNIT_STORE_FOLDER_H

#include <check.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/hub/store_write.h"
#include "broker/shared/store.h"

struct store_folder {
	char folder[32];
	char path[STORE_PATH_SIZE];
	struct store_writer *writer;
	struct store_publisher publisher; /* of store_put() */
	uint64_t seq;                     /* of the last store_put() */
};

static inline void
store_folder_open(struct store_folder *folder)
{
	folder->writer = store_writer_open(folder->path, "OFF");
	ck_assert_ptr_nonnull(folder->writer);
}

static inline void
store_folder_make(struct store_folder *folder)
{
	*folder = (struct store_folder){.folder = "/tmp/ssemux-unit-XXXXXX"};
	ck_assert_ptr_nonnull(mkdtemp(folder->folder));
	ck_assert_int_eq(store_path(folder->path, folder->folder), 0);
	store_folder_open(folder);
}

/* As after a restart of the hub. */
static inline void
store_folder_reopen(struct store_folder *folder)
{
	store_writer_close(folder->writer);
	store_folder_open(folder);
}

static inline void
store_folder_remove(struct store_folder *folder)
{
	static const char *const ends[] = {"", "-wal", "-shm"};

	store_writer_close(folder->writer);
	folder->writer = NULL;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char path[STORE_PATH_SIZE + 8];

		snprintf(path, sizeof(path), "%s%s", folder->path, ends[i]);
		unlink(path);
	}
	rmdir(folder->folder);
}

/* One number of the database, as another program sees it. */
static inline uint64_t
store_query(const struct store_folder *folder, const char *format, ...)
{
	char text[512];
	sqlite3 *db;
	sqlite3_stmt *statement;
	uint64_t number;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ck_assert_int_eq(sqlite3_open(folder->path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	number = (uint64_t)sqlite3_column_int64(statement, 0);
	ck_assert_int_eq(sqlite3_finalize(statement), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	return number;
}

/* Adds an event to the open batch, as that publisher's. 0 or -1. */
static inline int
store_add_event(struct store_folder *folder, const struct event *event,
    struct store_publisher *publisher, uint64_t seq)
{
	void *block = malloc(record_size(event));
	int result;

	ck_assert_ptr_nonnull(block);
	result =
	    store_add(folder->writer, &(struct store_item){
					  .record = record_write(block, event),
					  .publisher = publisher,
					  .seq = seq,
				      });
	free(block);
	return result;
}

/* Adds an event with that text to the open batch, as the folder's own
 * publisher's next. */
static inline void
store_put(struct store_folder *folder, uint64_t cursor, const char *channel,
    const char *text)
{
	const struct event event = {
	    .cursor = cursor,
	    .channel = slice_of_text(channel),
	    .data = slice_of_text(text),
	};

	if (folder->publisher.id == 0)
		ck_assert_int_eq(
		    store_make_publisher(folder->writer,
			slice_of_text("folder"), &folder->publisher),
		    0);
	ck_assert_int_eq(
	    store_add_event(folder, &event, &folder->publisher, ++folder->seq),
	    0);
}

/* store_put() in a batch of its own. */
static inline void
store_put_alone(struct store_folder *folder, uint64_t cursor,
    const char *channel, const char *text)
{
	ck_assert_int_eq(store_begin(folder->writer), 0);
	store_put(folder, cursor, channel, text);
	ck_assert_int_eq(store_commit(folder->writer), 0);
}

#endif
