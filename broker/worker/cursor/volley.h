/*
 * volley: the writes of a turn, one to each of many subscribers, gathered and
 * then done with one system call; see uring.h.
 *
 * Where events are few, each subscriber gets a small write, and what costs most
 * is that each is a call. What is gathered lies in the window, and its frames
 * must stay there until they are sent; a few that lie apart are copied.
 */
#ifndef SSEMUX_WORKER_CURSOR_VOLLEY_H
#define SSEMUX_WORKER_CURSOR_VOLLEY_H

#include <stdbool.h>
#include <stdint.h>

struct subscriber;
struct volley;
struct worker;

/* NULL with errno: no memory, or there are none on this machine, see
 * uring_create(). A worker does without. */
struct volley *volley_create(void);
void volley_destroy(struct volley *volley);

/* The oldest frame in use by what was gathered; see window_frame(). */
uint64_t volley_pin(const struct worker *worker);

/* Nothing could be added to worker->outgoing for this subscriber, as its first
 * frame would take the place of one that was gathered? */
bool volley_blocks(
    const struct worker *worker, const struct subscriber *subscriber);

/*
 * Gathers what worker->outgoing holds, with that pin: the last write to this
 * subscriber before volley_fire(). False: it is not for a volley, being in
 * several pieces of many bytes, or of very many frames or more than one pack,
 * or there are none; write it now.
 */
bool volley_add(
    struct worker *worker, struct subscriber *subscriber, uint64_t pin);

/* Writes what was gathered, and notes in each subscriber how far it got. */
void volley_fire(struct worker *worker);

#endif
