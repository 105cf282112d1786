/*
 * plan: what a crowd is to do: how many subscribers in how many processes, and
 * who has which channels. Channels are numbered; on the wire they are called
 * b0, b1 and so on. An event's data is "@CHANNEL NUMBER TIME ", filled up with
 * x: its number within the channel, from 1, and the moment it was published.
 */
#ifndef SSEMUX_BENCH_PLAN_H
#define SSEMUX_BENCH_PLAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/tally.h"

enum {
	PLAN_PROCESSES_MAX = 16,
	PLAN_PER_PROCESS_MAX = 19000,
	PLAN_CHANNELS_MAX = 1000000,
	PLAN_PER_SUBSCRIBER_MAX = 256,
	PLAN_EVENT_MAX = 65536,
};

struct plan {
	const char *url;     /* http://ADDRESS:PORT/PATH, %s is the channels */
	const char *publish; /* where to, see target.h; NULL: nowhere */
	const char *header;  /* one more line of the request; or NULL */
	size_t subscribers;
	size_t processes;
	size_t channels;
	size_t per_subscriber; /* channels each subscriber has */
	size_t opening;        /* connections in the making, per process */
	uint64_t backlog;      /* events of each subscriber's first channel that
				* it has when it is ready */
	uint64_t first;        /* number before the first one of each channel */
	uint64_t give_up_s;    /* so long nothing comes: the rest is lost */
	bool json;             /* data are JSON, of an order */
	bool wait_live;        /* ready is who has had the event "live" */
	size_t event_bytes;
};

/* What the processes share. */
struct plan_shared {
	_Atomic uint64_t
	    received;             /* events of all, each counted once it came */
	_Atomic uint64_t awaited; /* who gets beyond it rings the bell */
	int bell;                 /* an eventfd */
	struct tally tallies[PLAN_PROCESSES_MAX];
	uint64_t published[]; /* the last number of each channel */
};

/* The subscriber's j-th channel: in the j-th of equal parts of all channels,
 * so that subscribers have different sets and channels equally many readers. */
size_t plan_channel(const struct plan *plan, size_t subscriber, size_t j);

/* Which of the subscriber's channels that is; -1: none. */
long plan_slot(const struct plan *plan, size_t subscriber, size_t channel);

uint64_t plan_now_ns(void);

/* Ends the program, saying why and, when it is set, errno. */
__attribute__((noreturn)) void plan_fail(const char *what);

#endif
