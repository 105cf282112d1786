/* store_keep: channels with rules of their own: what is past these, and what
 * becomes of the store when they change. See store_write.h. */
#include "broker/hub/store_writer.h"
#include "broker/shared/config.h"
#include "protocol/cursor_id.h"

/* --- what is due --- */

/* What a channel lets go of. */
struct going {
	uint64_t events;
	uint64_t bytes;
	uint64_t cursor;    /* the newest */
	uint64_t oldest_ms; /* of what stays; RETENTION_NEVER: not known */
};

static int
drop_latest(struct store_writer *writer, uint64_t cursor)
{
	store_bind(writer->statements[LATEST_DROP], 1, cursor);
	return store_do(writer, LATEST_DROP);
}

/* Finds the oldest events that are past the rules. 1 when more may be, 0, or
 * -1. */
static int
scan_channel(struct store_writer *writer, const struct store_channel *channel,
    uint64_t now_ms, int rows, struct going *going)
{
	sqlite3_stmt *scan = writer->statements[KEPT_SCAN];
	int result;

	store_bind(scan, 1, (uint64_t)channel->id);
	store_bind(scan, 2, (uint64_t)rows);
	while ((result = sqlite3_step(scan)) == SQLITE_ROW) {
		uint64_t cursor = store_number(scan, 0);

		if (!retention_over(&channel->rules, cursor_id_ms(cursor),
			now_ms, channel->events - going->events,
			channel->bytes - going->bytes)) {
			going->oldest_ms = cursor_id_ms(cursor);
			break;
		}
		going->events++;
		going->bytes += store_number(scan, 1) + channel->hh.keylen;
		going->cursor = cursor;
		if (channel->rules.keep == CONFIG_KEEP_LATEST &&
		    drop_latest(writer, cursor) == -1)
			break;
	}
	if (sqlite3_reset(scan) != SQLITE_OK ||
	    (result != SQLITE_ROW && result != SQLITE_DONE))
		return -1;
	return result == SQLITE_DONE && going->events == (uint64_t)rows;
}

static int
delete_going(struct store_writer *writer, struct store_channel *channel,
    const struct going *going)
{
	sqlite3_stmt *delete = writer->statements[KEPT_LET_GO];

	store_bind(delete, 1, (uint64_t)channel->id);
	store_bind(delete, 2, going->cursor);
	if (store_do(writer, KEPT_LET_GO) == -1 ||
	    store_note_loss(writer, channel->id, going->cursor) == -1)
		return -1;
	store_channel_let_go(writer, channel, going->events, going->bytes);
	return 0;
}

/* Lets go of what is past the rules of one channel. How many, or -1. */
static int
let_go_of(struct store_writer *writer, struct store_channel *channel,
    uint64_t now_ms, int rows)
{
	struct going going = {.oldest_ms = RETENTION_NEVER};
	int more = scan_channel(writer, channel, now_ms, rows, &going);

	if (more == -1 ||
	    (going.events > 0 && delete_going(writer, channel, &going) == -1))
		return -1;
	if (more == 1)
		channel->due_ms = 0;
	else if (going.oldest_ms == RETENTION_NEVER)
		channel->due_ms = RETENTION_NEVER;
	else
		channel->due_ms = retention_due(&channel->rules,
		    going.oldest_ms, channel->events, channel->bytes);
	store_channel_soil(writer, channel);
	return (int)going.events;
}

/* Steps to the channel that is first to be due; true when it is. */
static bool
step_to_due(struct store_writer *writer, uint64_t now_ms, int *result)
{
	sqlite3_stmt *due = writer->statements[KEPT_DUE];

	*result = sqlite3_step(due);
	if (*result == SQLITE_ROW)
		writer->due_ms = store_number(due, 1);
	else if (*result == SQLITE_DONE)
		writer->due_ms = RETENTION_NEVER;
	return *result == SQLITE_ROW && writer->due_ms <= now_ms;
}

/* The channel that is due first; *channel is NULL when none is. 0 or -1. */
static int
find_due(struct store_writer *writer, uint64_t now_ms,
    struct store_channel **channel)
{
	sqlite3_stmt *due = writer->statements[KEPT_DUE];
	bool is_due;
	int result;

	*channel = NULL;
	if (now_ms < writer->due_ms)
		return 0;
	is_due = step_to_due(writer, now_ms, &result);
	if (is_due)
		*channel = store_find_channel(writer, store_slice(due, 0));
	sqlite3_reset(due);
	if (is_due)
		return *channel != NULL ? 0 : -1;
	return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -1;
}

int
store_let_go_due(struct store_writer *writer, uint64_t now_ms, int rows)
{
	int let_go = 0;

	while (rows > 0) {
		struct store_channel *channel;
		int gone;

		if (find_due(writer, now_ms, &channel) == -1)
			return -1;
		if (channel == NULL)
			break;
		gone = let_go_of(writer, channel, now_ms, rows);
		/* It is found by its row, so that must be true. */
		if (gone == -1 || store_write_channels(writer) == -1)
			return -1;
		let_go += gone;
		rows -= gone + 1;
	}
	return let_go;
}

bool
store_is_due(struct store_writer *writer, uint64_t now_ms)
{
	bool is_due;
	int result;

	if (writer->config == NULL || writer->config->channel_count == 0 ||
	    now_ms < writer->due_ms)
		return false;
	is_due = step_to_due(writer, now_ms, &result);
	sqlite3_reset(writer->statements[KEPT_DUE]);
	return is_due;
}

/* --- other rules than the last time --- */

static int
do_for(struct store_writer *writer, enum store_statement which, int64_t channel)
{
	store_bind(writer->statements[which], 1, (uint64_t)channel);
	return store_do(writer, which);
}

/* What the channel has, in the table of events. 0 or -1. */
static int
count_events(struct store_writer *writer, struct store_channel *channel,
    uint64_t *oldest)
{
	sqlite3_stmt *count = writer->statements[KEPT_COUNT];
	int result;

	store_bind(count, 1, (uint64_t)channel->id);
	result = sqlite3_step(count);
	channel->events = store_number(count, 0);
	channel->bytes =
	    store_number(count, 1) + channel->events * channel->hh.keylen;
	*oldest = store_number(count, 2);
	sqlite3_reset(count);
	return result == SQLITE_ROW ? 0 : -1;
}

/* Of each key, only the latest stays. 0 or -1. */
static int
keep_latest(struct store_writer *writer, struct store_channel *channel)
{
	struct store_totals *totals = &writer->totals;
	uint64_t events, bytes, oldest;

	if (count_events(writer, channel, &oldest) == -1)
		return -1;
	events = channel->events;
	bytes = channel->bytes;
	if (do_for(writer, LATEST_MAKE, channel->id) == -1 ||
	    do_for(writer, EVENT_SUPERSEDE, channel->id) == -1 ||
	    count_events(writer, channel, &oldest) == -1)
		return -1;
	totals->events -= events - channel->events;
	totals->bytes -= bytes - channel->bytes;
	return 0;
}

/* Makes the row of a channel whose rules are new. 0 or -1. */
static int
begin_keeping(struct store_writer *writer, struct store_channel *channel)
{
	uint64_t oldest;

	if (channel->rules.keep == CONFIG_KEEP_LATEST &&
	    keep_latest(writer, channel) == -1)
		return -1;
	if (count_events(writer, channel, &oldest) == -1)
		return -1;
	channel->due_ms = RETENTION_NEVER;
	if (channel->events > 0)
		channel->due_ms = retention_due(&channel->rules,
		    cursor_id_ms(oldest), channel->events, channel->bytes);
	store_channel_soil(writer, channel);
	return store_write_channels(writer);
}

static int
convert_channels(struct store_writer *writer)
{
	sqlite3_stmt *each = writer->statements[CHANNEL_EACH];
	int result;

	while ((result = sqlite3_step(each)) == SQLITE_ROW) {
		struct store_channel *channel;
		struct retention rules;

		if (!retention_find(
			&rules, writer->config, store_slice(each, 1)))
			continue;
		channel = store_find_channel(writer, store_slice(each, 1));
		if (channel == NULL || begin_keeping(writer, channel) == -1)
			break;
	}
	sqlite3_reset(each);
	return result == SQLITE_DONE ? 0 : -1;
}

/* All in one transaction: it is done, or is done anew the next time. */
static int
convert(struct store_writer *writer, uint64_t fingerprint)
{
	if (store_do(writer, WRITE_BEGIN) == -1)
		return -1;
	writer->totals = writer->committed;
	store_bind(writer->statements[RULES_WRITE], 1, fingerprint);
	if (sqlite3_exec(writer->db, "DELETE FROM kept; DELETE FROM latest",
		NULL, NULL, NULL) != SQLITE_OK ||
	    convert_channels(writer) == -1 ||
	    store_do(writer, RULES_WRITE) == -1 ||
	    store_write_totals(writer) == -1 ||
	    store_do(writer, WRITE_COMMIT) == -1)
		return -1;
	writer->committed = writer->totals;
	return 0;
}

/* The first number of the row that a statement returns; 0: no row. 0 or -1. */
static int
read_number(struct store_writer *writer, enum store_statement which,
    uint64_t numbers[2])
{
	sqlite3_stmt *statement = writer->statements[which];
	int result = sqlite3_step(statement);

	numbers[0] = result == SQLITE_ROW ? store_number(statement, 0) : 0;
	numbers[1] = result == SQLITE_ROW ? store_number(statement, 1) : 0;
	sqlite3_reset(statement);
	return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -1;
}

int
store_keep_by(struct store_writer *writer, const struct config *config)
{
	uint64_t fingerprint = retention_fingerprint(config);
	uint64_t numbers[2];

	writer->config = config;
	store_forget_channels(writer);
	if (read_number(writer, RULES_READ, numbers) == -1)
		goto failed;
	if (numbers[0] != fingerprint && convert(writer, fingerprint) == -1)
		goto failed;
	if (read_number(writer, KEPT_TOTALS, numbers) == -1)
		goto failed;
	writer->committed.exempt_events = numbers[0];
	writer->committed.exempt_bytes = numbers[1];
	writer->totals = writer->committed;
	/* What rules of their own let go is no horizon of the others. */
	if (fingerprint != 0)
		writer->shared_horizon = 0;
	return 0;
failed:
	store_failed(writer, "keep channels by their rules");
	store_rollback(writer);
	return -1;
}
