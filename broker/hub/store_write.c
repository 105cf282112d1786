/*
 * store_write: opening the writer, and batches of events. See store_write.h.
 */
#include "broker/hub/store_write.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/hub/store_gather.h"
#include "broker/hub/store_mover.h"
#include "broker/hub/store_writer.h"
#include "broker/shared/config.h"
#include "broker/shared/log.h"
#include "broker/shared/store.h"

int
store_failed(struct store_writer *writer, const char *what)
{
	log_warn("store: %s: %s", what, sqlite3_errmsg(writer->db));
	if (sqlite3_errcode(writer->db) == SQLITE_FULL)
		store_reserve_give_up(&writer->reserve);
	return -1;
}

int
store_do(struct store_writer *writer, enum store_statement which)
{
	sqlite3_stmt *statement = writer->statements[which];
	int result = sqlite3_step(statement);

	sqlite3_reset(statement);
	return result == SQLITE_DONE ? 0 : -1;
}

void
store_bind(sqlite3_stmt *statement, int index, uint64_t number)
{
	int result;

	assert(number <= INT64_MAX);
	result = sqlite3_bind_int64(statement, index, (int64_t)number);
	assert(result == SQLITE_OK); /* the index is ours */
}

void
store_bind_text(sqlite3_stmt *statement, int index, struct slice text)
{
	int result = text.len == 0
			 ? sqlite3_bind_null(statement, index)
			 : sqlite3_bind_text(statement, index, text.bytes,
			       (int)text.len, SQLITE_STATIC);

	assert(result == SQLITE_OK);
}

uint64_t
store_number(sqlite3_stmt *statement, int column)
{
	int64_t number = sqlite3_column_int64(statement, column);

	return number > 0 ? (uint64_t)number : 0;
}

struct slice
store_slice(sqlite3_stmt *statement, int column)
{
	const void *bytes = sqlite3_column_blob(statement, column);

	return slice_of(bytes, (size_t)sqlite3_column_bytes(statement, column));
}

static int
take_totals(void *context, int columns, char **values, char **names)
{
	struct store_totals *totals = context;
	uint64_t *const members[] = {&totals->last_cursor, &totals->events,
	    &totals->bytes, &totals->channels, &totals->losses,
	    &totals->max_horizon, &totals->floor, &totals->birth};

	(void)names;
	for (int i = 0; i < columns && i < 8; i++)
		*members[i] = strtoull(values[i], NULL, 10);
	return 0;
}

static int
on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
	struct store_writer *writer = context;

	(void)db;
	(void)name;
	writer->wal_pages = pages;
	return SQLITE_OK;
}

struct store_writer *
store_writer_open(const char *path, const char *synchronous)
{
	struct store_writer *writer = calloc(1, sizeof(*writer));
	char *error;

	if (writer == NULL)
		return NULL;
	writer->db =
	    store_open_writer(path, synchronous, store_gather(), &error);
	if (writer->db == NULL) {
		log_warn("store: %s", error != NULL ? error : "no memory");
		sqlite3_free(error);
		free(writer);
		return NULL;
	}
	sqlite3_wal_hook(writer->db, on_commit, writer);
	if (store_prepare(writer->db, writer->statements, store_writer_texts,
		STORE_STATEMENTS) == -1 ||
	    sqlite3_exec(writer->db,
		"SELECT last_cursor, events, bytes,"
		" channels, losses, max_horizon, floor, birth.cursor"
		" FROM state JOIN birth",
		take_totals, &writer->committed, NULL) != SQLITE_OK) {
		store_failed(writer, "open");
		store_writer_close(writer);
		return NULL;
	}
	writer->totals = writer->committed;
	writer->shared_horizon = writer->committed.max_horizon;
	return writer;
}

void
store_start_mover(
    struct store_writer *writer, const char *path, const char *synchronous)
{
	writer->mover = store_mover_start(path, synchronous);
}

void
store_writer_close(struct store_writer *writer)
{
	int result;

	if (writer == NULL)
		return;
	store_mover_stop(writer->mover);
	store_reserve_close(&writer->reserve);
	store_forget_channels(writer);
	store_finalize(writer->statements, STORE_STATEMENTS);
	result = sqlite3_close(writer->db);
	assert(result == SQLITE_OK); /* every statement is finalized */
	free(writer);
}

const struct store_totals *
store_writer_totals(const struct store_writer *writer)
{
	return &writer->committed;
}

int
store_begin(struct store_writer *writer)
{
	writer->totals = writer->committed;
	writer->run.count = 0;
	writer->added = 0;
	if (!store_has_room(writer))
		return -1;
	if (store_do(writer, WRITE_BEGIN) == -1)
		return store_failed(writer, "begin");
	return 0;
}

void
store_rollback(struct store_writer *writer)
{
	if (!sqlite3_get_autocommit(writer->db) &&
	    store_do(writer, WRITE_ROLLBACK) == -1)
		store_failed(writer, "rollback");
	writer->totals = writer->committed;
	/* Channels made in the batch are gone again, and what is due may have
	 * been read behind changes that are gone, too. */
	store_forget_channels(writer);
	writer->due_ms = 0;
}

int
store_close_run(struct store_writer *writer)
{
	struct store_run *run = &writer->run;
	sqlite3_stmt *add = writer->statements[RUN_ADD];

	if (run->count == 0)
		return 0;
	store_bind(add, 1, (uint64_t)run->publisher);
	store_bind(add, 2, run->first_seq);
	store_bind(add, 3, run->count);
	store_bind(add, 4, run->first_cursor);
	if (store_do(writer, RUN_ADD) == -1 ||
	    (run->sweep && store_forget_old_runs(writer, run->publisher) == -1))
		return -1;
	run->count = 0;
	return 0;
}

static int
extend_run(struct store_writer *writer, const struct store_item *item)
{
	struct store_run *run = &writer->run;

	if (run->count == 0 || run->publisher != item->publisher->id ||
	    run->first_seq + run->count != item->seq ||
	    run->first_cursor + run->count != item->record->cursor) {
		if (store_close_run(writer) == -1)
			return -1;
		*run = (struct store_run){.publisher = item->publisher->id,
		    .first_seq = item->seq,
		    .first_cursor = item->record->cursor};
	}
	run->count++;
	if (++item->publisher->unswept >= STORE_SWEEP_EVENTS) {
		item->publisher->unswept = 0;
		run->sweep = true;
	}
	return 0;
}

static int
insert_event(
    struct store_writer *writer, const struct event *event, int64_t channel)
{
	sqlite3_stmt *insert = writer->statements[WRITE_EVENT];
	/* An empty blob, where a NULL pointer would bind NULL. */
	const char *data = event->data.len > 0 ? event->data.bytes : "";
	int result;

	store_bind(insert, 1, event->cursor);
	store_bind(insert, 2, (uint64_t)channel);
	store_bind(insert, 3, event->kind);
	store_bind_text(insert, 4, event->type);
	store_bind_text(insert, 5, event->key);
	result = sqlite3_bind_blob(
	    insert, 6, data, (int)event->data.len, SQLITE_STATIC);
	assert(result == SQLITE_OK);
	return store_do(writer, WRITE_EVENT);
}

int
store_add(struct store_writer *writer, const struct store_item *item)
{
	struct event event = record_event(item->record);
	struct store_channel *channel;
	uint64_t bytes =
	    event.channel.len + event.type.len + event.key.len + event.data.len;

	assert(event.cursor > writer->totals.last_cursor);
	assert(item->publisher->id != 0);
	channel = store_find_channel(writer, event.channel);
	if (channel == NULL ||
	    insert_event(writer, &event, channel->id) == -1 ||
	    (channel->ruled &&
		store_channel_take(writer, channel, &event, bytes) == -1) ||
	    extend_run(writer, item) == -1)
		return store_failed(writer, "add");
	writer->totals.last_cursor = event.cursor;
	writer->totals.events++;
	writer->added++;
	writer->totals.bytes += bytes;
	return 0;
}

int
store_write_totals(struct store_writer *writer)
{
	const struct store_totals *totals = &writer->totals;
	sqlite3_stmt *state = writer->statements[WRITE_STATE];

	store_bind(state, 1, totals->last_cursor);
	store_bind(state, 2, totals->events);
	store_bind(state, 3, totals->bytes);
	store_bind(state, 4, totals->channels);
	store_bind(state, 5, totals->losses);
	store_bind(state, 6, totals->max_horizon);
	store_bind(state, 7, totals->floor);
	return store_do(writer, WRITE_STATE);
}

/* Keys of requests are forgotten with their events, and those of events that
 * their channel does not keep when as many as are kept have come since. */
static void
mark_events(struct store_writer *writer, uint64_t events)
{
	uint64_t apart;

	if (writer->config == NULL)
		return;
	apart = writer->config->history_max_events / STORE_MARKS + 1;
	writer->unmarked += events;
	if (writer->unmarked < apart)
		return;
	writer->unmarked = 0;
	if (writer->mark_count >= STORE_MARKS &&
	    writer->marks[writer->mark_count % STORE_MARKS] >
		writer->shared_horizon)
		writer->shared_horizon =
		    writer->marks[writer->mark_count % STORE_MARKS];
	writer->marks[writer->mark_count++ % STORE_MARKS] =
	    writer->totals.last_cursor;
}

int
store_commit(struct store_writer *writer)
{
	if (store_close_run(writer) == -1 ||
	    store_write_channels(writer) == -1 ||
	    store_write_totals(writer) == -1 ||
	    store_do(writer, WRITE_COMMIT) == -1)
		return store_failed(writer, "commit");
	writer->committed = writer->totals;
	mark_events(writer, writer->added);
	return 0;
}
