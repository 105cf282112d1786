/*
 * bell: wakes a process that sleeps, and no other.
 *
 * Each worker has a bell that the hub rings when the ring has grown; the hub
 * has one that workers ring when a counted event was handed out. A bell is an
 * eventfd. The sleeper says that it sleeps, looks once more for work, and only
 * then sleeps; the ringer makes the work visible first and then looks who
 * sleeps. Either sees the other, so no wake-up is lost, and a worker that is
 * awake costs the hub one load.
 */
#ifndef SSEMUX_SHARED_BELL_H
#define SSEMUX_SHARED_BELL_H

#include <stddef.h>
#include <stdint.h>

#include "broker/shared/board.h"

/* A new bell's descriptor, or -1 with errno. */
int bell_create(void);

/* Rings one bell, whether its owner sleeps or not. */
void bell_ring(int bell);

enum { BELL_WORKERS_MAX = 64 };

/* The workers that sleep, a bit for each, the first one the lowest: those that
 * have streams, and those that have none. */
struct bell_sleepers {
	uint64_t serving;
	uint64_t idle;
};

/* In the hub, after it has published: who must be rung for. Who falls asleep
 * later has seen what was published. */
struct bell_sleepers bell_find_sleepers(
    const struct board *board, size_t workers);

/* In the hub: rings the bells of these workers; bells[0] is that of the first
 * one. */
void bell_ring_workers(const int *bells, uint64_t workers);

/* In the hub: rings the bells of the workers that sleep; bells[0] is that of
 * the first worker. */
void bell_ring_sleepers(
    const struct board *board, const int *bells, size_t workers);

/* Silences the own bell, after it was heard. */
void bell_silence(int bell);

/* In a worker: going to sleep (look for work after this), and awake again. */
void bell_sleep(struct board *board);
void bell_wake(struct board *board);

#endif
