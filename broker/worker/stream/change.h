/*
 * change: POST PATH/STREAM_ID, which changes a live stream, whichever worker
 * has it: a new token lets it last longer.
 *
 * The request speaks for the user whose stream it is; its token, or the one in
 * its body, {"token":"..."}, is the new one.
 */
#ifndef SSEMUX_WORKER_STREAM_CHANGE_H
#define SSEMUX_WORKER_STREAM_CHANGE_H

#include "protocol/slice.h"

struct buf;
struct connection;
struct http_request;
struct worker;

/* Answers a POST on the path of an open stream (streams_find_open()), now or
 * later. */
void change_answer(
    struct connection *connection, const struct http_request *request);

/* Another worker asks for a change of a stream that this one may have: json is
 * what change_answer() sent. Appends what that expects. */
void change_asked(struct worker *worker, struct slice json, struct buf *answer);

#endif
