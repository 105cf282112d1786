/*
 * message: from msgpack to struct message. See message.h. Only the files of
 * this room, message*.c, see msgpack-c.
 */
#include "protocol/message.h"

#include <msgpack.h>
#include <stdlib.h>

#include "protocol/buf.h"
#include "protocol/message_elements.h"
#include "protocol/message_json.h"

struct message_reader {
	msgpack_zone zone;
	struct buf json; /* data of the last PUBLISH that was a value */
};

enum { READER_ZONE_BYTES = 4096 };

struct message_reader *
message_reader_create(void)
{
	struct message_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		return NULL;
	if (!msgpack_zone_init(&reader->zone, READER_ZONE_BYTES)) {
		free(reader);
		return NULL;
	}
	buf_init(&reader->json, 0);
	return reader;
}

void
message_reader_destroy(struct message_reader *reader)
{
	if (reader == NULL)
		return;
	buf_finish(&reader->json);
	msgpack_zone_destroy(&reader->zone);
	free(reader);
}

static struct fault
read_data(struct message_reader *reader, const msgpack_object *object,
    struct message *message)
{
	enum refusal refusal;

	if (object->type == MSGPACK_OBJECT_STR) {
		message->data = MESSAGE_DATA_TEXT;
		message->event.data =
		    slice_of(object->via.str.ptr, object->via.str.size);
		return no_fault;
	}
	if (object->type == MSGPACK_OBJECT_BIN) {
		message->data = MESSAGE_DATA_BYTES;
		message->event.data =
		    slice_of(object->via.bin.ptr, object->via.bin.size);
		return no_fault;
	}
	message->data = MESSAGE_DATA_PACKED;
	buf_clear(&reader->json);
	refusal = message_json_append(&reader->json, object);
	if (refusal == REFUSAL_NONE && buf_failed(&reader->json))
		refusal = REFUSAL_TOO_LARGE;
	message->event.data =
	    slice_of(buf_bytes(&reader->json), buf_length(&reader->json));
	return fault_of(refusal, "data");
}

static struct fault
read_publish(struct message_reader *reader, const struct elements *elements,
    struct message *message)
{
	msgpack_object data = element(elements, 5);
	struct fault fault = read_seq(elements, message);
	uint64_t flags = 0;

	if (fault.refusal != REFUSAL_NONE)
		return fault;
	if (!element_text(elements, 2, &message->event.channel))
		return fault_of(REFUSAL_CHANNEL, "channel");
	if (!element_optional_text(elements, 3, &message->event.type))
		return fault_of(REFUSAL_TYPE, "type");
	if (!element_optional_text(elements, 4, &message->event.key))
		return fault_of(REFUSAL_KEY, "key");
	if (elements->count < 6)
		return fault_of(REFUSAL_DATA, "data");
	fault = read_data(reader, &data, message);
	if (fault.refusal != REFUSAL_NONE)
		return fault;
	if (elements->count > 6 &&
	    !element_number(elements, 6, UINT32_MAX, &flags))
		return fault_of(REFUSAL_FLAGS, "flags");
	message->flags = (uint32_t)flags;
	return no_fault;
}

static struct fault
read_resync(const struct elements *elements, struct message *message)
{
	struct fault fault = read_seq(elements, message);

	if (fault.refusal != REFUSAL_NONE)
		return fault;
	message->event.kind = EVENT_RESYNC;
	if (!element_text(elements, 2, &message->event.channel))
		return fault_of(REFUSAL_CHANNEL, "channel");
	return no_fault;
}

static struct fault
read_hello(const struct elements *elements, struct message *message)
{
	uint64_t version;

	if (!element_number(elements, 1, UINT32_MAX, &version))
		return fault_of(REFUSAL_VERSION, "version");
	message->version = (uint32_t)version;
	if (!element_text(elements, 2, &message->publisher))
		return fault_of(REFUSAL_PUBLISHER, "publisher");
	return no_fault;
}

static struct fault
read_welcome(const struct elements *elements, struct message *message)
{
	uint64_t version;

	if (!element_number(elements, 1, UINT32_MAX, &version))
		return fault_of(REFUSAL_MALFORMED, "version");
	message->version = (uint32_t)version;
	if (!element_number(elements, 2, MESSAGE_SEQ_MAX, &message->last_seq))
		return fault_of(REFUSAL_MALFORMED, "last");
	if (!element_number(elements, 3, UINT32_MAX, &message->max_event))
		return fault_of(REFUSAL_MALFORMED, "max_event");
	if (!element_number(elements, 4, UINT32_MAX, &message->window))
		return fault_of(REFUSAL_MALFORMED, "window");
	return no_fault;
}

static struct fault
read_ack(const struct elements *elements, struct message *message)
{
	struct fault fault = read_seq(elements, message);
	msgpack_object duplicate = element(elements, 3);

	if (fault.refusal != REFUSAL_NONE)
		return fault_of(REFUSAL_MALFORMED, "seq");
	if (element(elements, 2).type != MSGPACK_OBJECT_NIL &&
	    !element_number(elements, 2, UINT64_MAX, &message->cursor))
		return fault_of(REFUSAL_MALFORMED, "cursor");
	if (duplicate.type != MSGPACK_OBJECT_BOOLEAN)
		return fault_of(REFUSAL_MALFORMED, "duplicate");
	message->duplicate = duplicate.via.boolean;
	return no_fault;
}

static struct fault
read_error(const struct elements *elements, struct message *message)
{
	if (element(elements, 1).type != MSGPACK_OBJECT_NIL &&
	    read_seq(elements, message).refusal != REFUSAL_NONE)
		return fault_of(REFUSAL_MALFORMED, "seq");
	if (!element_text(elements, 2, &message->code) ||
	    !element_optional_text(elements, 3, &message->field) ||
	    !element_text(elements, 4, &message->text))
		return fault_of(REFUSAL_MALFORMED, "code");
	return no_fault;
}

static struct fault
read_receipt(const struct elements *elements, struct message *message)
{
	if (read_seq(elements, message).refusal != REFUSAL_NONE ||
	    !element_number(elements, 2, UINT64_MAX, &message->notified))
		return fault_of(REFUSAL_MALFORMED, "notified");
	message->counted = elements->count > 3;
	if (message->counted &&
	    (!element_number(
		 elements, 3, UINT64_MAX, &message->counts.matched) ||
		!element_number(
		    elements, 4, UINT64_MAX, &message->counts.lagging) ||
		!element_number(
		    elements, 5, UINT64_MAX, &message->counts.filtered) ||
		!element_number(elements, 6, UINT64_MAX, &message->late)))
		return fault_of(REFUSAL_MALFORMED, "matched");
	return no_fault;
}

static struct fault
read_report(const struct elements *elements, struct message *message)
{
	if (!element_text(elements, 1, &message->text))
		return fault_of(REFUSAL_MALFORMED, "text");
	return no_fault;
}

static struct fault
read_as(const struct elements *elements, struct message *message)
{
	if (!element_optional_text(elements, 1, &message->publisher))
		return fault_of(REFUSAL_MALFORMED, "publisher");
	return no_fault;
}

/* ASK and ANSWER. */
static struct fault
read_talk(const struct elements *elements, struct message *message)
{
	uint64_t peer = MESSAGE_PEER_ALL;

	if (!element_number(elements, 1, MESSAGE_SEQ_MAX, &message->id))
		return fault_of(REFUSAL_MALFORMED, "id");
	if (!element_number(elements, 2, MESSAGE_PEER_ALL - 1, &peer) &&
	    (message->type == MESSAGE_ANSWER ||
		element(elements, 2).type != MSGPACK_OBJECT_NIL))
		return fault_of(REFUSAL_MALFORMED, "peer");
	message->peer = (uint32_t)peer;
	if (!element_optional_text(elements, 3, &message->text) ||
	    message->text.len > MESSAGE_TALK_MAX)
		return fault_of(REFUSAL_MALFORMED, "text");
	return no_fault;
}

static struct fault
read_elements(struct message_reader *reader, const struct elements *elements,
    struct message *message)
{
	uint64_t type;

	if (!element_number(elements, 0, UINT8_MAX, &type))
		return fault_of(REFUSAL_MALFORMED, "type");
	message->type = (enum message_type)type;
	switch (type) {
	case MESSAGE_HELLO:
		return read_hello(elements, message);
	case MESSAGE_PUBLISH:
		return read_publish(reader, elements, message);
	case MESSAGE_RESYNC:
		return read_resync(elements, message);
	case MESSAGE_BYE:
	case MESSAGE_STATUS:
		return no_fault;
	case MESSAGE_COMMAND:
		return message_read_command(elements, message);
	case MESSAGE_WELCOME:
		return read_welcome(elements, message);
	case MESSAGE_ACK:
		return read_ack(elements, message);
	case MESSAGE_ERROR:
		return read_error(elements, message);
	case MESSAGE_RECEIPT:
		return read_receipt(elements, message);
	case MESSAGE_REPORT:
		return read_report(elements, message);
	case MESSAGE_DONE:
		return message_read_done(elements, message);
	case MESSAGE_FAILED:
		return message_read_failed(elements, message);
	case MESSAGE_AS:
		return read_as(elements, message);
	case MESSAGE_ASK:
	case MESSAGE_ANSWER:
		return read_talk(elements, message);
	default:
		return fault_of(REFUSAL_MALFORMED, "type");
	}
}

struct fault
message_read(struct message_reader *reader, const char *bytes, size_t len,
    struct message *message)
{
	msgpack_object object;
	struct elements elements;
	size_t at = 0;

	memset(message, 0, sizeof(*message));
	msgpack_zone_clear(&reader->zone);
	if (msgpack_unpack(bytes, len, &at, &reader->zone, &object) !=
	    MSGPACK_UNPACK_SUCCESS)
		return fault_of(REFUSAL_MALFORMED, NULL);
	if (object.type != MSGPACK_OBJECT_ARRAY)
		return fault_of(REFUSAL_MALFORMED, NULL);
	elements.at = object.via.array.ptr;
	elements.count = object.via.array.size;
	return read_elements(reader, &elements, message);
}

int
message_meaning(const struct message *message, enum event_meaning *meaning)
{
	uint32_t how =
	    message->flags & (uint32_t)(MESSAGE_FLAG_JSON | MESSAGE_FLAG_TEXT);
	uint32_t known =
	    MESSAGE_FLAG_JSON | MESSAGE_FLAG_TEXT | MESSAGE_FLAGS_RECEIPT;

	if ((message->flags & ~known) != 0 ||
	    how == (uint32_t)(MESSAGE_FLAG_JSON | MESSAGE_FLAG_TEXT))
		return -1;
	if (message->data != MESSAGE_DATA_TEXT && how != 0)
		return -1;
	if (message->data == MESSAGE_DATA_BYTES)
		*meaning = EVENT_AS_BYTES;
	else if (message->data == MESSAGE_DATA_PACKED ||
		 how == MESSAGE_FLAG_JSON)
		*meaning = EVENT_AS_JSON;
	else
		*meaning =
		    how == MESSAGE_FLAG_TEXT ? EVENT_AS_TEXT : EVENT_GUESS;
	return 0;
}

bool
message_publisher_valid(struct slice publisher)
{
	return publisher.len <= MESSAGE_PUBLISHER_MAX &&
	       event_channel_valid(publisher);
}

bool
message_link_publisher_valid(struct slice publisher)
{
	return publisher.len > 1 && publisher.len <= MESSAGE_PUBLISHER_MAX &&
	       *publisher.bytes == '+' &&
	       event_channel_valid(
		   slice_of(publisher.bytes + 1, publisher.len - 1));
}
