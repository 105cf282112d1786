/*
 * limits: how many connections one address may have, streams one user, and
 * connections all; over all workers. See census.h.
 *
 * Who goes beyond one is taken in only to be told so, in the way that its kind
 * of client understands, see reply_later().
 */
#ifndef SSEMUX_WORKER_ACCESS_LIMITS_H
#define SSEMUX_WORKER_ACCESS_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

struct address;
struct connection;
struct worker;

/*
 * Counts the connection with its peer's address, and notes in it whether it is
 * to be refused. False: there are so many of this address that it is not even
 * to be told; it is not counted.
 */
bool limits_enter_address(struct connection *connection);

/* Counts it no more, if it was counted, and forgets that it was refused for
 * its address. */
void limits_leave_address(struct connection *connection);

/* A new connection: notes whether it is one too many of all. */
void limits_note_total(struct connection *connection);

/* Are there so many connections that no more are to be taken, not even to be
 * refused? */
bool limits_full(const struct worker *worker);

/*
 * A stream of this user begins. True: it is counted, and *key is for
 * limits_leave_user(). False: the user has too many, and nothing is counted:
 * reply_later(PROBLEM_LIMIT_USER). The user "" is nobody: it is counted by the
 * client's address, and not limited.
 */
bool limits_enter_user(struct worker *worker, struct slice user,
    const struct address *peer, uint64_t *key);
void limits_leave_user(struct worker *worker, uint64_t key);

/* How many streams this user has, or nobody at that address, over all
 * workers. */
uint64_t limits_streams_of(
    const struct worker *worker, struct slice user, const struct address *peer);

#endif
