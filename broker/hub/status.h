/* status: what the broker tells ssemuxctl about itself, as JSON. */
#ifndef SSEMUX_HUB_STATUS_H
#define SSEMUX_HUB_STATUS_H

struct buf;
struct hub;

/*
 * Appends one JSON object: "cursor" (the newest, as text), "horizon" (the
 * newest let go), "workers" (an array with "alive", "connections", "streams"
 * and "behind" of each), and every metric by name.
 */
void status_report(const struct hub *hub, struct buf *report);

#endif
