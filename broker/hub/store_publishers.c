/*
 * store_publishers: which publishers sent which numbers, so that a resend is
 * recognised; and reading the log back. See store_write.h.
 */
#include <assert.h>

#include "broker/hub/store_write.h"
#include "broker/hub/store_writer.h"
#include "protocol/cursor_id.h"
#include "protocol/message.h"

/* The newest number of a publisher and its cursor; 0 when there is none. 0 or
 * -1 (not logged). */
static int
find_newest(struct store_writer *writer, int64_t id, uint64_t *last_seq,
    uint64_t *cursor)
{
	sqlite3_stmt *newest = writer->statements[PUBLISHER_NEWEST];
	int result;

	*last_seq = *cursor = 0;
	store_bind(newest, 1, (uint64_t)id);
	result = sqlite3_step(newest);
	if (result == SQLITE_ROW) {
		*last_seq = store_number(newest, 0);
		*cursor = store_number(newest, 1);
	}
	sqlite3_reset(newest);
	return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -1;
}

/* How many events a publisher has sent since its old runs were forgotten, at a
 * guess: so that those come to it, too, that always connect anew. */
static uint64_t
any_count(uint64_t cursor)
{
	/* Fibonacci hashing; the upper bits are mixed best. */
	return (cursor * UINT64_C(0x9E3779B97F4A7C15) >> 32) %
	       STORE_SWEEP_EVENTS;
}

int
store_find_publisher(struct store_writer *writer, struct slice name,
    struct store_publisher *publisher)
{
	sqlite3_stmt *find = writer->statements[PUBLISHER_FIND];
	uint64_t cursor;
	int result;

	*publisher = (struct store_publisher){.id = 0};
	store_bind_text(find, 1, name);
	result = sqlite3_step(find);
	if (result == SQLITE_ROW)
		publisher->id = sqlite3_column_int64(find, 0);
	sqlite3_reset(find);
	if (result == SQLITE_DONE)
		return 0;
	if (result != SQLITE_ROW || find_newest(writer, publisher->id,
					&publisher->last_seq, &cursor) == -1)
		return store_failed(writer, "find a publisher");
	publisher->unswept = any_count(cursor);
	return 0;
}

int
store_make_publisher(struct store_writer *writer, struct slice name,
    struct store_publisher *publisher)
{
	assert(publisher->id == 0);
	store_bind_text(writer->statements[PUBLISHER_MAKE], 1, name);
	if (store_do(writer, PUBLISHER_MAKE) == -1)
		return store_failed(writer, "make a publisher");
	publisher->id = sqlite3_last_insert_rowid(writer->db);
	return 0;
}

/* The number of the oldest run that a resend can reach; 0: any. It reaches as
 * many events back as the window has, and numbers may have gaps. 0 or -1. */
static int
find_window(struct store_writer *writer, int64_t id, uint64_t *first_seq)
{
	sqlite3_stmt *each = writer->statements[RUN_EACH];
	uint64_t events = 0;
	int result;

	*first_seq = 0;
	store_bind(each, 1, (uint64_t)id);
	while ((result = sqlite3_step(each)) == SQLITE_ROW) {
		events += store_number(each, 1);
		if (events >= MESSAGE_WINDOW) {
			*first_seq = store_number(each, 0);
			break;
		}
	}
	sqlite3_reset(each);
	return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -1;
}

int
store_forget_old_runs(struct store_writer *writer, int64_t id)
{
	sqlite3_stmt *forget = writer->statements[RUN_FORGET];
	uint64_t first_seq;

	if (find_window(writer, id, &first_seq) == -1)
		return -1;
	store_bind(forget, 1, (uint64_t)id);
	store_bind(forget, 2, first_seq);
	return store_do(writer, RUN_FORGET);
}

/* Inside a transaction. 0 or -1 (not logged). */
static int
forget_publisher(struct store_writer *writer, int64_t id)
{
	store_bind(writer->statements[PUBLISHER_FORGET_RUNS], 1, (uint64_t)id);
	store_bind(writer->statements[PUBLISHER_FORGET], 1, (uint64_t)id);
	if (store_do(writer, PUBLISHER_FORGET_RUNS) == -1 ||
	    store_do(writer, PUBLISHER_FORGET) == -1)
		return -1;
	return 0;
}

int
store_forget_publisher(
    struct store_writer *writer, const struct store_publisher *publisher)
{
	if (store_close_run(writer) == -1 ||
	    forget_publisher(writer, publisher->id) == -1)
		return store_failed(writer, "forget a publisher");
	return 0;
}

/* The first publisher behind that id; 0 when there is none; and whether it is
 * one of a key. 0 or -1. */
static int
next_publisher(
    struct store_writer *writer, int64_t after, int64_t *id, bool *of_key)
{
	sqlite3_stmt *next = writer->statements[PUBLISHER_NEXT];
	int result;

	store_bind(next, 1, (uint64_t)after);
	result = sqlite3_step(next);
	*id = result == SQLITE_ROW ? sqlite3_column_int64(next, 0) : 0;
	*of_key = result == SQLITE_ROW && sqlite3_column_int(next, 1) != 0;
	sqlite3_reset(next);
	return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -1;
}

/* Who is to be forgotten. */
struct forgetting {
	uint64_t before_ms;
	bool (*keeps)(int64_t id, void *context);
	void *context;
};

/* One publisher: 1 it was forgotten, 0 it was not, -1 (not logged). There are
 * as many keys as there are events, and they go when their events do. */
static int
forget_if_old(struct store_writer *writer, int64_t id, bool of_key,
    const struct forgetting *forgetting)
{
	uint64_t last_seq, cursor;

	if (find_newest(writer, id, &last_seq, &cursor) == -1)
		return -1;
	if ((cursor_id_ms(cursor) >= forgetting->before_ms &&
		!(of_key && cursor <= writer->shared_horizon)) ||
	    forgetting->keeps(id, forgetting->context))
		return 0;
	return forget_publisher(writer, id) == -1 ? -1 : 1;
}

static int
forget_old(
    struct store_writer *writer, const struct forgetting *forgetting, int rows)
{
	int forgotten = 0;

	for (int i = 0; i < rows; i++) {
		int64_t id;
		bool of_key;
		int result;

		if (next_publisher(
			writer, writer->publisher_looked, &id, &of_key) == -1)
			return -1;
		writer->publisher_looked = id;
		if (id == 0)
			break;
		result = forget_if_old(writer, id, of_key, forgetting);
		if (result == -1)
			return -1;
		forgotten += result;
	}
	return forgotten;
}

int
store_forget_old_publishers(struct store_writer *writer, uint64_t before_ms,
    int rows, bool (*keeps)(int64_t id, void *context), void *context)
{
	const struct forgetting forgetting = {before_ms, keeps, context};
	int forgotten;

	if (store_do(writer, WRITE_BEGIN) == -1)
		return store_failed(writer, "forget publishers");
	forgotten = forget_old(writer, &forgetting, rows);
	if (forgotten == -1 || store_do(writer, WRITE_COMMIT) == -1) {
		store_failed(writer, "forget publishers");
		store_rollback(writer);
		return -1;
	}
	return forgotten;
}

int
store_find_cursor(struct store_writer *writer,
    const struct store_publisher *publisher, uint64_t seq, uint64_t *cursor)
{
	sqlite3_stmt *find = writer->statements[CURSOR_FIND];
	uint64_t first, count, first_cursor;
	int result;

	store_bind(find, 1, (uint64_t)publisher->id);
	store_bind(find, 2, seq);
	result = sqlite3_step(find);
	first = store_number(find, 0);
	count = store_number(find, 1);
	first_cursor = store_number(find, 2);
	sqlite3_reset(find);
	if (result == SQLITE_DONE)
		return 0;
	if (result != SQLITE_ROW)
		return store_failed(writer, "find a cursor");
	if (seq >= first + count)
		return 0;
	*cursor = first_cursor + (seq - first);
	return 1;
}

int
store_replay(struct store_writer *writer, uint64_t after,
    bool (*take)(const struct event *event, void *context), void *context)
{
	sqlite3_stmt *replay = writer->statements[EVENT_REPLAY];
	bool more = true;
	int result = SQLITE_DONE;

	store_bind(replay, 1, after);
	while (more && (result = sqlite3_step(replay)) == SQLITE_ROW) {
		struct event event = {
		    .cursor = store_number(replay, 0),
		    .channel = store_slice(replay, 1),
		    .kind = (enum event_kind)sqlite3_column_int(replay, 2),
		    .type = store_slice(replay, 3),
		    .key = store_slice(replay, 4),
		    .data = store_slice(replay, 5),
		};

		more = take(&event, context);
	}
	sqlite3_reset(replay);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		return store_failed(writer, "replay");
	return 0;
}

int
store_find_tail(struct store_writer *writer, uint64_t after, uint64_t bytes,
    uint64_t *cursor)
{
	sqlite3_stmt *sizes = writer->statements[EVENT_SIZES];
	uint64_t sum = 0;
	int result;

	*cursor = after;
	store_bind(sizes, 1, after);
	while ((result = sqlite3_step(sizes)) == SQLITE_ROW) {
		sum += store_number(sizes, 1) + RECORD_OVERHEAD_MAX;
		if (sum > bytes) {
			*cursor = store_number(sizes, 0);
			break;
		}
	}
	sqlite3_reset(sizes);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		return store_failed(writer, "find the tail");
	return 0;
}
