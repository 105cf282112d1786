/*
 * store_mover: a thread that moves pages from SQLite's write-ahead log into the
 * database file, on a connection of its own, while the hub goes on writing to
 * the log: a checkpoint waits for the disk, and so would every publisher. For
 * store*.c.
 */
#ifndef SSEMUX_HUB_STORE_MOVER_H
#define SSEMUX_HUB_STORE_MOVER_H

#include <stdbool.h>

struct store_mover;

/* Starts one for the store at path. NULL: it cannot be had (logged). */
struct store_mover *store_mover_start(
    const char *path, const char *synchronous);

/* Waits until it has moved what it was asked for, and ends it. NULL is
 * allowed. */
void store_mover_stop(struct store_mover *mover);

/* Asks it to move what is in the log by then; it must not be busy. */
void store_mover_ask(struct store_mover *mover);

/* Is it at work? And waits until it is not. */
bool store_mover_busy(struct store_mover *mover);
void store_mover_wait(struct store_mover *mover);

/* What SQLite said of the last time; asked once, SQLITE_OK from then on. */
int store_mover_result(struct store_mover *mover);

#endif
