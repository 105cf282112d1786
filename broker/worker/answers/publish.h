/* publish: events that come over HTTP. */
#ifndef SSEMUX_WORKER_ANSWERS_PUBLISH_H
#define SSEMUX_WORKER_ANSWERS_PUBLISH_H

struct connection;
struct http_request;

/*
 * POST /publish: an event or a list of events as JSON, or one event's data as
 * they are with ?channel=&type=&key=&id=. What the caller may publish, and is
 * no fault, goes to the hub; the answer comes when the hub's is there.
 */
void publish_post(
    struct connection *connection, const struct http_request *request);

#endif
