/* status: the report for ssemuxctl. See status.h. */
#include "broker/hub/status.h"

#include <inttypes.h>

#include "broker/hub/hub_state.h"
#include "broker/hub/store_write.h"
#include "protocol/cursor_id.h"

static void
append_cursor(struct buf *report, const char *name, uint64_t cursor)
{
	char text[CURSOR_ID_TEXT_SIZE];

	cursor_id_format(cursor, text);
	buf_printf(report, "\"%s\":\"%s\",", name, text);
}

static void
append_worker(struct buf *report, const struct board *board, size_t page)
{
	buf_printf(report,
	    "{\"alive\":%s,\"connections\":%" PRIu64 ",\"streams\":%" PRIu64
	    ",\"behind\":%" PRIu64 "}",
	    board_alive(board, page) ? "true" : "false",
	    board_get(board, page, METRIC_CONNECTIONS),
	    board_get(board, page, METRIC_STREAMS),
	    board_get(board, page, METRIC_STREAMS_BEHIND));
}

void
status_report(const struct hub *hub, struct buf *report)
{
	const struct board *board = &hub->heritage->board;
	const struct store_totals *totals = store_writer_totals(hub->store);

	buf_append_char(report, '{');
	append_cursor(report, "cursor", hub->last_cursor);
	append_cursor(report, "horizon", totals->max_horizon);
	buf_append_text(report, "\"workers\":[");
	for (size_t i = BOARD_FIRST_WORKER; i < board->page_count; i++) {
		if (i > BOARD_FIRST_WORKER)
			buf_append_char(report, ',');
		append_worker(report, board, i);
	}
	buf_append_char(report, ']');
	for (int i = 0; i < METRIC_COUNT; i++)
		buf_printf(report, ",\"%s\":%" PRIu64,
		    metric_name((enum metric)i),
		    board_sum(board, (enum metric)i));
	buf_append_char(report, '}');
}
