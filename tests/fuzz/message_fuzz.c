/*
 * Fuzzes messages: what is scanned as whole is read without harm, and what was
 * read and is written scans as whole and reads as the same.
 */
#include "protocol/message.h"

#include "protocol/buf.h"
#include "protocol/json.h"
#include "protocol/utf8.h"
#include "tests/fuzz/fuzz.h"

enum { LONGEST = 4096 };

static void
check_event(struct message *message)
{
	struct event *event = &message->event;
	enum event_meaning meaning;

	if (message_meaning(message, &meaning) < 0)
		return;
	if (event_check(event, meaning, LONGEST / 2).refusal != REFUSAL_NONE)
		return;
	must(event_channel_valid(event->channel));
	must(event_pattern_valid(event->channel));
	must(event_pattern_covers(event->channel, event->channel));
	must(utf8_valid(event->type.bytes, event->type.len));
	must(utf8_valid(event->key.bytes, event->key.len));
	must(event->data.len <= LONGEST / 2);
	must(event->kind != EVENT_JSON ||
	     json_valid(event->data.bytes, event->data.len));
	must(event->kind == EVENT_BYTES ||
	     utf8_valid(event->data.bytes, event->data.len));
}

static void
check_command(const struct message *command)
{
	if (message_check_command(command).refusal != REFUSAL_NONE)
		return;
	must(command->user.len > 0 && command->user.len <= MESSAGE_USER_MAX);
	must(utf8_valid(command->user.bytes, command->user.len));
	must(memchr(command->user.bytes, '\n', command->user.len) == NULL);
	must(
	    command->pattern.len == 0 || event_pattern_valid(command->pattern));
}

static void
check_same(const struct message *a, const struct message *b)
{
	must(a->type == b->type && a->seq == b->seq);
	must(a->cursor == b->cursor && a->last_seq == b->last_seq);
	must(a->max_event == b->max_event && a->window == b->window);
	must(a->notified == b->notified && a->version == b->version);
	must(a->flags == b->flags && a->duplicate == b->duplicate);
	must(a->id == b->id && a->peer == b->peer);
	must(a->count == b->count && a->late == b->late);
	must(a->command == b->command);
	must(slice_equal(a->user, b->user));
	must(slice_equal(a->pattern, b->pattern));
	must(slice_equal(a->publisher, b->publisher));
	must(slice_equal(a->event.channel, b->event.channel));
	must(slice_equal(a->event.type, b->event.type));
	must(slice_equal(a->event.key, b->event.key));
	must(slice_equal(a->event.data, b->event.data));
	must(slice_equal(a->code, b->code));
	must(slice_equal(a->field, b->field));
	must(slice_equal(a->text, b->text));
}

static void
check_written(const struct message *message)
{
	struct message_reader *reader = message_reader_create();
	struct message again, written = *message;
	enum refusal why;
	struct buf buf;
	size_t size;

	must(reader != NULL);
	buf_init(&buf, 0);
	/* Its JSON form is what was read of a packed value. */
	if (written.data == MESSAGE_DATA_PACKED)
		written.data = MESSAGE_DATA_TEXT;
	message_write(&buf, &written);
	must(!buf_failed(&buf));
	must(message_scan(buf_bytes(&buf), buf_length(&buf), buf_length(&buf),
		 &size, &why) == MESSAGE_WHOLE);
	must(size == buf_length(&buf));
	must(message_read(reader, buf_bytes(&buf), size, &again).refusal ==
	     REFUSAL_NONE);
	check_same(&written, &again);
	message_reader_destroy(reader);
	buf_finish(&buf);
}

static void
check_whole(const char *bytes, size_t size)
{
	struct message_reader *reader = message_reader_create();
	char *copy = fuzz_copy(bytes, size);
	struct message message;
	struct fault fault;

	must(reader != NULL);
	fault = message_read(reader, copy, size, &message);
	must(message.seq <= MESSAGE_SEQ_MAX);
	if (fault.refusal == REFUSAL_NONE) {
		check_written(&message);
		if (message.type == MESSAGE_PUBLISH)
			check_event(&message);
	}
	if (fault.refusal == REFUSAL_NONE && message.type == MESSAGE_COMMAND)
		check_command(&message);
	message_value_valid(copy, size);
	message_reader_destroy(reader);
	free(copy);
}

/* With fewer bytes it is a part, which never asks for more than there are. */
static void
check_prefixes(const char *bytes, size_t size)
{
	for (size_t len = 0; len < size && len < 300; len++) {
		char *copy = fuzz_copy(bytes, len);
		enum refusal why;
		size_t need;

		must(message_scan(copy, len, LONGEST, &need, &why) ==
		     MESSAGE_PART);
		must(need > len && need <= size);
		free(copy);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_copy(data, size);
	enum refusal why = REFUSAL_NONE;
	size_t whole = 0;

	switch (message_scan(bytes, size, LONGEST, &whole, &why)) {
	case MESSAGE_WHOLE:
		must(whole > 0 && whole <= size && whole <= LONGEST);
		check_whole(bytes, whole);
		check_prefixes(bytes, whole);
		break;
	case MESSAGE_PART:
		must(whole > size && whole <= LONGEST);
		break;
	case MESSAGE_BAD:
		must(why > REFUSAL_NONE && why < REFUSAL_COUNT);
		break;
	}
	free(bytes);
	return 0;
}
