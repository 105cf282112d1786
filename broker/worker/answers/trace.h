/*
 * trace: what became of an event on the streams of this worker, and on those
 * that ended last; for the hub, on behalf of an administrator.
 *
 *	{"ask":"trace","cursor":"MS-SEQ","user":"u1"}	without a user: of all
 *
 *	{"event":{"channel":..,"type":..,"key":..,"resync":..,
 *		"bytes":..,"stored":true} or null,
 *	 "since":ms, from when on ended streams are remembered,
 *	 "streams":N, that were looked at,
 *	 "counts":[..], of verdicts by number,
 *	 "rows":[{"worker":1,"stream":..,"user":..,"address":..,"verdict":..,
 *		"certain":true,"why":..,"behindMs":..,"ended":..,
 *		"reason":..},...]}
 *
 * Of an event asked for without a user, streams that are not subscribed to its
 * channel are counted alone. Bounded: TRACE_ROWS rows, TRACE_BYTES bytes.
 */
#ifndef SSEMUX_WORKER_ANSWERS_TRACE_H
#define SSEMUX_WORKER_ANSWERS_TRACE_H

#include "protocol/slice.h"

struct buf;
struct worker;

enum { TRACE_ROWS = 1000, TRACE_BYTES = 240 * 1024 };

/* See asked.h. */
void trace_asked(struct worker *worker, struct slice json, struct buf *answer);

#endif
