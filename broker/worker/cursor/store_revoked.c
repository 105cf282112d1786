/* store_revoked: what was withdrawn from users, out of the store. See
 * store_read.h. */
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/cursor/store_reader.h"

int
store_read_revocations(struct store_reader *reader, uint64_t after, int rows,
    void (*take)(const struct store_revoked *row, void *context), void *context)
{
	sqlite3_stmt *next = reader->statements[REVOCATIONS_NEXT];
	int result;
	int count = 0;

	store_reader_bind(next, 1, after);
	store_reader_bind(next, 2, (uint64_t)rows);
	while ((result = sqlite3_step(next)) == SQLITE_ROW) {
		struct store_revoked row = {
		    .number = store_reader_number(next, 0),
		    .user = store_reader_slice(next, 1),
		    .pattern = store_reader_slice(next, 2),
		    .at_ms = store_reader_number(next, 3),
		    .restores = store_reader_number(next, 4) != 0,
		};

		take(&row, context);
		count++;
	}
	sqlite3_reset(next);
	return result == SQLITE_DONE
		   ? count
		   : store_reader_failed(reader, "read revocations");
}
