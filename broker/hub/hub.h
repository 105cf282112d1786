/*
 * hub: the process that accepts events.
 *
 * A turn: read what publishers sent; stage it; one transaction for all of it;
 * then the ring, the bells, and last the acknowledgements. Whoever has seen
 * an event or an ack can find it in the store after any crash.
 */
#ifndef SSEMUX_HUB_HUB_H
#define SSEMUX_HUB_HUB_H

struct heritage;

/* Runs the hub in this process; returns its exit code (sysexits). */
int hub_run(struct heritage *heritage);

#endif
