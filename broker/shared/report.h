/* report: the board's numbers as JSON members, for /stats and ssemuxctl. */
#ifndef SSEMUX_SHARED_REPORT_H
#define SSEMUX_SHARED_REPORT_H

#include <stdint.h>

struct board;
struct buf;

/* Appends "name":"MS-SEQ", the cursor as text. */
void report_append_cursor(struct buf *buf, const char *name, uint64_t cursor);

/* Appends "name":"2026-01-31T12:00:00.000Z", of Unix milliseconds. */
void report_append_time(struct buf *buf, const char *name, uint64_t ms);

/*
 * Appends "workers":[{"worker":1,"alive":true,"connections":..,"streams":..,
 * "behind":..},...] and then every metric as "name":sum, without braces around
 * it all and without a comma at either end.
 */
void report_append_board(struct buf *buf, const struct board *board);

#endif
