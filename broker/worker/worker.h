/*
 * worker: a process that serves HTTP: its share of the connections, each
 * stream a cursor into the log.
 *
 * A turn: answer sockets; take what is new in the ring; one write to each
 * subscriber for all of it; then a bounded time for those who catch up.
 */
#ifndef SSEMUX_WORKER_WORKER_H
#define SSEMUX_WORKER_WORKER_H

struct heritage;

/* Runs a worker in this process; returns its exit code (sysexits). */
int worker_run(struct heritage *heritage);

#endif
