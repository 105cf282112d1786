/*
 * publish_answer: what becomes of the events of a POST /publish, on its way
 * back to the client that waits for it.
 */
#ifndef SSEMUX_WORKER_ANSWERS_PUBLISH_ANSWER_H
#define SSEMUX_WORKER_ANSWERS_PUBLISH_ANSWER_H

#include <stddef.h>

struct connection;
struct courier_event;
struct fault;
struct publish_answer;
struct publish_request;

/* With what is known now: the faults. NULL: no memory. */
struct publish_answer *publish_answer_create(
    struct connection *connection, const struct publish_request *request);

/* Answers while the request is answered; every event has a fault. It is gone
 * then. */
void publish_answer_now(struct publish_answer *answer);

/* Gives the events without a fault, in order, to the courier, and lets the
 * connection wait. It is gone when that was answered. */
void publish_answer_wait(struct publish_answer *answer,
    const struct courier_event *events, size_t count);

/* Answers a request that a fault ends: with its own problem, or "later". */
void publish_answer_fault(
    struct connection *connection, const struct fault *fault);

#endif
