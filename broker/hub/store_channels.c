/* store_channels: names of channels to their rows, and what those with rules of
 * their own have. See store_writer.h. */
#include "broker/hub/store_writer.h"

#include <assert.h>
#include <stdlib.h>

#include "protocol/cursor_id.h"

enum {
	CHANNELS_CACHED_MAX = 65536,
};

/* --- the cache --- */

void
store_forget_channels(struct store_writer *writer)
{
	struct store_channel *channel = NULL, *next = NULL;

	HASH_ITER (hh, writer->channels, channel, next) {
		HASH_DEL(writer->channels, channel);
		free(channel);
	}
	writer->cached = 0;
	writer->dirty = NULL;
}

static struct store_channel *
cache_channel(struct store_writer *writer, struct slice name)
{
	struct store_channel *channel;

	if (writer->cached >= CHANNELS_CACHED_MAX) {
		if (store_write_channels(writer) == -1)
			return NULL;
		store_forget_channels(writer);
	}
	channel = calloc(1, sizeof(*channel) + name.len);
	if (channel == NULL)
		return NULL;
	channel->due_ms = RETENTION_NEVER;
	channel->ruled = retention_find(&channel->rules, writer->config, name);
	memcpy(channel->name, name.bytes, name.len);
	HASH_ADD(hh, writer->channels, name, name.len, channel);
	writer->cached++;
	return channel;
}

/* --- rows --- */

static int
make_channel(struct store_writer *writer, struct slice name, int64_t *id)
{
	sqlite3_stmt *make = writer->statements[CHANNEL_MAKE];

	/* One that was forgotten may come back: it lost what the floor says. */
	store_bind_text(make, 1, name);
	store_bind(make, 2, writer->totals.floor);
	if (store_do(writer, CHANNEL_MAKE) == -1)
		return -1;
	*id = sqlite3_last_insert_rowid(writer->db);
	writer->totals.channels++;
	return 0;
}

static void
read_channel(struct store_channel *channel, sqlite3_stmt *row)
{
	int64_t due = sqlite3_column_int64(row, 3);

	channel->id = sqlite3_column_int64(row, 0);
	channel->events = store_number(row, 1);
	channel->bytes = store_number(row, 2);
	channel->due_ms = due < 0 ? RETENTION_NEVER : (uint64_t)due;
}

/* Fills in a channel that was not in the cache. 0 or -1. */
static int
load_channel(struct store_writer *writer, struct store_channel *channel,
    struct slice name)
{
	sqlite3_stmt *find = writer->statements[CHANNEL_FIND];
	int result;

	store_bind_text(find, 1, name);
	result = sqlite3_step(find);
	if (result == SQLITE_ROW)
		read_channel(channel, find);
	sqlite3_reset(find);
	if (result == SQLITE_DONE)
		return make_channel(writer, name, &channel->id);
	return result == SQLITE_ROW ? 0 : -1;
}

struct store_channel *
store_find_channel(struct store_writer *writer, struct slice name)
{
	struct store_channel *channel;

	HASH_FIND(hh, writer->channels, name.bytes, name.len, channel);
	if (channel != NULL)
		return channel;
	channel = cache_channel(writer, name);
	/* When it fails, a rollback empties the cache. */
	if (channel == NULL || load_channel(writer, channel, name) == -1)
		return NULL;
	return channel;
}

static int
write_channel(struct store_writer *writer, const struct store_channel *channel)
{
	sqlite3_stmt *write = writer->statements[KEPT_WRITE];
	int result = SQLITE_OK;

	store_bind(write, 1, (uint64_t)channel->id);
	store_bind(write, 2, channel->events);
	store_bind(write, 3, channel->bytes);
	store_bind(write, 4, channel->rules.exempt);
	if (channel->due_ms == RETENTION_NEVER)
		result = sqlite3_bind_null(write, 5);
	else
		store_bind(write, 5, channel->due_ms);
	assert(result == SQLITE_OK);
	if (channel->due_ms < writer->due_ms)
		writer->due_ms = channel->due_ms;
	return store_do(writer, KEPT_WRITE);
}

int
store_write_channels(struct store_writer *writer)
{
	while (writer->dirty != NULL) {
		struct store_channel *channel = writer->dirty;

		if (write_channel(writer, channel) == -1)
			return -1;
		channel->dirty = false;
		writer->dirty = channel->next_dirty;
	}
	return 0;
}

void
store_channel_soil(struct store_writer *writer, struct store_channel *channel)
{
	if (channel->dirty)
		return;
	channel->dirty = true;
	channel->next_dirty = writer->dirty;
	writer->dirty = channel;
}

/* --- events --- */

void
store_channel_let_go(struct store_writer *writer, struct store_channel *channel,
    uint64_t events, uint64_t bytes)
{
	struct store_totals *totals = &writer->totals;

	/* Whatever a row may say, nothing has less than nothing. */
	channel->events -= events < channel->events ? events : channel->events;
	channel->bytes -= bytes < channel->bytes ? bytes : channel->bytes;
	totals->events -= events;
	totals->bytes -= bytes;
	if (channel->rules.exempt) {
		totals->exempt_events -= events;
		totals->exempt_bytes -= bytes;
	}
	store_channel_soil(writer, channel);
}

/* The key under which an event is the latest: a resync is none of the events
 * without one. */
static void
bind_key(sqlite3_stmt *statement, const struct event *event)
{
	int result = event->kind == EVENT_RESYNC
			 ? sqlite3_bind_zeroblob(statement, 2, 0)
			 : sqlite3_bind_text(statement, 2,
			       event->key.len > 0 ? event->key.bytes : "",
			       (int)event->key.len, SQLITE_STATIC);

	assert(result == SQLITE_OK);
}

/* Lets the event take the place of the one before with the same key. 0 or
 * -1. */
static int
supersede(struct store_writer *writer, struct store_channel *channel,
    const struct event *event)
{
	sqlite3_stmt *find = writer->statements[LATEST_FIND];
	sqlite3_stmt *set = writer->statements[LATEST_SET];
	uint64_t earlier = 0, bytes = 0;
	int result;

	store_bind(find, 1, (uint64_t)channel->id);
	bind_key(find, event);
	result = sqlite3_step(find);
	if (result == SQLITE_ROW) {
		earlier = store_number(find, 0);
		bytes = store_number(find, 1) + channel->hh.keylen;
	}
	sqlite3_reset(find);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		return -1;
	if (earlier != 0) {
		store_bind(writer->statements[EVENT_DROP], 1, earlier);
		if (store_do(writer, EVENT_DROP) == -1)
			return -1;
		store_channel_let_go(writer, channel, 1, bytes);
	}
	store_bind(set, 1, (uint64_t)channel->id);
	bind_key(set, event);
	store_bind(set, 3, event->cursor);
	return store_do(writer, LATEST_SET);
}

int
store_channel_take(struct store_writer *writer, struct store_channel *channel,
    const struct event *event, uint64_t bytes)
{
	struct store_totals *totals = &writer->totals;
	uint64_t due_ms;

	if (channel->rules.keep == CONFIG_KEEP_LATEST &&
	    supersede(writer, channel, event) == -1)
		return -1;
	channel->events++;
	channel->bytes += bytes;
	if (channel->rules.exempt) {
		totals->exempt_events++;
		totals->exempt_bytes += bytes;
	}
	/* Not the oldest, but then the row says something earlier. */
	due_ms = retention_due(&channel->rules, cursor_id_ms(event->cursor),
	    channel->events, channel->bytes);
	if (due_ms < channel->due_ms)
		channel->due_ms = due_ms;
	store_channel_soil(writer, channel);
	return 0;
}
