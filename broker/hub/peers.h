/*
 * peers: the workers, on their links.
 *
 * A link is served as a publisher is, but for the limits and rules of the
 * publisher socket. Besides, questions and answers of workers are passed on,
 * of which nothing is kept here: who cannot get a question is answered for at
 * once, and when a worker has gone, all others are told that it will answer
 * nothing any more.
 */
#ifndef SSEMUX_HUB_PEERS_H
#define SSEMUX_HUB_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

struct hub;
struct message;
struct publisher;

/* Begins to take links. 0, or -1: no memory. */
int peers_start(struct hub *hub);
void peers_finish(struct hub *hub);

/* Passes on an ASK, an ANSWER of a link. */
void peers_ask(struct hub *hub, const struct publisher *from,
    const struct message *message);
void peers_answer(struct hub *hub, const struct publisher *from,
    const struct message *message);

/* Asks a worker for the hub itself; its answer comes to traces_answer(). False:
 * it cannot be asked now. */
bool peers_ask_own(
    struct hub *hub, size_t worker, uint64_t id, struct slice text);

/* This link has come to its end, or a newer one has taken its place. */
void peers_leave(struct hub *hub, const struct publisher *link);

#endif
