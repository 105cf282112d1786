/* status: the report for ssemuxctl. See status.h. */
#include "broker/hub/status.h"

#include "broker/hub/hub_state.h"
#include "broker/hub/store_write.h"
#include "broker/shared/report.h"

void
status_report(const struct hub *hub, struct buf *report)
{
	const struct store_totals *totals = store_writer_totals(hub->store);

	buf_append_char(report, '{');
	report_append_cursor(report, "cursor", hub->last_cursor);
	buf_append_char(report, ',');
	report_append_cursor(report, "horizon", totals->max_horizon);
	buf_append_char(report, ',');
	report_append_board(report, &hub->heritage->board);
	buf_append_char(report, '}');
}
