/*
 * revoked_apply: what was withdrawn from users takes hold in this worker.
 *
 * The hub stores a revocation, then shows its number on its page of the board
 * and rings the bells. A worker looks at that number each time before it hands
 * out new events; reads what is new from the store; and shows on its own page
 * how far it has come, so that the hub can say when it holds everywhere.
 */
#ifndef SSEMUX_WORKER_ACCESS_REVOKED_APPLY_H
#define SSEMUX_WORKER_ACCESS_REVOKED_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/slice.h"

struct worker;

/* Before the worker serves: makes worker->revoked and reads all there is. The
 * store must be open. 0, or -1 (logged). */
int revoked_apply_start(struct worker *worker);
void revoked_apply_finish(struct worker *worker);

/*
 * Takes all that is new; to be called before events are taken out of the ring,
 * and not while some wait to be written. Streams may end by it. The hub does
 * not let many come at once, and waits for a while until each is taken. A store
 * that cannot be read ends the worker: nobody is to see what was withdrawn.
 */
void revoked_apply(struct worker *worker);

/* Is there something to take? Asked again after bell_sleep(). */
bool revoked_apply_due(const struct worker *worker);

/* Once per second: forgets what is too old to matter. */
void revoked_apply_tick(struct worker *worker);

#endif
