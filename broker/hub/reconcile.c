/* reconcile: ring and store after a start. See reconcile.h. */
#include "broker/hub/reconcile.h"

#include "broker/hub/hub_state.h"
#include "broker/hub/store_write.h"
#include "broker/shared/bell.h"

/* An event too long for this ring is from a time when longer ones were allowed:
 * the ring goes on behind it, and everybody reads it from the store. */
static bool
replay_event(const struct event *event, void *context)
{
	struct hub *hub = context;
	struct ring *ring = &hub->heritage->ring;
	size_t size = record_size(event);
	char *room;

	if (size > ring_record_max(ring)) {
		ring_skip_to(ring, event->cursor);
		return true;
	}
	room = buf_reserve(&hub->batch.records, size);
	if (room == NULL)
		return false;
	ring_write(ring, record_write(room, event));
	return true;
}

/* Writes into the ring what the store has above it. 0 or -1. */
static int
write_missing(struct hub *hub, uint64_t seen)
{
	const struct store_totals *totals = store_writer_totals(hub->store);
	struct ring *ring = &hub->heritage->ring;
	uint64_t from = seen < totals->max_horizon ? totals->max_horizon : seen;

	if (store_find_tail(hub->store, from, ring->size / 2, &from) == -1)
		return -1;
	if (from > seen)
		ring_skip_to(ring, from);
	if (store_replay(hub->store, from, replay_event, hub) == -1)
		return -1;
	ring_publish(ring);
	if (ring_last_cursor(ring) < totals->last_cursor)
		ring_skip_to(ring, totals->last_cursor);
	return 0;
}

int
reconcile_ring(struct hub *hub)
{
	const struct store_totals *totals = store_writer_totals(hub->store);
	struct ring *ring = &hub->heritage->ring;
	uint64_t seen;

	ring_take_over(ring);
	seen = ring_last_cursor(ring);
	hub->last_cursor =
	    totals->last_cursor > seen ? totals->last_cursor : seen;
	if (totals->last_cursor > seen && write_missing(hub, seen) == -1)
		return -1;
	/* Also when nothing was missing: the hub before may have died after it
	 * had written, and before the bell. */
	bell_ring_sleepers(&hub->heritage->board, hub->heritage->worker_bells,
	    hub->heritage->workers);
	return 0;
}
