/*
 * courier: a worker's link to the hub. See courier.h.
 *
 *	AWAY --a link comes: hello--> GREETING --welcome--> READY
 *	  ^                                                   |
 *	  +--- the hub ends, or says that it failed ----------+
 */
#include "broker/worker/courier/courier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "broker/shared/link.h"
#include "broker/shared/log.h"
#include "broker/worker/courier/courier_state.h"
#include "broker/worker/worker_state.h"

enum {
	READ_BYTES = 65536,
	/* After the hub said that it failed. */
	HELLO_AGAIN_MS = 200,
};

uint64_t
courier_steady_ms(void)
{
	return worker_steady_us() / 1000;
}

/* --- the link comes and goes --- */

static void
say_hello(struct courier *courier)
{
	courier->state = COURIER_GREETING;
	message_write(
	    &courier->out, &(struct message){
			       .type = MESSAGE_HELLO,
			       .version = MESSAGE_VERSION,
			       .publisher = slice_of_text(courier->id),
			   });
}

/* Nothing of what was said counts any more. */
static void
go_away(struct courier *courier)
{
	courier->state = COURIER_AWAY;
	events_rewind(courier);
	asks_lose(courier);
}

static void
lose_link(struct courier *courier)
{
	struct ev_loop *loop = courier->worker->loop;

	if (courier->fd == -1)
		return;
	ev_io_stop(loop, &courier->readable);
	ev_io_stop(loop, &courier->writable);
	ev_timer_stop(loop, &courier->hello_again);
	close(courier->fd);
	courier->fd = -1;
	buf_clear(&courier->in);
	buf_clear(&courier->out);
	go_away(courier);
}

static void
adopt_link(struct courier *courier, int fd)
{
	struct ev_loop *loop = courier->worker->loop;

	courier->fd = fd;
	ev_io_set(&courier->readable, fd, EV_READ);
	ev_io_set(&courier->writable, fd, EV_WRITE);
	ev_io_start(loop, &courier->readable);
	say_hello(courier);
	courier_flush(courier->worker);
}

/* --- what the hub says --- */

static void
take_welcome(struct courier *courier, const struct message *message)
{
	if (courier->state != COURIER_GREETING)
		return;
	if (message->version != MESSAGE_VERSION)
		log_fatal(EX_SOFTWARE, "the hub speaks another version");
	courier->state = COURIER_READY;
	log_debug("the hub listens");
}

/* The hub starts anew with this link; what is still on its way there it passes
 * over, up to the next hello, and so nothing is cut short. What it can never
 * take is refused to whoever waits for it, and what is only for now is sent
 * again. */
static void
take_failure(struct courier *courier, const struct message *message)
{
	enum refusal refusal = refusal_of_code(message->code);

	log_debug("the hub failed: %.*s", (int)message->code.len,
	    message->code.bytes);
	if (refusal == REFUSAL_NONE || !refusal_is_temporary(refusal))
		events_refuse_sent(
		    courier, (struct fault){REFUSAL_STORE, NULL});
	go_away(courier);
	ev_timer_stop(courier->worker->loop, &courier->hello_again);
	ev_timer_set(&courier->hello_again, HELLO_AGAIN_MS / 1000., 0.);
	ev_timer_start(courier->worker->loop, &courier->hello_again);
}

static void
on_hello_again(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct courier *courier = watcher->data;

	(void)loop;
	(void)events;
	say_hello(courier);
	courier_flush(courier->worker);
}

/* 0, or -1: it makes no sense. */
static int
take_message(struct courier *courier, const struct message *message)
{
	switch (message->type) {
	case MESSAGE_WELCOME:
		take_welcome(courier, message);
		return 0;
	case MESSAGE_ACK:
		return events_take_ack(courier, message);
	case MESSAGE_ERROR:
		if (message->seq != 0)
			return events_take_error(courier, message);
		take_failure(courier, message);
		return 0;
	case MESSAGE_RECEIPT:
		return events_take_receipt(courier, message);
	case MESSAGE_ASK:
		asks_take_ask(courier, message);
		return 0;
	case MESSAGE_ANSWER:
		asks_take_answer(courier, message);
		return 0;
	case MESSAGE_HELLO:
	case MESSAGE_PUBLISH:
	case MESSAGE_RESYNC:
	case MESSAGE_BYE:
	case MESSAGE_STATUS:
	case MESSAGE_REPORT:
	case MESSAGE_COMMAND:
	case MESSAGE_DONE:
	case MESSAGE_FAILED:
	case MESSAGE_AS:
		break;
	}
	return -1;
}

/* One message, if a whole one is there. A hub that talks nonsense is a bug of
 * ours, and cannot be mended by listening on. */
static bool
take_next(struct courier *courier)
{
	struct message message;
	enum refusal why;
	size_t size;

	switch (message_scan(buf_bytes(&courier->in), buf_length(&courier->in),
	    MESSAGE_TALK_MAX + MESSAGE_OVERHEAD_MAX, &size, &why)) {
	case MESSAGE_PART:
		return false;
	case MESSAGE_BAD:
		log_panic("the hub cannot be understood");
	case MESSAGE_WHOLE:
		break;
	}
	if (message_read(
		courier->reader, buf_bytes(&courier->in), size, &message)
		    .refusal != REFUSAL_NONE ||
	    take_message(courier, &message) == -1)
		log_panic("the hub says what makes no sense: type %d",
		    (int)message.type);
	buf_consume(&courier->in, size);
	return true;
}

/* One read. False: nothing is there now, or the link is lost. */
static bool
read_link(struct courier *courier)
{
	char *room = buf_reserve(&courier->in, READ_BYTES);
	ssize_t got;

	if (room == NULL)
		log_fatal(EX_OSERR, "no memory for the hub's answers");
	got = recv(courier->fd, room, READ_BYTES, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		lose_link(courier);
		return false;
	}
	buf_commit(&courier->in, (size_t)got);
	while (take_next(courier))
		;
	return true;
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct courier *courier = watcher->data;

	(void)loop;
	(void)events;
	read_link(courier);
	courier_flush(courier->worker);
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct courier *courier = watcher->data;

	(void)loop;
	(void)events;
	courier_flush(courier->worker);
}

/* A new link means a new hub: what the last one said before its end still
 * counts, and then nothing of it does. */
static void
on_control(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct courier *courier = watcher->data;
	struct heritage *heritage = courier->worker->heritage;
	size_t worker;
	int fd;

	(void)events;
	for (;;) {
		switch (link_receive(
		    watcher->fd, heritage->workers, &worker, &fd)) {
		case LINK_RECEIVED:
			while (courier->fd != -1 && read_link(courier))
				;
			lose_link(courier);
			adopt_link(courier, fd);
			break;
		case LINK_NONE:
			return;
		case LINK_END: /* of the supervisor, and so of all */
			ev_io_stop(loop, watcher);
			return;
		}
	}
}

/* --- what is said --- */

static void
send_out(struct courier *courier)
{
	struct ev_loop *loop = courier->worker->loop;

	while (buf_length(&courier->out) > 0) {
		ssize_t sent = send(courier->fd, buf_bytes(&courier->out),
		    buf_length(&courier->out), MSG_NOSIGNAL);

		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1)
			break; /* its end shows when it is read */
		buf_consume(&courier->out, (size_t)sent);
	}
	if (buf_length(&courier->out) > 0)
		ev_io_start(loop, &courier->writable);
	else
		ev_io_stop(loop, &courier->writable);
}

void
courier_flush(struct worker *worker)
{
	struct courier *courier = worker->courier;

	if (courier == NULL || courier->fd == -1)
		return;
	if (courier->state == COURIER_READY) {
		asks_fill(courier);
		events_fill(courier);
	}
	if (buf_failed(&courier->out))
		log_fatal(EX_OSERR, "no memory for what the hub is to get");
	send_out(courier);
}

bool
courier_connected(const struct worker *worker)
{
	return worker->courier->state == COURIER_READY;
}

/* --- start and end --- */

/* No two workers, and none after another's death, are the same publisher. */
static int
make_id(char id[COURIER_ID_TEXT])
{
	unsigned char random[16];
	size_t at = 2;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -1;
	memcpy(id, "+w", 2);
	for (size_t i = 0; i < sizeof(random); i++, at += 2)
		snprintf(id + at, COURIER_ID_TEXT - at, "%02x", random[i]);
	return 0;
}

int
courier_start(struct worker *worker)
{
	struct courier *courier = calloc(1, sizeof(*courier));

	worker->courier = courier;
	if (courier == NULL)
		return -1;
	courier->worker = worker;
	courier->fd = -1;
	buf_init(&courier->in, 0);
	buf_init(&courier->out, 0);
	events_start(courier);
	courier->reader = message_reader_create();
	if (courier->reader == NULL || make_id(courier->id) == -1 ||
	    asks_start(courier) == -1)
		return -1;
	ev_io_init(&courier->control, on_control, worker->heritage->control_fd,
	    EV_READ);
	ev_io_init(&courier->readable, on_readable, -1, EV_READ);
	ev_io_init(&courier->writable, on_writable, -1, EV_WRITE);
	ev_timer_init(&courier->hello_again, on_hello_again, 0., 0.);
	courier->control.data = courier->readable.data = courier;
	courier->writable.data = courier->hello_again.data = courier;
	ev_io_start(worker->loop, &courier->control);
	return 0;
}

/* When every event is answered, the hub may forget this worker's numbers. */
static void
say_bye(struct courier *courier)
{
	if (courier->state != COURIER_READY || courier->events > 0)
		return;
	if (courier->speaks_for_len > 0)
		message_write(
		    &courier->out, &(struct message){.type = MESSAGE_AS});
	message_write(&courier->out, &(struct message){.type = MESSAGE_BYE});
	send_out(courier);
}

void
courier_finish(struct worker *worker)
{
	struct courier *courier = worker->courier;

	if (courier == NULL)
		return;
	say_bye(courier);
	ev_io_stop(worker->loop, &courier->control);
	ev_io_stop(worker->loop, &courier->readable);
	ev_io_stop(worker->loop, &courier->writable);
	ev_timer_stop(worker->loop, &courier->hello_again);
	if (courier->fd != -1)
		close(courier->fd);
	events_finish(courier);
	asks_finish(courier);
	message_reader_destroy(courier->reader);
	buf_finish(&courier->in);
	buf_finish(&courier->out);
	free(courier);
	worker->courier = NULL;
}
