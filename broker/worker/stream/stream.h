/* stream: GET on the path of a stream, from its query to a subscriber. */
#ifndef SSEMUX_WORKER_STREAM_STREAM_H
#define SSEMUX_WORKER_STREAM_STREAM_H

struct connection;
struct http_request;

/*
 * Opens the stream at the request's path, which is there, as its block of the
 * configuration has it, or answers why not. The parameters of the query have
 * the block's names; besides there is lastEventId, which beats `since`, and is
 * beaten by the header Last-Event-ID.
 */
void stream_open(
    struct connection *connection, const struct http_request *request);

#endif
