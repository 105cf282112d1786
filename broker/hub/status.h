/* status: what the broker tells ssemuxctl about itself, as JSON. */
#ifndef SSEMUX_HUB_STATUS_H
#define SSEMUX_HUB_STATUS_H

struct buf;
struct hub;

/*
 * Appends one JSON object: "cursor" (the newest given), "horizon" (the newest
 * let go), both as text, and the members of report_append_board().
 */
void status_report(const struct hub *hub, struct buf *report);

#endif
