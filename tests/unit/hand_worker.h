/*
 * hand_worker: a worker without a process, that takes a turn when the test
 * says so; and a hub's hand, which commits events and shows them in the ring.
 */
#ifndef TESTS_UNIT_HAND_WORKER_H
#define TESTS_UNIT_HAND_WORKER_H

#include <sys/socket.h>

#include "broker/shared/bell.h"
#include "broker/worker/access/revoked_apply.h"
#include "broker/worker/connection.h"
#include "broker/worker/cursor/channels.h"
#include "broker/worker/cursor/cursor.h"
#include "broker/worker/cursor/follow.h"
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/cursor/survivors.h"
#include "broker/worker/cursor/volley.h"
#include "broker/worker/worker_state.h"
#include "protocol/cursor_id.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/store_folder.h"

enum {
	HAND_RING_BYTES = 65536,
	HAND_WINDOW_BYTES = 32768,
	HAND_WINDOW_EVENTS = 64,
	HAND_CONNECTIONS = 32,
};

struct hand_worker {
	struct store_folder store;
	struct heritage heritage;
	struct config config;
	struct worker worker;
	uint64_t cursor;  /* of the newest event */
	uint32_t receipt; /* wanted for each event; 0: none */
};

static inline void
hand_worker_begin_following(struct hand_worker *hand)
{
	struct worker *worker = &hand->worker;

	worker->store = store_reader_open(hand->store.path);
	ck_assert_ptr_nonnull(worker->store);
	ck_assert_int_eq(
	    ring_map_reader(&worker->ring, hand->heritage.ring_fd), 0);
	ring_attach(&worker->ring, &worker->reader);
	ck_assert_int_eq(
	    window_init(&worker->window, HAND_WINDOW_BYTES, HAND_WINDOW_EVENTS,
		hand->config.shapes, hand->config.shape_count),
	    0);
	window_reset(&worker->window, worker->reader.cursor);
	ck_assert_int_eq(revoked_apply_start(worker), 0);
}

static inline void
hand_worker_make(struct hand_worker *hand)
{
	struct heritage *heritage = &hand->heritage;
	struct worker *worker = &hand->worker;
	char error[CONFIG_ERROR_SIZE];

	memset(hand, 0, sizeof(*hand));
	store_folder_make(&hand->store);
	ck_assert_int_eq(config_load(&hand->config, NULL, NULL, 0, error), 0);
	ck_assert_int_eq(
	    ring_create(&heritage->ring, HAND_RING_BYTES, &heritage->ring_fd),
	    0);
	ring_take_over(&heritage->ring);
	ck_assert_int_eq(
	    board_create(&heritage->board, 1, &heritage->board_fd), 0);
	ck_assert_int_eq(census_create(&heritage->census, 1,
			     2 * HAND_CONNECTIONS, &heritage->census_fd),
	    0);
	ck_assert_int_eq(
	    census_confine(&heritage->census, heritage->census_fd, 0), 0);
	heritage->connections = HAND_CONNECTIONS;
	heritage->hub_bell = bell_create();
	worker->heritage = heritage;
	worker->config = &hand->config;
	worker->board = &heritage->board;
	worker->loop = ev_loop_new(EVFLAG_AUTO);
	worker->channels = channels_create();
	worker->patterns =
	    calloc(hand->config.http_max_channels, sizeof(struct slice));
	worker->connection_max = HAND_CONNECTIONS;
	worker->random = 1;
	ck_assert_int_eq(
	    deliveries_init(&worker->deliveries, HAND_CONNECTIONS), 0);
	wheel_init(&worker->wheel, worker_steady_s());
	holds_init(worker);
	worker->volley = volley_create(); /* NULL where there are none */
	hand->cursor = cursor_id_make(1763700000000, 0);
	hand_worker_begin_following(hand);
}

static inline void
hand_worker_finish(struct hand_worker *hand)
{
	struct worker *worker = &hand->worker;

	while (worker->connections != NULL)
		connection_destroy(worker->connections);
	ck_assert_uint_eq(channels_count(worker->channels), 0);
	ck_assert_uint_eq(board_sum(worker->board, METRIC_STREAMS), 0);
	ck_assert_uint_eq(board_sum(worker->board, METRIC_STREAMS_BEHIND), 0);
	ck_assert_uint_eq(board_sum(worker->board, METRIC_SUBSCRIPTIONS), 0);
	channels_destroy(worker->channels);
	handed_finish(worker);
	ended_finish(&worker->ended);
	roster_finish(&worker->roster);
	deliveries_finish(&worker->deliveries);
	runs_finish(&worker->runs);
	volley_destroy(worker->volley);
	window_finish(&worker->window);
	survivors_destroy(worker->survivors);
	conflated_finish(&worker->conflated);
	buf_finish(&worker->catch_up);
	revoked_apply_finish(worker);
	store_reader_close(worker->store);
	ring_unmap(&worker->ring);
	free(worker->patterns);
	ev_loop_destroy(worker->loop);
	ring_unmap(&hand->heritage.ring);
	close(hand->heritage.ring_fd);
	close(hand->heritage.board_fd);
	close(hand->heritage.census_fd);
	close(hand->heritage.hub_bell);
	config_finish(&hand->config);
	store_folder_remove(&hand->store);
}

/* One turn of the loop. True while something is left that could go on. */
static inline bool
hand_worker_turn(struct hand_worker *hand)
{
	bool more;

	ev_run(hand->worker.loop, EVRUN_NOWAIT);
	more = follow_ring(&hand->worker);
	return cursor_catch_up(&hand->worker) || more;
}

/* Commits an event with that much data, and shows it in the ring; its cursor.
 * Three events share a millisecond. */
static inline uint64_t
hand_worker_publish(struct hand_worker *hand, size_t data_len)
{
	static struct sample_event sample;
	struct ring *ring = &hand->heritage.ring;
	struct store_folder *store = &hand->store;
	struct record *record;

	hand->cursor = cursor_id_seq(hand->cursor) < 2
			   ? hand->cursor + 1
			   : cursor_id_make(cursor_id_ms(hand->cursor) + 1, 0);
	ck_assert_int_eq(store_begin(store->writer), 0);
	if (store->publisher.id == 0)
		ck_assert_int_eq(store_make_publisher(store->writer,
				     slice_of_text("hand"), &store->publisher),
		    0);
	ck_assert_int_eq(
	    store_add_event(store, sample_make(&sample, hand->cursor, data_len),
		&store->publisher, ++store->seq),
	    0);
	ck_assert_int_eq(store_commit(store->writer), 0);
	record = sample_record(hand->cursor, data_len);
	record->receipt = hand->receipt;
	ring_write(ring, record);
	ring_publish(ring);
	return hand->cursor;
}

/* A connection of which the worker has one end; the other end. Of type
 * SOCK_SEQPACKET, what it reads at once was written at once. */
static inline int
hand_worker_connect_as(struct hand_worker *hand, int type)
{
	static const struct address nowhere;
	int small = 4096;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(
	    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
	    0);
	ck_assert_ptr_nonnull(
	    connection_create(&hand->worker, fds[0], &nowhere));
	return fds[1];
}

static inline int
hand_worker_connect(struct hand_worker *hand)
{
	return hand_worker_connect_as(hand, SOCK_STREAM);
}

#endif
