/*
 * worker_state: what the rooms of a worker share. For files of the worker only.
 */
#ifndef SSEMUX_WORKER_WORKER_STATE_H
#define SSEMUX_WORKER_WORKER_STATE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/heritage.h"
#include "broker/shared/vault.h"
#include "broker/worker/access/admission.h"
#include "broker/worker/cursor/conflated.h"
#include "broker/worker/cursor/delivery.h"
#include "broker/worker/cursor/handed.h"
#include "broker/worker/cursor/hold.h"
#include "broker/worker/cursor/outgoing.h"
#include "broker/worker/cursor/run.h"
#include "broker/worker/cursor/window.h"
#include "broker/worker/http/proxies.h"
#include "broker/worker/roster.h"
#include "broker/worker/stream/ended.h"
#include "broker/worker/stream/pull.h"
#include "broker/worker/wheel.h"

struct auth_keys;
struct channels;
struct connection;
struct revoked;
struct courier;
struct packing;
struct store_reader;
struct subscriber;
struct survivors;
struct volley;

struct worker {
	struct heritage *heritage;
	const struct config *config;
	struct board *board;
	struct ev_loop *loop;

	/* the log, and where this worker is in it */
	struct ring ring; /* mapped for reading */
	struct ring_reader reader;
	struct window window;
	struct store_reader *store;
	uint64_t birth; /* of the store: it gave no cursor before */

	/* what was withdrawn from users, and up to which number */
	struct revoked *revoked;
	uint64_t revoked_number;

	/* subscribers */
	struct channels *channels;
	struct roster roster;
	struct deliveries deliveries;
	struct outgoing outgoing;
	struct runs runs;
	struct packing *packing; /* NULL: nothing is compressed */
	struct volley *volley;   /* NULL: writes go out one by one */
	struct handed handed;
	struct ended ended;
	uint64_t began_ms; /* Unix time */
	struct holds holds;
	struct survivors *survivors; /* of a stride; NULL: no one took any */
	struct conflated conflated;
	struct buf catch_up;             /* frames of one step from the store */
	struct slice *patterns;          /* of the subscriber in that step */
	struct subscriber *behind_first; /* who can go on, in order of turn */
	struct subscriber *behind_last;

	/* who may see what */
	struct vault vault;
	uint64_t vault_version;  /* that the keys are of */
	struct auth_keys *keys;  /* for tokens; NULL in mode none */
	struct courier *courier; /* the link to the hub */

	/* connections */
	struct connection *connections; /* a doubly linked list */
	size_t connection_count;
	size_t connection_max;
	struct proxies proxies;
	size_t bodies_bytes; /* of requests that are coming in */
	struct pulls pulls;
	struct wheel wheel;
	uint64_t random; /* state of worker_retry_ms() */
	struct admission admission;
	bool draining;
	uint64_t drain_began_us;
	uint64_t drain_streams; /* there were then */
	bool accepting;
	unsigned accept_pauses;      /* in a row */
	uint64_t accepted_by_others; /* at the last pause */
	uint64_t accept_warned_s;    /* when it was last said that it fails */

	ev_io *listeners; /* one per listening socket */
	ev_io bell;
	ev_prepare turn_end;
	ev_check turn_begin;
	ev_idle unfinished; /* active: do not sleep */
	ev_timer clock;
	uint64_t clock_s; /* when it came last, */
	bool stood_still; /* and was that too late? */
	ev_timer accept_again;
	ev_signal terminate;
	ev_timer let_go; /* streams, in a drain that is spread */
};

/* Counts in the worker's page of the board. */
void worker_count(struct worker *worker, enum metric metric, uint64_t amount);

/* A delay for "retry:", in milliseconds: http.retry and up to as much more, and
 * longer while many wait for their stream, see admission.h. */
uint32_t worker_retry_ms(struct worker *worker);

/* The clock, in Unix milliseconds; it may be set back and forth. */
uint64_t worker_now_ms(const struct worker *worker);

/* Time that only goes on, from some moment in the past: for everything that is
 * due after a while. */
uint64_t worker_steady_s(void);
uint64_t worker_steady_us(void);

#endif
