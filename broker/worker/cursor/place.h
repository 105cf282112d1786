/*
 * place: where a subscriber is in its turn, and the list of those who can go
 * on.
 *
 *	 +--------> HELD --its interval ends-----------------+
 *	 | an event waits				     v
 *	AT_HEAD --socket full--> BLOCKED --socket takes more--> RUNNABLE
 *	   ^                        ^                              |
 *	   |                        +-------------- socket full ---+
 *	   +------------------- all is read -----------------------+
 */
#ifndef SSEMUX_WORKER_CURSOR_PLACE_H
#define SSEMUX_WORKER_CURSOR_PLACE_H

#include "broker/worker/subscriber.h"

struct worker;

/* Moves it there; one that becomes RUNNABLE is the last in the list. */
void place_move(struct worker *worker, struct subscriber *subscriber,
    enum subscriber_place place);

/* Its socket is full: it waits until that takes more. */
void place_block(struct worker *worker, struct subscriber *subscriber);

/* The next one who can go on, which becomes the last in the list; NULL when
 * there is none. */
struct subscriber *place_next_runnable(struct worker *worker);

/* It is about to be destroyed. */
void place_leave(struct worker *worker, struct subscriber *subscriber);

#endif
