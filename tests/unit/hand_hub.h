/*
 * hand_hub: the hub's end of a worker's link, in the test's hands; and a
 * worker that has nothing but its courier.
 */
#ifndef TESTS_UNIT_HAND_HUB_H
#define TESTS_UNIT_HAND_HUB_H

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/shared/link.h"
#include "broker/worker/courier/courier.h"
#include "broker/worker/worker_state.h"
#include "protocol/buf.h"
#include "protocol/message.h"

enum { HAND_WORKERS = 3, HAND_WORKER = 1 };

struct hand_hub {
	struct heritage heritage;
	struct config config;
	struct worker worker;
	int control; /* the supervisor's end */
	int fd;      /* the hub's end of the link; -1: none */
	struct buf in;
	struct message_reader *reader;
	char id[MESSAGE_PUBLISHER_MAX + 1]; /* that the worker said */
};

static inline void
hand_hub_make(struct hand_hub *hub)
{
	char error[CONFIG_ERROR_SIZE];
	int ends[2];

	memset(hub, 0, sizeof(*hub));
	ck_assert_int_eq(config_load(&hub->config, NULL, NULL, 0, error), 0);
	ck_assert_int_eq(
	    board_create(&hub->heritage.board, 1, &hub->heritage.board_fd), 0);
	hub->worker.board = &hub->heritage.board;
	ck_assert_int_eq(link_make_control(ends), 0);
	hub->control = ends[0];
	hub->fd = -1;
	buf_init(&hub->in, 0);
	hub->reader = message_reader_create();
	hub->heritage.control_fd = ends[1];
	hub->heritage.workers = HAND_WORKERS;
	hub->heritage.worker = HAND_WORKER;
	hub->worker.heritage = &hub->heritage;
	hub->worker.config = &hub->config;
	hub->worker.loop = ev_loop_new(EVFLAG_AUTO);
	ck_assert_int_eq(courier_start(&hub->worker), 0);
}

static inline void
hand_hub_finish(struct hand_hub *hub)
{
	courier_finish(&hub->worker);
	ev_loop_destroy(hub->worker.loop);
	close(hub->control);
	close(hub->heritage.board_fd);
	close(hub->heritage.control_fd);
	if (hub->fd != -1)
		close(hub->fd);
	buf_finish(&hub->in);
	message_reader_destroy(hub->reader);
	config_finish(&hub->config);
}

/* What the worker's loop does when nothing is left to wait for. */
static inline void
hand_hub_turn(struct hand_hub *hub)
{
	for (int i = 0; i < 3; i++) {
		courier_flush(&hub->worker);
		ev_run(hub->worker.loop, EVRUN_NOWAIT);
	}
}

/* The same, until the courier's timers have come. */
static inline void
hand_hub_turn_until_due(struct hand_hub *hub)
{
	ev_run(hub->worker.loop, EVRUN_ONCE);
	hand_hub_turn(hub);
}

static inline void
hand_hub_say(struct hand_hub *hub, const struct message *message)
{
	struct buf out;

	buf_init(&out, 0);
	message_write(&out, message);
	ck_assert_int_eq(
	    send(hub->fd, buf_bytes(&out), buf_length(&out), MSG_NOSIGNAL),
	    (ssize_t)buf_length(&out));
	buf_finish(&out);
}

/* The next message of the worker; false: there is none. It is valid until the
 * next call. */
static inline bool
hand_hub_next(struct hand_hub *hub, struct message *message)
{
	static char bytes[1 << 20];
	enum refusal why;
	size_t size;
	ssize_t got;

	do {
		hand_hub_turn(hub);
		got = recv(hub->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (got > 0)
			buf_append(&hub->in, bytes, (size_t)got);
	} while (got > 0);
	if (message_scan(buf_bytes(&hub->in), buf_length(&hub->in), 1 << 20,
		&size, &why) != MESSAGE_WHOLE) {
		ck_assert_uint_eq(buf_length(&hub->in), 0);
		return false;
	}
	memcpy(bytes, buf_bytes(&hub->in), size);
	buf_consume(&hub->in, size);
	ck_assert_int_eq(
	    message_read(hub->reader, bytes, size, message).refusal,
	    REFUSAL_NONE);
	return true;
}

/* The next message, which must be of that type. */
static inline struct message
hand_hub_hear(struct hand_hub *hub, enum message_type type)
{
	struct message message;

	ck_assert(hand_hub_next(hub, &message));
	ck_assert_int_eq(message.type, type);
	return message;
}

static inline void
hand_hub_hear_nothing(struct hand_hub *hub)
{
	struct message message;

	ck_assert(!hand_hub_next(hub, &message));
}

/* A new hub, which may still be silent; the one before ends afterwards. */
static inline void
hand_hub_link(struct hand_hub *hub)
{
	int before = hub->fd;
	int ends[2];

	ck_assert_int_eq(link_make(ends), 0);
	ck_assert_int_eq(link_send(hub->control, HAND_WORKER, ends[1]), 0);
	close(ends[1]);
	hub->fd = ends[0];
	buf_clear(&hub->in);
	if (before != -1)
		close(before);
}

static inline void
hand_hub_welcome(struct hand_hub *hub, uint64_t last_seq)
{
	struct message hello = hand_hub_hear(hub, MESSAGE_HELLO);

	ck_assert_uint_eq(hello.version, MESSAGE_VERSION);
	ck_assert(message_link_publisher_valid(hello.publisher));
	if (*hub->id == '\0')
		memcpy(hub->id, hello.publisher.bytes, hello.publisher.len);
	ck_assert(slice_is(hello.publisher, hub->id));
	hand_hub_say(hub, &(struct message){
			      .type = MESSAGE_WELCOME,
			      .version = MESSAGE_VERSION,
			      .last_seq = last_seq,
			      .max_event = 65536,
			      .window = MESSAGE_WINDOW,
			  });
	hand_hub_turn(hub);
}

static inline void
hand_hub_ack(struct hand_hub *hub, uint64_t seq, uint64_t cursor)
{
	hand_hub_say(
	    hub, &(struct message){
		     .type = MESSAGE_ACK, .seq = seq, .cursor = cursor});
}

#endif
