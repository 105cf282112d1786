/* poke: an event that a caller sends to itself. */
#ifndef SSEMUX_WORKER_ANSWERS_POKE_H
#define SSEMUX_WORKER_ANSWERS_POKE_H

struct connection;
struct http_request;

/*
 * POST /poke, and the poke path of a stream's block: publishes the event that
 * the block says on the caller's own channel (by default "sync" on user:{sub})
 * and answers how many clients it was handed to.
 */
void poke_post(
    struct connection *connection, const struct http_request *request);

#endif
