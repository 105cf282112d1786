/* intake: messages of publishers, checked and staged. See intake.h. */
#include "broker/hub/intake.h"

#include "broker/hub/commit.h"
#include "broker/hub/hub_state.h"
#include "broker/hub/peers.h"
#include "broker/hub/publisher.h"
#include "broker/hub/status.h"
#include "broker/hub/store_write.h"

/* Ends the publisher, after everything before was answered. */
static void
end_publisher(struct hub *hub, struct publisher *publisher, struct fault fault)
{
	hub_commit(hub);
	publisher_end(publisher, fault);
}

static void
refuse(struct hub *hub, struct publisher *publisher, uint64_t seq,
    struct fault fault)
{
	hub_count(hub, METRIC_EVENTS_REFUSED, 1);
	batch_add(&hub->batch, &(struct batch_entry){
				   .kind = BATCH_REFUSAL,
				   .publisher = publisher,
				   .seq = seq,
				   .fault = fault,
			       });
}

static struct fault
check_publish(const struct hub *hub, struct message *message)
{
	enum event_meaning meaning;

	if (message->type == MESSAGE_RESYNC)
		return event_channel_valid(message->event.channel)
			   ? (struct fault){REFUSAL_NONE, NULL}
			   : (struct fault){REFUSAL_CHANNEL, "channel"};
	if (message_meaning(message, &meaning) == -1)
		return (struct fault){REFUSAL_FLAGS, "flags"};
	return event_check(
	    &message->event, meaning, hub->config->publish_max_event);
}

/* A number that was stored before this connection began. */
static void
stage_resend(
    struct hub *hub, struct publisher *publisher, const struct message *message)
{
	uint64_t cursor;

	switch (store_find_cursor(hub->store,
	    &publisher_identity(publisher)->known, message->seq, &cursor)) {
	case 1:
		hub_count(hub, METRIC_EVENTS_DUPLICATE, 1);
		batch_add(&hub->batch, &(struct batch_entry){
					   .kind = BATCH_DUPLICATE,
					   .publisher = publisher,
					   .seq = message->seq,
					   .cursor = cursor,
				       });
		break;
	case 0: /* refused then, or older than the window */
		refuse(hub, publisher, message->seq,
		    (struct fault){REFUSAL_SEQ, "seq"});
		break;
	default:
		end_publisher(
		    hub, publisher, (struct fault){REFUSAL_STORE, NULL});
	}
}

static void
stage_event(
    struct hub *hub, struct publisher *publisher, const struct message *message)
{
	enum batch_receipt receipt = BATCH_NO_RECEIPT;

	if ((message->flags & MESSAGE_FLAG_COUNTS) != 0)
		receipt = BATCH_COUNTS;
	else if ((message->flags & MESSAGE_FLAG_RECEIPT) != 0)
		receipt = BATCH_RECEIPT;
	if (batch_add_event(&hub->batch, publisher, message->seq,
		&message->event, receipt) == -1)
		end_publisher(
		    hub, publisher, (struct fault){REFUSAL_STORE, NULL});
}

/* Commits what is staged. False: that failed, and the link begins anew. */
static bool
commit_and_greeted(struct hub *hub, const struct publisher *link)
{
	hub_commit(hub);
	return publisher_greeted(link);
}

/* The guest of this link has published over another since. 0, or -1 and the
 * link begins anew. */
static int
update_guest(struct hub *hub, struct publisher *link)
{
	struct store_publisher known;

	if (!commit_and_greeted(hub, link))
		return -1;
	if (store_find_publisher(hub->store,
		identity_name(publisher_identity(link)), &known) == -1) {
		publisher_end(link, (struct fault){REFUSAL_STORE, NULL});
		return -1;
	}
	publisher_update_guest(link, &known);
	return 0;
}

static bool
is_allowed(const struct publisher *publisher, const struct message *message)
{
	const struct rules *rules = publisher_rules(publisher);
	struct slice channel = message->event.channel;

	return message->type == MESSAGE_RESYNC
		   ? rules_allow_resync(rules, channel)
		   : rules_allow_channel(rules, channel);
}

static void
take_publish(
    struct hub *hub, struct publisher *publisher, struct message *message)
{
	struct identity *identity = publisher_identity(publisher);
	struct fault fault = check_publish(hub, message);

	if (publisher_guest_outdated(publisher) &&
	    update_guest(hub, publisher) == -1)
		return;
	if (!identity_offer(identity, message->seq)) {
		refuse(hub, publisher, message->seq,
		    (struct fault){REFUSAL_SEQ, "seq"});
	} else if (fault.refusal != REFUSAL_NONE) {
		refuse(hub, publisher, message->seq, fault);
	} else if (message->seq <= identity->stored_before) {
		stage_resend(hub, publisher, message);
	} else if (!is_allowed(publisher, message)) {
		hub_count(hub, METRIC_NOT_ALLOWED, 1);
		refuse(hub, publisher, message->seq,
		    (struct fault){REFUSAL_NOT_ALLOWED, "channel"});
	} else {
		stage_event(hub, publisher, message);
	}
}

static bool
name_valid(const struct publisher *publisher, struct slice name)
{
	return publisher_is_link(publisher) ? message_link_publisher_valid(name)
					    : message_publisher_valid(name);
}

static void
take_hello(
    struct hub *hub, struct publisher *publisher, const struct message *message)
{
	struct store_publisher known;

	publisher_hear(publisher);
	if (publisher_greeted(publisher)) {
		end_publisher(
		    hub, publisher, (struct fault){REFUSAL_HELLO, NULL});
		return;
	}
	if (message->version == 0) {
		publisher_end(
		    publisher, (struct fault){REFUSAL_VERSION, "version"});
		return;
	}
	if (!name_valid(publisher, message->publisher)) {
		publisher_end(
		    publisher, (struct fault){REFUSAL_PUBLISHER, "publisher"});
		return;
	}
	/* What an older connection of this publisher sent is stored first. */
	hub_commit(hub);
	publisher_replace(hub->publishers, publisher, message->publisher);
	if (store_find_publisher(hub->store, message->publisher, &known) == -1)
		publisher_end(publisher, (struct fault){REFUSAL_STORE, NULL});
	else
		publisher_welcome(publisher, message->publisher, &known,
		    hub->config->publish_max_event);
}

/* What follows is of somebody else. */
static void
take_as(struct hub *hub, struct publisher *link, const struct message *message)
{
	struct store_publisher known;

	/* What is staged belongs to the one before. */
	if (!commit_and_greeted(hub, link))
		return;
	if (message->publisher.len == 0)
		publisher_end_guest(link);
	else if (!message_link_publisher_valid(message->publisher))
		publisher_end(
		    link, (struct fault){REFUSAL_PUBLISHER, "publisher"});
	else if (store_find_publisher(hub->store, message->publisher, &known) ==
		 -1)
		publisher_end(link, (struct fault){REFUSAL_STORE, NULL});
	else {
		hub->new_guests += known.id == 0;
		publisher_begin_guest(link, message->publisher, &known);
	}
}

static void
take_bye(struct hub *hub, struct publisher *publisher)
{
	batch_add(&hub->batch, &(struct batch_entry){
				   .kind = BATCH_FAREWELL,
				   .publisher = publisher,
			       });
	hub_commit(hub);
	publisher_close(publisher);
}

static void
take_status(struct hub *hub, struct publisher *publisher)
{
	struct buf report;

	hub_commit(hub);
	buf_init(&report, 0);
	status_report(hub, &report);
	publisher_report(publisher, &report);
	buf_finish(&report);
}

static void
fail_command(struct hub *hub, struct publisher *publisher, uint64_t id,
    struct fault fault)
{
	hub_commit(hub);
	publisher_fail_command(publisher, id, fault);
	publisher_flush(publisher);
}

/* A message that could not be read: refused when it has a number. */
static void
take_fault(struct hub *hub, struct publisher *publisher,
    const struct message *message, struct fault fault)
{
	struct identity *identity = publisher_identity(publisher);
	bool numbered = publisher_greeted(publisher) && message->seq != 0 &&
			(message->type == MESSAGE_PUBLISH ||
			    message->type == MESSAGE_RESYNC);

	if (publisher_greeted(publisher) && message->id != 0 &&
	    message->type == MESSAGE_COMMAND)
		fail_command(hub, publisher, message->id, fault);
	else if (!numbered)
		end_publisher(hub, publisher, fault);
	else if (!identity_offer(identity, message->seq))
		refuse(hub, publisher, message->seq,
		    (struct fault){REFUSAL_SEQ, "seq"});
	else
		refuse(hub, publisher, message->seq, fault);
}

/* What only workers say. */
static void
take_link_message(
    struct hub *hub, struct publisher *publisher, const struct message *message)
{
	if (!publisher_is_link(publisher))
		end_publisher(
		    hub, publisher, (struct fault){REFUSAL_MALFORMED, "type"});
	else if (message->type == MESSAGE_AS)
		take_as(hub, publisher, message);
	else if (message->type == MESSAGE_ASK)
		peers_ask(hub, publisher, message);
	else
		peers_answer(hub, publisher, message);
}

void
intake_message(struct hub *hub, struct publisher *publisher,
    struct message *message, struct fault fault)
{
	if (fault.refusal != REFUSAL_NONE) {
		take_fault(hub, publisher, message, fault);
		return;
	}
	if (message->type == MESSAGE_HELLO) {
		take_hello(hub, publisher, message);
		return;
	}
	if (!publisher_greeted(publisher)) {
		end_publisher(
		    hub, publisher, (struct fault){REFUSAL_HELLO, NULL});
		return;
	}
	switch (message->type) {
	case MESSAGE_PUBLISH:
	case MESSAGE_RESYNC:
		take_publish(hub, publisher, message);
		break;
	case MESSAGE_BYE:
		take_bye(hub, publisher);
		break;
	case MESSAGE_STATUS:
		take_status(hub, publisher);
		break;
	case MESSAGE_COMMAND:
		commands_take(hub, publisher, message);
		break;
	case MESSAGE_HELLO: /* above */
	case MESSAGE_WELCOME:
	case MESSAGE_ACK:
	case MESSAGE_ERROR:
	case MESSAGE_RECEIPT:
	case MESSAGE_REPORT:
	case MESSAGE_DONE:
	case MESSAGE_FAILED:
		end_publisher(
		    hub, publisher, (struct fault){REFUSAL_MALFORMED, "type"});
		break;
	case MESSAGE_AS:
	case MESSAGE_ASK:
	case MESSAGE_ANSWER:
		take_link_message(hub, publisher, message);
	}
}
