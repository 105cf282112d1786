/* control: the control events of a stream, appended to its connection. */
#ifndef SSEMUX_WORKER_CONTROL_H
#define SSEMUX_WORKER_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

struct buf;
struct connection;
struct subscriber;
struct worker;

/* The greeting of the stream's block, which names the channels that it was
 * refused, and the delay of a reconnect. While snapshots are to come, it names
 * no cursor: who comes back with one has all that was before. */
void control_greet(struct worker *worker, struct subscriber *subscriber,
    const struct slice *refused, size_t refused_count);

/* What the block says when catching up is done. */
void control_live(struct worker *worker, struct subscriber *subscriber);

/* "resync" for the channels of a list made with control_list_add(); reason is
 * "history" or "cursor". */
void control_resync(
    struct subscriber *subscriber, const struct buf *list, const char *reason);

/* "snapshot" for the channels of such a list: what they are like comes next. */
void control_snapshot(struct subscriber *subscriber, const struct buf *list);

/* "subscribed": such lists of what was added, refused and left. */
void control_subscribed(struct subscriber *subscriber, const struct buf *added,
    const struct buf *refused, const struct buf *removed);

/* "revoked" for the channels of such a list: access to them was withdrawn. */
void control_revoked(
    struct subscriber *subscriber, const struct buf *list, const char *reason);

/* "token-expiring": the stream ends then, unless a new token comes. */
void control_token_expiring(
    struct subscriber *subscriber, uint64_t expires_ms, uint64_t now_ms);

/* Adds a name to a list of JSON strings, divided by commas. */
void control_list_add(struct buf *list, struct slice name);

/* "bye" with a reason, and a delay after which to come back. */
void control_bye(
    struct worker *worker, struct connection *connection, const char *reason);

/* The block's sign of life. */
void control_heartbeat(struct worker *worker, struct subscriber *subscriber);

#endif
