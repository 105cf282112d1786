/*
 * stride: the steps of a stream that is conflated: it looks at many events at
 * once, and of those with the same channel and key only the last goes out, at
 * its own place.
 *
 * An event that is passed over has a later one before the stream's cursor, or
 * behind it, still to come: so whoever resumes, at whichever cursor, gets the
 * last of each key. What has no key, and a "resync", is never passed over; nor
 * is what is half written.
 */
#ifndef SSEMUX_WORKER_CURSOR_STRIDE_H
#define SSEMUX_WORKER_CURSOR_STRIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/worker/cursor/progress.h"
#include "protocol/slice.h"

struct event;
struct subscriber;
struct survivors;
struct worker;

/* Is the subscriber's next step such a one? It has the memory for it then. */
bool stride_is_due(struct worker *worker, const struct subscriber *subscriber);

/* The interval of events on this channel, as the configuration says; 0: they
 * are not conflated, unless a stream asks for it. */
uint32_t stride_channel_ms(const struct worker *worker, struct slice channel);

/* A step in the window: STEP_AGAIN, STEP_BLOCKED or STEP_GONE. */
enum step stride_in_window(
    struct worker *worker, struct subscriber *subscriber);

/* Adds an event for it to worker->survivors, which has room. Its names stay
 * where they are. */
void stride_add(struct worker *worker, const struct subscriber *subscriber,
    const struct event *event, uint64_t number);

/* After the step: notes what was passed over. Returns the step. */
enum step stride_settle(
    struct worker *worker, struct subscriber *subscriber, enum step step);

#endif
