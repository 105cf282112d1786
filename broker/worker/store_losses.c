/* store_losses: which channels let go of what. See store_read.h. */
#include "broker/worker/store_read.h"
#include "broker/worker/store_reader.h"

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
store_read_losses(struct store_reader *reader,
    const struct store_request *request, uint64_t *losses,
    void (*lost)(struct slice name, void *context), void *context)
{
	sqlite3_stmt *rows = reader->statements[CHANNEL_LOST];
	uint64_t reported = *losses;
	struct horizons horizons;
	int result;

	if (read_horizons(reader, &horizons) == -1)
		return -1;
	*losses = horizons.losses;
	if (horizons.losses == reported || horizons.max <= request->after)
		return 0;
	if (horizons.floor > request->after) {
		for (size_t i = 0; i < request->pattern_count; i++)
			lost(request->patterns[i], context);
		return 0;
	}
	store_reader_bind(rows, 1, reported);
	store_reader_bind(rows, 2, request->after);
	while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
		struct slice name = store_reader_slice(rows, 0);

		if (store_request_covers(request, name))
			lost(name, context);
	}
	sqlite3_reset(rows);
	return result == SQLITE_DONE
		   ? 0
		   : store_reader_failed(reader, "read losses");
}
