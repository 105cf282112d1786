/* message_write: struct message to msgpack. See message.h. */
#include <msgpack.h>

#include "protocol/buf.h"
#include "protocol/message.h"

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
pack_hello(msgpack_packer *packer, const struct message *message)
{
	pack_head(packer, MESSAGE_HELLO, 3);
	msgpack_pack_uint32(packer, message->version);
	pack_text(packer, message->publisher);
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

static void
pack_receipt(msgpack_packer *packer, const struct message *message)
{
	pack_head(packer, MESSAGE_RECEIPT, message->counted ? 7 : 3);
	msgpack_pack_uint64(packer, message->seq);
	msgpack_pack_uint64(packer, message->notified);
	if (!message->counted)
		return;
	msgpack_pack_uint64(packer, message->counts.matched);
	msgpack_pack_uint64(packer, message->counts.lagging);
	msgpack_pack_uint64(packer, message->counts.filtered);
	msgpack_pack_uint64(packer, message->late);
}

static void
pack_command(msgpack_packer *packer, const struct message *message)
{
	pack_head(packer, MESSAGE_COMMAND, 5);
	msgpack_pack_uint64(packer, message->id);
	pack_text(
	    packer, slice_of_text(message_command_name(message->command)));
	if (message->command == MESSAGE_DRAIN ||
	    message->command == MESSAGE_TRACE)
		pack_optional_text(packer, message->user);
	else
		pack_text(packer, message->user);
	pack_optional_text(packer, message->pattern);
}

static void
pack_done(msgpack_packer *packer, const struct message *message)
{
	pack_head(packer, MESSAGE_DONE, message->text.len > 0 ? 5 : 4);
	msgpack_pack_uint64(packer, message->id);
	msgpack_pack_uint64(packer, message->count);
	msgpack_pack_uint64(packer, message->late);
	if (message->text.len > 0)
		pack_text(packer, message->text);
}

static void
pack_failed(msgpack_packer *packer, const struct message *message)
{
	pack_head(packer, MESSAGE_FAILED, 5);
	msgpack_pack_uint64(packer, message->id);
	pack_text(packer, message->code);
	pack_optional_text(packer, message->field);
	pack_text(packer, message->text);
}

/* ASK and ANSWER. */
static void
pack_talk(msgpack_packer *packer, const struct message *message)
{
	pack_head(packer, message->type, 4);
	msgpack_pack_uint64(packer, message->id);
	if (message->peer == MESSAGE_PEER_ALL)
		msgpack_pack_nil(packer);
	else
		msgpack_pack_uint32(packer, message->peer);
	pack_optional_text(packer, message->text);
}

void
message_write(struct buf *buf, const struct message *message)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, buf, write_to_buf);
	switch (message->type) {
	case MESSAGE_HELLO:
		pack_hello(&packer, message);
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
	case MESSAGE_COMMAND:
		pack_command(&packer, message);
		break;
	case MESSAGE_DONE:
		pack_done(&packer, message);
		break;
	case MESSAGE_FAILED:
		pack_failed(&packer, message);
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
		pack_receipt(&packer, message);
		break;
	case MESSAGE_REPORT:
		pack_head(&packer, MESSAGE_REPORT, 2);
		pack_text(&packer, message->text);
		break;
	case MESSAGE_AS:
		pack_head(&packer, MESSAGE_AS, 2);
		pack_optional_text(&packer, message->publisher);
		break;
	case MESSAGE_ASK:
	case MESSAGE_ANSWER:
		pack_talk(&packer, message);
		break;
	}
}
