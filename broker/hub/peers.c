/* peers: the workers, on their links. See peers.h. */
#include "broker/hub/peers.h"

#include <stdlib.h>

#include "broker/hub/hub_state.h"
#include "broker/hub/publisher.h"
#include "broker/shared/link.h"
#include "broker/shared/log.h"
#include "protocol/buf.h"

/* More than this waits for a worker: it is stuck, and is asked nothing. */
enum { STUCK_BYTES = 4 * MESSAGE_TALK_MAX };

static void
say(struct publisher *to, const struct message *message)
{
	message_write(publisher_out(to), message);
	publisher_flush(to);
}

/* The worker `from` gives no answer. */
static void
say_no_answer(struct publisher *to, uint64_t id, size_t from)
{
	say(to, &(struct message){
		    .type = MESSAGE_ANSWER, .id = id, .peer = (uint32_t)from});
}

void
peers_leave(struct hub *hub, const struct publisher *link)
{
	size_t worker = publisher_peer(link);

	if (hub->links == NULL || hub->links[worker] != link)
		return;
	hub->links[worker] = NULL;
	traces_lose(hub, worker);
	for (size_t i = 0; i < hub->heritage->workers; i++) {
		if (hub->links[i] != NULL)
			say_no_answer(hub->links[i], 0, worker);
	}
}

static void
take_link(struct hub *hub, size_t worker, int fd)
{
	struct publisher *link = publisher_create_link(hub, fd, worker);

	if (link == NULL) {
		log_warn("take the link of worker %zu: no memory", worker + 1);
		return;
	}
	if (hub->links[worker] != NULL)
		peers_leave(hub, hub->links[worker]);
	hub->links[worker] = link;
}

static void
on_control(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct hub *hub = watcher->data;
	size_t worker;
	int fd;

	(void)events;
	for (;;) {
		switch (link_receive(
		    watcher->fd, hub->heritage->workers, &worker, &fd)) {
		case LINK_RECEIVED:
			take_link(hub, worker, fd);
			break;
		case LINK_NONE:
			return;
		case LINK_END: /* of the supervisor, and so of all */
			ev_io_stop(loop, watcher);
			return;
		}
	}
}

int
peers_start(struct hub *hub)
{
	hub->links = calloc(hub->heritage->workers, sizeof(hub->links[0]));
	if (hub->links == NULL)
		return -1;
	ev_io_init(
	    &hub->control, on_control, hub->heritage->control_fd, EV_READ);
	hub->control.data = hub;
	ev_io_start(hub->loop, &hub->control);
	return 0;
}

void
peers_finish(struct hub *hub)
{
	free(hub->links);
	hub->links = NULL;
}

/* The link of a worker that takes questions; NULL: it does not. */
static struct publisher *
listener(struct hub *hub, size_t worker)
{
	struct publisher *link =
	    worker < hub->heritage->workers ? hub->links[worker] : NULL;

	if (link == NULL || !publisher_greeted(link) ||
	    buf_length(publisher_out(link)) > STUCK_BYTES)
		return NULL;
	return link;
}

static void
ask(struct hub *hub, const struct publisher *from,
    const struct message *message, size_t worker)
{
	struct publisher *to = listener(hub, worker);
	struct message passed = *message;

	passed.peer = (uint32_t)publisher_peer(from);
	if (to != NULL)
		say(to, &passed);
	else if (hub->links[passed.peer] == from)
		say_no_answer(hub->links[passed.peer], message->id, worker);
}

bool
peers_ask_own(struct hub *hub, size_t worker, uint64_t id, struct slice text)
{
	struct publisher *to = listener(hub, worker);

	if (to == NULL)
		return false;
	say(to, &(struct message){
		    .type = MESSAGE_ASK,
		    .id = id,
		    .peer = MESSAGE_PEER_HUB,
		    .text = text,
		});
	return true;
}

void
peers_ask(struct hub *hub, const struct publisher *from,
    const struct message *message)
{
	if (message->peer != MESSAGE_PEER_ALL) {
		ask(hub, from, message, message->peer);
		return;
	}
	for (size_t i = 0; i < hub->heritage->workers; i++) {
		if (i != publisher_peer(from))
			ask(hub, from, message, i);
	}
}

void
peers_answer(struct hub *hub, const struct publisher *from,
    const struct message *message)
{
	struct publisher *to = listener(hub, message->peer);
	struct message passed = *message;

	passed.peer = (uint32_t)publisher_peer(from);
	if (message->peer == MESSAGE_PEER_HUB) {
		if (hub->links[passed.peer] == from)
			traces_answer(
			    hub, passed.peer, message->id, message->text);
		return;
	}
	/* One that was replaced has been answered for already. */
	if (to != NULL && hub->links[passed.peer] == from)
		say(to, &passed);
}
