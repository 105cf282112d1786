/*
 * publisher: the socket of one publisher, and what is known of it. See
 * publisher.h.
 */
#include "broker/hub/publisher.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/hub/commit.h"
#include "broker/hub/credentials.h"
#include "broker/hub/hub_state.h"
#include "broker/hub/peers.h"
#include "broker/hub/publisher_state.h"
#include "broker/shared/log.h"

enum {
	READ_BYTES = 65536,
	READS_PER_TURN = 8, /* then others have their turn */
	/* Answers that may wait for a publisher which does not read them;
	 * beyond, nothing more is read or taken from it. */
	OUT_HIGH_BYTES = 262144,
};

bool
publisher_is_behind(const struct publisher *publisher)
{
	return buf_length(&publisher->out) > OUT_HIGH_BYTES;
}

void
publisher_pace(struct publisher *publisher)
{
	struct ev_loop *loop = publisher->hub->loop;

	if (publisher->closing || publisher->waiting || publisher->held ||
	    publisher_is_behind(publisher))
		ev_io_stop(loop, &publisher->readable);
	else if (!ev_is_active(&publisher->readable))
		ev_io_start(loop, &publisher->readable);
}

/* Reads once, and takes what came. False: there is no more for now. */
static bool
read_some(struct publisher *publisher)
{
	char *room = buf_reserve(&publisher->in, READ_BYTES);
	ssize_t got;

	if (room == NULL) {
		log_warn("publisher %.*s: no memory",
		    (int)publisher->identity.name_len,
		    publisher->identity.name);
		publisher_close(publisher);
		return false;
	}
	got = recv(publisher->fd, room, READ_BYTES, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		/* It may still read what it is owed. */
		hub_commit(publisher->hub);
		publisher_close(publisher);
		return false;
	}
	buf_commit(&publisher->in, (size_t)got);
	publisher_take_messages(publisher);
	return got == READ_BYTES;
}

/* What is there is committed together, as far as others may wait for it. */
static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct publisher *publisher = watcher->data;

	(void)loop;
	(void)events;
	for (int reads = 0; reads < READS_PER_TURN; reads++) {
		if (!read_some(publisher) || !ev_is_active(watcher))
			return;
	}
}

static void
publisher_drop_output(struct publisher *publisher)
{
	buf_clear(&publisher->out);
	publisher->closing = true;
}

void
publisher_flush(struct publisher *publisher)
{
	struct ev_loop *loop = publisher->hub->loop;

	if (buf_failed(&publisher->out))
		publisher_drop_output(publisher);
	while (buf_length(&publisher->out) > 0) {
		ssize_t sent = send(publisher->fd, buf_bytes(&publisher->out),
		    buf_length(&publisher->out), MSG_NOSIGNAL);

		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1 && errno == EAGAIN)
			break;
		if (sent == -1)
			publisher_drop_output(publisher);
		else
			buf_consume(&publisher->out, (size_t)sent);
	}
	if (buf_length(&publisher->out) > 0 || publisher->held)
		ev_io_start(loop, &publisher->writable);
	else
		ev_io_stop(loop, &publisher->writable);
	publisher_pace(publisher);
	publisher->hub->sweep |= publisher_done(publisher);
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct publisher *publisher = watcher->data;

	(void)loop;
	(void)events;
	publisher_flush(publisher);
	if (publisher->held)
		publisher_take_messages(publisher);
}

static struct publisher *
create(struct hub *hub, int fd, size_t peer)
{
	struct publisher *publisher = calloc(1, sizeof(*publisher));

	if (publisher == NULL) {
		close(fd);
		return NULL;
	}
	publisher->hub = hub;
	publisher->fd = fd;
	publisher->need = 1;
	publisher->peer = peer;
	buf_init(&publisher->in, 0);
	buf_init(&publisher->out, 0);
	ev_io_init(&publisher->readable, on_readable, fd, EV_READ);
	ev_io_init(&publisher->writable, on_writable, fd, EV_WRITE);
	publisher->readable.data = publisher->writable.data = publisher;
	ev_io_start(hub->loop, &publisher->readable);
	publisher->next = hub->publishers;
	if (publisher->next != NULL)
		publisher->next->previous = publisher;
	hub->publishers = publisher;
	return publisher;
}

/* What the peer may do; nothing, when it is not known who it is. 0 or -1. */
static int
find_rules(struct publisher *publisher)
{
	struct rules_peer peer;
	int result;

	if (credentials_read(publisher->fd, &peer) == -1) {
		log_warn("who a publisher is: %m");
		return -1;
	}
	result = rules_init(&publisher->rules, publisher->hub->config, &peer);
	credentials_finish(&peer);
	return result;
}

struct publisher *
publisher_create(struct hub *hub, int fd)
{
	struct publisher *publisher = create(hub, fd, NO_PEER);

	if (publisher == NULL)
		return NULL;
	hub->publisher_count++;
	publisher->due_ms =
	    hub_steady_ms() + hub->config->publish_hello_timeout;
	if (find_rules(publisher) == 0)
		return publisher;
	publisher_destroy(publisher);
	return NULL;
}

struct publisher *
publisher_create_link(struct hub *hub, int fd, size_t worker)
{
	struct publisher *publisher = create(hub, fd, worker);

	if (publisher != NULL)
		rules_init_all(&publisher->rules);
	return publisher;
}

void
publisher_destroy(struct publisher *publisher)
{
	struct hub *hub = publisher->hub;

	ev_io_stop(hub->loop, &publisher->readable);
	ev_io_stop(hub->loop, &publisher->writable);
	close(publisher->fd);
	receipts_drop(&hub->receipts, publisher);
	commands_drop(&hub->commands, publisher);
	traces_drop(&hub->traces, publisher);
	rules_finish(&publisher->rules);
	if (publisher->previous != NULL)
		publisher->previous->next = publisher->next;
	else
		hub->publishers = publisher->next;
	if (publisher->next != NULL)
		publisher->next->previous = publisher->previous;
	if (publisher_is_link(publisher))
		peers_leave(hub, publisher);
	else
		hub->publisher_count--;
	buf_finish(&publisher->in);
	buf_finish(&publisher->out);
	free(publisher);
}

struct publisher *
publisher_next(const struct publisher *publisher)
{
	return publisher->next;
}

const struct rules *
publisher_rules(const struct publisher *publisher)
{
	return &publisher->rules;
}

struct buf *
publisher_out(struct publisher *publisher)
{
	return &publisher->out;
}

bool
publisher_greeted(const struct publisher *publisher)
{
	return publisher->identity.name_len > 0;
}

/* The link begins anew, with the next hello. */
static void
begin_anew(struct publisher *link, struct fault fault)
{
	if (link->deaf)
		return;
	link->deaf = true;
	log_warn("worker %zu: %s: its link begins anew", link->peer + 1,
	    refusal_code(fault.refusal));
	publisher_end_guest(link);
	link->identity = (struct identity){.name_len = 0};
	receipts_drop(&link->hub->receipts, link);
	commands_drop(&link->hub->commands, link);
	traces_drop(&link->hub->traces, link);
	publisher_refuse(link, 0, fault);
	publisher_flush(link);
}

void
publisher_end(struct publisher *publisher, struct fault fault)
{
	if (publisher->closing)
		return;
	if (publisher_is_link(publisher)) {
		begin_anew(publisher, fault);
		return;
	}
	if (fault.refusal != REFUSAL_SHUTDOWN) {
		hub_count(publisher->hub, METRIC_PUBLISHERS_REFUSED, 1);
		log_info("publisher %.*s: %s: connection ended",
		    (int)publisher->identity.name_len, publisher->identity.name,
		    refusal_code(fault.refusal));
	}
	publisher_refuse(publisher, 0, fault);
	publisher_close(publisher);
}

void
publisher_tick(struct publisher *publisher, uint64_t now_ms)
{
	if (publisher->due_ms == 0 || now_ms < publisher->due_ms)
		return;
	if (!publisher->closing && publisher_greeted(publisher)) {
		publisher->due_ms = 0;
	} else if (!publisher->closing) {
		hub_count(publisher->hub, METRIC_PUBLISHERS_SILENT, 1);
		publisher_end(publisher, (struct fault){REFUSAL_TIMEOUT, NULL});
	} else {
		publisher_drop_output(publisher);
		publisher_flush(publisher);
	}
}

void
publisher_close(struct publisher *publisher)
{
	struct hub *hub = publisher->hub;

	publisher->closing = true;
	publisher->due_ms =
	    hub_steady_ms() + hub->config->publish_hello_timeout;
	publisher_flush(publisher);
}

bool
publisher_done(const struct publisher *publisher)
{
	return publisher->closing && buf_length(&publisher->out) == 0;
}
