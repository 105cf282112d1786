/* stream: GET /stream, from its query to a subscriber. */
#ifndef SSEMUX_WORKER_STREAM_H
#define SSEMUX_WORKER_STREAM_H

struct connection;
struct http_request;

/*
 * Opens the stream that the request asks for, or answers why not. Parameters:
 * channels, since, lastEventId, format, live; others are ignored. The header
 * Last-Event-ID beats lastEventId, which beats since.
 */
void stream_open(
    struct connection *connection, const struct http_request *request);

#endif
