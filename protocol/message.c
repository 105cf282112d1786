/*
 * message: msgpack on one side, struct message on the other. See message.h.
 * The only file that sees msgpack-c.
 */
#include "protocol/message.h"

#include <inttypes.h>
#include <math.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/buf.h"
#include "protocol/json.h"
#include "protocol/utf8.h"

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

/* The fault of the message as a whole. */
static struct fault
fault_of(enum refusal refusal, const char *field)
{
	return (struct fault){refusal, field};
}

static const struct fault no_fault = {REFUSAL_NONE, NULL};

/* The elements of the message's array; one that is missing reads as nil. */
struct elements {
	const msgpack_object *at;
	uint32_t count;
};

static msgpack_object
element(const struct elements *elements, uint32_t index)
{
	if (index < elements->count)
		return elements->at[index];
	return (msgpack_object){.type = MSGPACK_OBJECT_NIL};
}

/* A number from 0 to max; false for anything else. */
static bool
element_number(const struct elements *elements, uint32_t index, uint64_t max,
    uint64_t *number)
{
	msgpack_object object = element(elements, index);

	if (object.type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
	    object.via.u64 > max)
		return false;
	*number = object.via.u64;
	return true;
}

static bool
element_text(
    const struct elements *elements, uint32_t index, struct slice *text)
{
	msgpack_object object = element(elements, index);

	if (object.type != MSGPACK_OBJECT_STR)
		return false;
	*text = slice_of(object.via.str.ptr, object.via.str.size);
	return true;
}

/* Text, or nil, which reads as the empty slice. */
static bool
element_optional_text(
    const struct elements *elements, uint32_t index, struct slice *text)
{
	*text = slice_of(NULL, 0);
	return element(elements, index).type == MSGPACK_OBJECT_NIL ||
	    element_text(elements, index, text);
}

static void
json_from_double(struct buf *buf, double number)
{
	char text[32];

	/* The shortest of the precisions that reads back as the same. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	buf_append_text(buf, text);
}

static enum refusal json_from_object(struct buf *, const msgpack_object *);

static enum refusal
json_from_array(struct buf *buf, const msgpack_object_array *array)
{
	buf_append_char(buf, '[');
	for (uint32_t i = 0; i < array->size; i++) {
		enum refusal refusal;

		if (i > 0)
			buf_append_char(buf, ',');
		refusal = json_from_object(buf, &array->ptr[i]);
		if (refusal != REFUSAL_NONE)
			return refusal;
	}
	buf_append_char(buf, ']');
	return REFUSAL_NONE;
}

/* JSON names are strings: text stays, whole numbers become decimal text. */
static enum refusal
json_from_name(struct buf *buf, const msgpack_object *name)
{
	enum refusal refusal;

	if (name->type == MSGPACK_OBJECT_STR)
		return json_from_object(buf, name);
	if (name->type != MSGPACK_OBJECT_POSITIVE_INTEGER &&
	    name->type != MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return REFUSAL_DATA;
	buf_append_char(buf, '"');
	refusal = json_from_object(buf, name);
	buf_append_char(buf, '"');
	return refusal;
}

static enum refusal
json_from_map(struct buf *buf, const msgpack_object_map *map)
{
	buf_append_char(buf, '{');
	for (uint32_t i = 0; i < map->size; i++) {
		enum refusal refusal;

		if (i > 0)
			buf_append_char(buf, ',');
		refusal = json_from_name(buf, &map->ptr[i].key);
		if (refusal != REFUSAL_NONE)
			return refusal;
		buf_append_char(buf, ':');
		refusal = json_from_object(buf, &map->ptr[i].val);
		if (refusal != REFUSAL_NONE)
			return refusal;
	}
	buf_append_char(buf, '}');
	return REFUSAL_NONE;
}

/* Recursion is bounded: message_scan() allows MESSAGE_DEPTH_MAX levels. */
static enum refusal
json_from_object(struct buf *buf, const msgpack_object *object)
{
	switch (object->type) {
	case MSGPACK_OBJECT_NIL:
		buf_append_text(buf, "null");
		return REFUSAL_NONE;
	case MSGPACK_OBJECT_BOOLEAN:
		buf_append_text(buf, object->via.boolean ? "true" : "false");
		return REFUSAL_NONE;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		buf_printf(buf, "%" PRIu64, object->via.u64);
		return REFUSAL_NONE;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		buf_printf(buf, "%" PRId64, object->via.i64);
		return REFUSAL_NONE;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		if (!isfinite(object->via.f64))
			return REFUSAL_DATA;
		json_from_double(buf, object->via.f64);
		return REFUSAL_NONE;
	case MSGPACK_OBJECT_STR:
		if (!utf8_valid(object->via.str.ptr, object->via.str.size))
			return REFUSAL_UTF8;
		json_append_string(
		    buf, object->via.str.ptr, object->via.str.size);
		return REFUSAL_NONE;
	case MSGPACK_OBJECT_BIN:
		json_append_base64(
		    buf, object->via.bin.ptr, object->via.bin.size);
		return REFUSAL_NONE;
	case MSGPACK_OBJECT_ARRAY:
		return json_from_array(buf, &object->via.array);
	case MSGPACK_OBJECT_MAP:
		return json_from_map(buf, &object->via.map);
	case MSGPACK_OBJECT_EXT:
		return REFUSAL_DATA;
	}
	return REFUSAL_DATA;
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
	refusal = json_from_object(&reader->json, object);
	if (refusal == REFUSAL_NONE && buf_failed(&reader->json))
		refusal = REFUSAL_TOO_LARGE;
	message->event.data = slice_of(
	    buf_bytes(&reader->json), buf_length(&reader->json));
	return fault_of(refusal, "data");
}

static struct fault
read_seq(const struct elements *elements, struct message *message)
{
	uint64_t seq;

	if (!element_number(elements, 1, MESSAGE_SEQ_MAX, &seq) || seq == 0)
		return fault_of(REFUSAL_SEQ, "seq");
	message->seq = seq;
	return no_fault;
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
	if (!element_number(
		elements, 2, MESSAGE_SEQ_MAX, &message->last_seq))
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

static int
write_to_buf(void *buf, const char *bytes, size_t len)
{
	buf_append(buf, bytes, len);
	return 0; /* failure is sticky in the buffer */
}

static void
pack_text(msgpack_packer *packer, struct slice text)
{
	msgpack_pack_str(packer, text.len);
	msgpack_pack_str_body(packer, text.bytes, text.len);
}

static void
pack_optional_text(msgpack_packer *packer, struct slice text)
{
	if (text.len == 0)
		msgpack_pack_nil(packer);
	else
		pack_text(packer, text);
}

static void
pack_optional_number(msgpack_packer *packer, uint64_t number)
{
	if (number == 0)
		msgpack_pack_nil(packer);
	else
		msgpack_pack_uint64(packer, number);
}

static void
pack_head(msgpack_packer *packer, enum message_type type, size_t elements)
{
	msgpack_pack_array(packer, elements);
	msgpack_pack_uint8(packer, (uint8_t)type);
}

static void
pack_publish(
    msgpack_packer *packer, struct buf *buf, const struct message *message)
{
	const struct event *event = &message->event;

	pack_head(packer, MESSAGE_PUBLISH, 7);
	msgpack_pack_uint64(packer, message->seq);
	pack_text(packer, event->channel);
	pack_optional_text(packer, event->type);
	pack_optional_text(packer, event->key);
	switch (message->data) {
	case MESSAGE_DATA_TEXT:
		pack_text(packer, event->data);
		break;
	case MESSAGE_DATA_BYTES:
		msgpack_pack_bin(packer, event->data.len);
		msgpack_pack_bin_body(
		    packer, event->data.bytes, event->data.len);
		break;
	case MESSAGE_DATA_PACKED:
		buf_append(buf, event->data.bytes, event->data.len);
		break;
	}
	msgpack_pack_uint32(packer, message->flags);
}

static void
pack_welcome(msgpack_packer *packer, const struct message *message)
{
	pack_head(packer, MESSAGE_WELCOME, 5);
	msgpack_pack_uint32(packer, message->version);
	msgpack_pack_uint64(packer, message->last_seq);
	msgpack_pack_uint64(packer, message->max_event);
	msgpack_pack_uint64(packer, message->window);
}

static void
pack_ack(msgpack_packer *packer, const struct message *message)
{
	pack_head(packer, MESSAGE_ACK, 4);
	msgpack_pack_uint64(packer, message->seq);
	pack_optional_number(packer, message->cursor);
	if (message->duplicate)
		msgpack_pack_true(packer);
	else
		msgpack_pack_false(packer);
}

static void
pack_error(msgpack_packer *packer, const struct message *message)
{
	pack_head(packer, MESSAGE_ERROR, 5);
	pack_optional_number(packer, message->seq);
	pack_text(packer, message->code);
	pack_optional_text(packer, message->field);
	pack_text(packer, message->text);
}

void
message_write(struct buf *buf, const struct message *message)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, buf, write_to_buf);
	switch (message->type) {
	case MESSAGE_HELLO:
		pack_head(&packer, MESSAGE_HELLO, 3);
		msgpack_pack_uint32(&packer, message->version);
		pack_text(&packer, message->publisher);
		break;
	case MESSAGE_PUBLISH:
		pack_publish(&packer, buf, message);
		break;
	case MESSAGE_RESYNC:
		pack_head(&packer, MESSAGE_RESYNC, 3);
		msgpack_pack_uint64(&packer, message->seq);
		pack_text(&packer, message->event.channel);
		break;
	case MESSAGE_BYE:
	case MESSAGE_STATUS:
		pack_head(&packer, message->type, 1);
		break;
	case MESSAGE_WELCOME:
		pack_welcome(&packer, message);
		break;
	case MESSAGE_ACK:
		pack_ack(&packer, message);
		break;
	case MESSAGE_ERROR:
		pack_error(&packer, message);
		break;
	case MESSAGE_RECEIPT:
		pack_head(&packer, MESSAGE_RECEIPT, 3);
		msgpack_pack_uint64(&packer, message->seq);
		msgpack_pack_uint64(&packer, message->notified);
		break;
	case MESSAGE_REPORT:
		pack_head(&packer, MESSAGE_REPORT, 2);
		pack_text(&packer, message->text);
		break;
	}
}

int
message_meaning(const struct message *message, enum event_meaning *meaning)
{
	uint32_t how = message->flags &
	    (uint32_t)(MESSAGE_FLAG_JSON | MESSAGE_FLAG_TEXT);
	uint32_t known = MESSAGE_FLAG_JSON | MESSAGE_FLAG_TEXT |
	    MESSAGE_FLAG_RECEIPT;

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
		*meaning = how == MESSAGE_FLAG_TEXT ? EVENT_AS_TEXT
						    : EVENT_GUESS;
	return 0;
}

bool
message_publisher_valid(struct slice publisher)
{
	return publisher.len <= MESSAGE_PUBLISHER_MAX &&
	    event_channel_valid(publisher);
}
