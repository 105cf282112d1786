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

int
reconcile_ring(struct hub *hub)
{
	const struct store_totals *totals = store_writer_totals(hub->store);
	struct ring *ring = &hub->heritage->ring;
	uint64_t seen, from;

	ring_take_over(ring);
	seen = from = ring_last_cursor(ring);
	hub->last_cursor =
	    totals->last_cursor > seen ? totals->last_cursor : seen;
	if (totals->last_cursor <= seen)
		return 0;
	if (seen < totals->max_horizon)
		from = totals->max_horizon;
	if (store_find_tail(hub->store, from, ring->size / 2, &from) == -1)
		return -1;
	if (from > ring_last_cursor(ring))
		ring_skip_to(ring, from);
	if (store_replay(hub->store, from, replay_event, hub) == -1)
		return -1;
	ring_publish(ring);
	if (ring_last_cursor(ring) < totals->last_cursor)
		ring_skip_to(ring, totals->last_cursor);
	bell_ring_sleepers(&hub->heritage->board, hub->heritage->worker_bells,
	    hub->heritage->workers);
	return 0;
}
