/*
 * catch_up: the steps of those who are behind; for catch_up*.c only. Everybody
 * else includes cursor.h.
 */
#ifndef SSEMUX_WORKER_CURSOR_CATCH_UP_H
#define SSEMUX_WORKER_CURSOR_CATCH_UP_H

#include <stddef.h>
#include <stdint.h>

#include "broker/worker/cursor/progress.h"

struct subscriber;
struct worker;

/* Where a step begins: at the cursor; or just before what is half written. The
 * window may have events between, which were superseded when the store was
 * read. */
uint64_t catch_up_from(const struct subscriber *subscriber);

/* How many events a step in the window looks at: `most`, or fewer, but some, of
 * a subscriber with very many patterns, each of which an event is held against.
 */
int catch_up_look_at(int most, size_t patterns);

/* A step from the store: STEP_AGAIN, STEP_BLOCKED or STEP_GONE. */
enum step catch_up_in_store(
    struct worker *worker, struct subscriber *subscriber);

#endif
