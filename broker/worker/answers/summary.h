/*
 * summary: who is connected, to what, and who is slow: what one worker knows,
 * and what all of them know together. For the numbers that an administrator
 * gets.
 *
 *	{"users":[["u1",3],...],"channels":[["orders",7],...],
 *	 "slowest":[{"user":"u2","worker":1,"behindMs":812,"channels":4},...]}
 *
 * Bounded: a worker names the SUMMARY_NAMES with the most streams; of more
 * there are only as many as are counted.
 */
#ifndef SSEMUX_WORKER_ANSWERS_SUMMARY_H
#define SSEMUX_WORKER_ANSWERS_SUMMARY_H

#include <stddef.h>

#include "broker/worker/answers/ranking.h"

struct buf;
struct worker;

enum {
	SUMMARY_NAMES = 300, /* of each kind that a worker names */
	SUMMARY_TOP = 20,    /* of each kind that are shown */
	SUMMARY_SLOWEST = 10,
};

struct summary_slow {
	uint64_t behind_ms; /* age of the newest event against its cursor's */
	char *text;         /* as JSON */
};

/* Zeroed, it is empty. */
struct summary {
	struct ranking users;    /* streams by user */
	struct ranking channels; /* subscriptions by channel or pattern */
	struct summary_slow slowest[SUMMARY_SLOWEST]; /* the slowest first */
	size_t slow_count;
};

void summary_finish(struct summary *summary);

/* Adds what this worker knows. 0, or -1: no memory. */
int summary_collect(struct summary *summary, struct worker *worker);

/* Adds what another one has written with summary_write(). 0, or -1: no memory,
 * or it is not that. */
int summary_merge(struct summary *summary, struct slice json);

/* Appends all of it as one JSON object, for another worker. */
void summary_write(struct summary *summary, struct buf *json);

/* Appends "users":N,"channels":N,"topUsers":[...],"topChannels":[...],
 * "slowest":[...], without braces. */
void summary_show(struct summary *summary, struct buf *json);

#endif
