/*
 * publisher_read: whole messages out of what came from a publisher. See
 * publisher_state.h.
 */
#include "broker/hub/commit.h"
#include "broker/hub/hub_state.h"
#include "broker/hub/intake.h"
#include "broker/hub/publisher.h"
#include "broker/hub/publisher_state.h"

/* The longest message taken: enough over max_event that an event which is
 * too long can be refused by its number. */
static size_t
message_bytes_max(const struct publisher *publisher)
{
	size_t max = 2 * publisher->hub->config->publish_max_event;

	if (publisher_is_link(publisher) && max < MESSAGE_TALK_MAX)
		max = MESSAGE_TALK_MAX;
	return max + MESSAGE_OVERHEAD_MAX;
}

/* Must this message wait until a receipt or a command has been answered? */
static bool
must_wait(struct publisher *publisher, const struct message *message)
{
	struct hub *hub = publisher->hub;

	if (message->type == MESSAGE_COMMAND)
		publisher->waiting = !commands_room(&hub->commands) ||
				     !traces_room(&hub->traces);
	else if (message->type == MESSAGE_PUBLISH &&
		 (message->flags & MESSAGE_FLAGS_RECEIPT) != 0)
		publisher->waiting =
		    !receipts_room(&hub->receipts, hub->batch.receipts);
	hub->waiting |= publisher->waiting;
	return publisher->waiting;
}

/* One message, if a whole one is there. False: there is none, or it waits. */
static bool
take_message(struct publisher *publisher)
{
	struct hub *hub = publisher->hub;
	const char *bytes = buf_bytes(&publisher->in);
	size_t len = buf_length(&publisher->in);
	enum refusal why = REFUSAL_MALFORMED;
	struct message message;
	struct fault fault;
	size_t size;

	if (len < publisher->need)
		return false;
	switch (message_scan(
	    bytes, len, message_bytes_max(publisher), &size, &why)) {
	case MESSAGE_PART:
		publisher->need = size;
		return false;
	case MESSAGE_BAD:
		hub_commit(hub);
		publisher_end(publisher, (struct fault){why, NULL});
		/* Where the next message begins cannot be known. */
		publisher_close(publisher);
		return false;
	case MESSAGE_WHOLE:
		break;
	}
	fault = message_read(hub->reader, bytes, size, &message);
	if (fault.refusal == REFUSAL_NONE && must_wait(publisher, &message))
		return false;
	intake_message(hub, publisher, &message, fault);
	buf_consume(&publisher->in, size);
	publisher->need = 1;
	return true;
}

void
publisher_take_messages(struct publisher *publisher)
{
	struct hub *hub = publisher->hub;

	while (!publisher->closing && !publisher_is_behind(publisher) &&
	       take_message(publisher)) {
		if (batch_full(&hub->batch, hub->config->publish_batch_bytes))
			hub_commit(hub);
	}
	/* It goes on when its socket takes what it is owed. */
	publisher->held = publisher_is_behind(publisher);
	publisher_pace(publisher);
}

void
publisher_go_on(struct publisher *publisher)
{
	if (!publisher->waiting)
		return;
	publisher->waiting = false;
	publisher_take_messages(publisher);
}
