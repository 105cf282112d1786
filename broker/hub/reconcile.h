/* reconcile: makes ring and store agree when a hub starts. */
#ifndef SSEMUX_HUB_RECONCILE_H
#define SSEMUX_HUB_RECONCILE_H

struct hub;

/*
 * Makes the ring hold what the store holds and the ring does not: events that
 * a hub which was killed had committed only; or, with a new ring, the newest
 * part of the history. 0, or -1 (logged).
 */
int reconcile_ring(struct hub *hub);

#endif
