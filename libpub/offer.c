/*
 * offer: an event as the caller gives it, checked and put into the queue.
 *
 * What can be seen to be wrong here is refused here, so that it cannot harm
 * the connection: the broker ends one over a message that it cannot read.
 */
#include <errno.h>

#include "libpub/failure.h"
#include "libpub/handle.h"
#include "libpub/sized.h"

/* A text that may be NULL, measured no further than a bound can matter. */
static struct slice
slice_of_optional(const char *text, size_t max)
{
	if (text == NULL)
		return slice_of(NULL, 0);
	return slice_of(text, strnlen(text, max + 1));
}

/* How the data go into the message. -1 for what is none of ours. */
static int
settle_data(struct message *message, enum ssemux_pub_data data_is)
{
	switch (data_is) {
	case SSEMUX_PUB_GUESS:
		message->data = MESSAGE_DATA_TEXT;
		return 0;
	case SSEMUX_PUB_TEXT:
		message->data = MESSAGE_DATA_TEXT;
		message->flags |= MESSAGE_FLAG_TEXT;
		return 0;
	case SSEMUX_PUB_JSON:
		message->data = MESSAGE_DATA_TEXT;
		message->flags |= MESSAGE_FLAG_JSON;
		return 0;
	case SSEMUX_PUB_BYTES:
		message->data = MESSAGE_DATA_BYTES;
		return 0;
	case SSEMUX_PUB_MSGPACK:
		message->data = MESSAGE_DATA_PACKED;
		return 0;
	}
	return -1;
}

static int
message_from_event(struct message *message, struct failure *failure,
    const struct ssemux_pub_event *given)
{
	struct ssemux_pub_event event;
	struct event *to = &message->event;

	if (given == NULL ||
	    sized_copy(&event, sizeof(event), given, given->size) < 0)
		return failure_set(failure, EINVAL,
		    "the event is missing, or its size is not set");
	*message = (struct message){.type = MESSAGE_PUBLISH};
	to->channel = slice_of_optional(event.channel, EVENT_CHANNEL_MAX);
	to->type = slice_of_optional(event.type, EVENT_TYPE_MAX);
	to->key = slice_of_optional(event.key, EVENT_KEY_MAX);
	to->data = slice_of(event.data, event.data_bytes);
	if (event.data == NULL && event.data_bytes > 0)
		return failure_set(
		    failure, EINVAL, "data is NULL, but data_bytes is not 0");
	if (settle_data(message, event.data_is) < 0)
		return failure_set(failure, EINVAL, "data_is is unknown");
	if ((event.flags & ~(unsigned)(SSEMUX_PUB_WANT_RECEIPT |
				       SSEMUX_PUB_WANT_COUNTS)) != 0)
		return failure_set(failure, EINVAL, "a flag is unknown");
	if ((event.flags & SSEMUX_PUB_WANT_COUNTS) != 0)
		message->flags |= MESSAGE_FLAG_COUNTS;
	if ((event.flags & SSEMUX_PUB_WANT_RECEIPT) != 0)
		message->flags |= MESSAGE_FLAG_RECEIPT;
	return 0;
}

/* What the broker would say to this message, as far as can be known here. */
static struct fault
find_fault(const struct ssemux_pub *pub, const struct message *message)
{
	struct event event = message->event;
	enum event_meaning meaning = EVENT_AS_BYTES;
	size_t max = pub->max_event > 0 ? pub->max_event : SIZE_MAX;
	struct fault fault;

	if (message->data == MESSAGE_DATA_TEXT)
		meaning = (message->flags & MESSAGE_FLAG_JSON) != 0
			      ? EVENT_AS_JSON
			      : EVENT_AS_TEXT;
	fault = event_check(&event, meaning, max);
	if (fault.refusal == REFUSAL_NONE &&
	    message->data == MESSAGE_DATA_PACKED &&
	    !message_value_valid(event.data.bytes, event.data.len))
		return (struct fault){REFUSAL_DATA, "data"};
	return fault;
}

static int
offer(struct ssemux_pub *pub, const struct message *message, void *ticket)
{
	struct fault fault = find_fault(pub, message);

	if (fault.refusal != REFUSAL_NONE)
		return failure_set_fault(
		    &pub->failure, failure_number_of(fault.refusal), &fault);
	if (queue_push(&pub->queue, message, ticket) != NULL)
		return 0;
	if (errno == EAGAIN)
		return failure_set(&pub->failure, EAGAIN,
		    "%zu events wait to be acknowledged, no more are taken",
		    pub->queue.unacked_events);
	return failure_set(&pub->failure, errno, "%s",
	    errno == EMSGSIZE ? "larger than max_bytes" : "no memory");
}

/* 0 when the handle takes events; else -1 with errno. */
static int
check_handle(const struct ssemux_pub *pub)
{
	if (pub != NULL && pub->state != SSEMUX_PUB_FAILED)
		return 0;
	errno = pub == NULL ? EINVAL : pub->failed_number;
	return -1;
}

int
ssemux_pub_publish(struct ssemux_pub *pub, const struct ssemux_pub_event *event)
{
	struct message message;

	if (check_handle(pub) < 0 ||
	    message_from_event(&message, &pub->failure, event) < 0)
		return -1;
	return offer(pub, &message, event->ticket);
}

int
ssemux_pub_resync(struct ssemux_pub *pub, const char *channel, void *ticket)
{
	struct message message = {.type = MESSAGE_RESYNC};

	if (check_handle(pub) < 0)
		return -1;
	message.event.channel = slice_of_optional(channel, EVENT_CHANNEL_MAX);
	return offer(pub, &message, ticket);
}
