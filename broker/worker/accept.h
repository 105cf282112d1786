/*
 * accept: a worker takes its share of the connections, and no more.
 *
 * All workers listen on the same sockets. A worker that has more connections
 * than the one with the fewest, by more than a little, stops listening and
 * looks again a moment later. So the shares stay even, also after a worker was
 * replaced. The one with the fewest always listens; should it be stuck, the
 * others go on after a while nevertheless.
 */
#ifndef SSEMUX_WORKER_ACCEPT_H
#define SSEMUX_WORKER_ACCEPT_H

struct worker;

/* Begins to listen. 0, or -1: no memory. */
int accept_start(struct worker *worker);

/* Stops listening for good. */
void accept_stop(struct worker *worker);

#endif
