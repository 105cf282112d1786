/* control: the control events of a stream, appended to its connection. */
#ifndef SSEMUX_WORKER_CONTROL_H
#define SSEMUX_WORKER_CONTROL_H

#include "protocol/slice.h"

struct buf;
struct connection;
struct subscriber;
struct worker;

/* "connected": the stream's id, its channels, where it starts. */
void control_connected(struct worker *worker, struct subscriber *subscriber);

/* "live": catching up is done. */
void control_live(struct worker *worker, struct subscriber *subscriber);

/* "resync" for the channels of a list made with control_list_add(); reason is
 * "history" or "cursor". */
void control_resync(
    struct subscriber *subscriber, const struct buf *list, const char *reason);

/* Adds a name to a list of JSON strings, divided by commas. */
void control_list_add(struct buf *list, struct slice name);

/* "bye" with a reason, and a delay after which to come back. */
void control_bye(
    struct worker *worker, struct connection *connection, const char *reason);

/* The comment that keeps a stream from looking dead. */
void control_heartbeat(struct connection *connection);

#endif
