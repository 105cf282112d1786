/* follow: a worker keeps up with the ring. */
#ifndef SSEMUX_WORKER_CURSOR_FOLLOW_H
#define SSEMUX_WORKER_CURSOR_FOLLOW_H

#include <stdbool.h>

struct worker;

/*
 * Takes what is new in the ring into the window and writes it to whoever is at
 * the head and wants it: a bounded number of events, one write per subscriber.
 * What was withdrawn must have taken hold before, see revoked_apply.h. True
 * when there is more.
 */
bool follow_ring(struct worker *worker);

/* Says how far all that was read has been handed out; to be called when streams
 * got on. */
void follow_report(struct worker *worker);

#endif
