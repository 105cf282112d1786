/* store_losses: which channels let go of what. See store_read.h. */
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/cursor/store_reader.h"

enum {
	LOST_NAMES_MAX = 1000, /* told one by one */
	LOST_ROWS_MAX = 16384, /* looked at */
};

struct horizons {
	uint64_t max;
	uint64_t losses;
	uint64_t floor;
};

static int
read_horizons(struct store_reader *reader, struct horizons *horizons)
{
	sqlite3_stmt *state = reader->statements[READ_STATE];
	int result = sqlite3_step(state);

	horizons->max = store_reader_number(state, 0);
	horizons->losses = store_reader_number(state, 1);
	horizons->floor = store_reader_number(state, 2);
	sqlite3_reset(state);
	return result == SQLITE_ROW
		   ? 0
		   : store_reader_failed(reader, "read the state");
}

int
store_read_horizon(
    struct store_reader *reader, uint64_t *max_horizon, uint64_t *losses)
{
	struct horizons horizons;

	if (read_horizons(reader, &horizons) == -1)
		return -1;
	*max_horizon = horizons.max;
	*losses = horizons.losses;
	return 0;
}

int
store_read_birth(struct store_reader *reader, uint64_t *birth)
{
	sqlite3_stmt *row = reader->statements[READ_BIRTH];
	int result = sqlite3_step(row);

	*birth = store_reader_number(row, 0);
	sqlite3_reset(row);
	return result == SQLITE_ROW
		   ? 0
		   : store_reader_failed(reader, "read its birth");
}

/* Who is told of losses, and of which. */
struct telling {
	const struct store_request *request;
	uint64_t reported; /* trimming step */
	void (*lost)(struct slice name, void *context);
	void *context;
};

static void
tell_patterns(const struct telling *telling)
{
	const struct store_request *request = telling->request;

	for (size_t i = 0; i < request->pattern_count; i++)
		telling->lost(request->patterns[i], telling->context);
}

/* Few channels: each is looked at. 0 or -1. */
static int
tell_found(struct store_reader *reader, const struct telling *telling)
{
	sqlite3_stmt *row = reader->statements[CHANNEL_LOST];
	int result = SQLITE_DONE;

	store_reader_bind(row, 1, telling->reported);
	store_reader_bind(row, 2, telling->request->after);
	for (size_t i = 0; i < reader->merged_count; i++) {
		store_reader_bind(row, 3, (uint64_t)reader->merged[i].id);
		result = sqlite3_step(row);
		if (result == SQLITE_ROW)
			telling->lost(
			    store_reader_slice(row, 0), telling->context);
		sqlite3_reset(row);
		if (result != SQLITE_ROW && result != SQLITE_DONE)
			return -1;
	}
	return 0;
}

/* Many channels: all that lost something are looked at, but when these are
 * very many, the patterns say it. 0 or -1. */
static int
tell_scanned(struct store_reader *reader, const struct telling *telling)
{
	sqlite3_stmt *rows = reader->statements[CHANNELS_LOST];
	int looked = 0, told = 0;
	int result;

	store_reader_bind(rows, 1, telling->reported);
	store_reader_bind(rows, 2, telling->request->after);
	store_reader_bind(rows, 3, LOST_ROWS_MAX);
	while ((result = sqlite3_step(rows)) == SQLITE_ROW &&
	       told < LOST_NAMES_MAX) {
		struct slice name = store_reader_slice(rows, 0);

		looked++;
		if (!store_request_covers(telling->request, name))
			continue;
		telling->lost(name, telling->context);
		told++;
	}
	sqlite3_reset(rows);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		return -1;
	if (looked == LOST_ROWS_MAX || told == LOST_NAMES_MAX)
		tell_patterns(telling);
	return 0;
}

int
store_read_losses(struct store_reader *reader,
    const struct store_request *request, uint64_t *losses,
    void (*lost)(struct slice name, void *context), void *context)
{
	const struct telling telling = {request, *losses, lost, context};
	struct horizons horizons;
	int result;

	if (read_horizons(reader, &horizons) == -1)
		return -1;
	*losses = horizons.losses;
	if (horizons.losses == telling.reported ||
	    horizons.max <= request->after)
		return 0;
	if (horizons.floor > request->after) {
		tell_patterns(&telling);
		return 0;
	}
	result = store_reader_find_channels(reader, request);
	if (result == 1)
		result = tell_found(reader, &telling);
	else if (result == 0)
		result = tell_scanned(reader, &telling);
	return result == 0 ? 0 : store_reader_failed(reader, "read losses");
}
