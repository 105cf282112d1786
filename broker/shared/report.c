/* report: numbers as JSON. See report.h. */
#include "broker/shared/report.h"

#include <inttypes.h>
#include <time.h>

#include "broker/shared/board.h"
#include "protocol/buf.h"
#include "protocol/cursor_id.h"

void
report_append_cursor(struct buf *buf, const char *name, uint64_t cursor)
{
	char text[CURSOR_ID_TEXT_SIZE];

	cursor_id_format(cursor, text);
	buf_printf(buf, "\"%s\":\"%s\"", name, text);
}

void
report_append_time(struct buf *buf, const char *name, uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc;
	char text[32] = "";

	if (gmtime_r(&seconds, &utc) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	buf_printf(
	    buf, "\"%s\":\"%s.%03uZ\"", name, text, (unsigned)(ms % 1000));
}

static void
append_worker(struct buf *buf, const struct board *board, size_t page)
{
	buf_printf(buf,
	    "{\"worker\":%zu,\"alive\":%s,\"connections\":%" PRIu64
	    ",\"streams\":%" PRIu64 ",\"behind\":%" PRIu64 "}",
	    page - BOARD_FIRST_WORKER + 1,
	    board_alive(board, page) ? "true" : "false",
	    board_get(board, page, METRIC_CONNECTIONS),
	    board_get(board, page, METRIC_STREAMS),
	    board_get(board, page, METRIC_STREAMS_BEHIND));
}

void
report_append_board(struct buf *buf, const struct board *board)
{
	buf_append_text(buf, "\"workers\":[");
	for (size_t i = BOARD_FIRST_WORKER; i < board->page_count; i++) {
		if (i > BOARD_FIRST_WORKER)
			buf_append_char(buf, ',');
		append_worker(buf, board, i);
	}
	buf_append_char(buf, ']');
	for (int i = 0; i < METRIC_COUNT; i++)
		buf_printf(buf, ",\"%s\":%" PRIu64, metric_name((enum metric)i),
		    board_sum(board, (enum metric)i));
}
