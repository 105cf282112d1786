/*
 * publisher: one connection of the publisher socket.
 *
 * It ends up in one terminal state: `closing`, in which nothing is read any
 * more, what was answered is still written, and then it is destroyed.
 */
#ifndef SSEMUX_HUB_PUBLISHER_H
#define SSEMUX_HUB_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/hub/identity.h"
#include "broker/hub/rules.h"

struct board_counts;
struct buf;
struct hub;
struct publisher;

/* Takes over a connected socket, or the end of a worker's link. NULL: no
 * memory, and the socket is closed. */
struct publisher *publisher_create(struct hub *hub, int fd);
struct publisher *publisher_create_link(struct hub *hub, int fd, size_t worker);
void publisher_destroy(struct publisher *publisher);

/* Is it a worker's link? Of which worker (0-based)? */
bool publisher_is_link(const struct publisher *publisher);
size_t publisher_peer(const struct publisher *publisher);

/* Under whose name it publishes now. */
struct identity *publisher_identity(struct publisher *publisher);

/* Is one of its identities that one of the store? */
bool publisher_uses(const struct publisher *publisher, int64_t id);

/*
 * Of a link: publishes in the name of a guest, or again in its own. The same
 * guest on another link may go on there at any time, and what is known of its
 * numbers here is outdated by that.
 */
void publisher_begin_guest(struct publisher *publisher, struct slice name,
    const struct store_publisher *known);
void publisher_end_guest(struct publisher *publisher);
bool publisher_guest_outdated(const struct publisher *publisher);
void publisher_update_guest(
    struct publisher *publisher, const struct store_publisher *known);

/* What it may do. */
const struct rules *publisher_rules(const struct publisher *publisher);

/* What it is still to be sent. */
struct buf *publisher_out(struct publisher *publisher);

/* Has it said hello, and was it welcomed? */
bool publisher_greeted(const struct publisher *publisher);

/* Ends every other publisher of the list that has this id. */
void publisher_replace(
    struct publisher *list, const struct publisher *heir, struct slice name);

/* Answers; they are sent with publisher_flush(). */
void publisher_ack(
    struct publisher *publisher, uint64_t seq, uint64_t cursor, bool duplicate);
void publisher_refuse(
    struct publisher *publisher, uint64_t seq, struct fault fault);
void publisher_receipt(
    struct publisher *publisher, uint64_t seq, uint64_t notified);
/* The same with all counts; late: workers that have not said. */
void publisher_receipt_counts(struct publisher *publisher, uint64_t seq,
    const struct board_counts *counts, uint64_t late);

void publisher_done_command(
    struct publisher *publisher, uint64_t id, uint64_t count, uint64_t late);
/* The same of a question, with what was found. */
void publisher_done_trace(struct publisher *publisher, uint64_t id,
    uint64_t streams, uint64_t late, const struct buf *text);
void publisher_fail_command(
    struct publisher *publisher, uint64_t id, struct fault fault);

void publisher_welcome(struct publisher *publisher, struct slice name,
    const struct store_publisher *known, uint64_t max_event);
void publisher_report(struct publisher *publisher, const struct buf *text);

/* It says hello: what it says is heard again. */
void publisher_hear(struct publisher *publisher);

/* Refuses to go on, and begins to close. A link stays open, for nobody makes
 * another while both sides live: it has to say hello again, and what it says
 * before is not heard. */
void publisher_end(struct publisher *publisher, struct fault fault);

/* Begins to close without a word. */
void publisher_close(struct publisher *publisher);

/* Takes what waited for the place of a receipt, if anything did. */
void publisher_go_on(struct publisher *publisher);

/* Ends it when it has not said hello in time, or does not take what it is owed
 * before its end. */
void publisher_tick(struct publisher *publisher, uint64_t now_ms);

/* Sends what was answered, as far as the socket takes it. */
void publisher_flush(struct publisher *publisher);

/* The next one in the hub's list; NULL after the last. */
struct publisher *publisher_next(const struct publisher *publisher);

/* True when it is closing and has nothing more to send. */
bool publisher_done(const struct publisher *publisher);

#endif
