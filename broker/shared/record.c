/* record: events as blocks of bytes. See record.h. */
#include "broker/shared/record.h"

#include <assert.h>
#include <string.h>

_Static_assert(sizeof(struct record) == 24, "no padding, as documented");
_Static_assert(EVENT_CHANNEL_MAX <= UINT8_MAX && EVENT_TYPE_MAX <= UINT8_MAX &&
		   EVENT_KEY_MAX <= UINT8_MAX,
    "lengths are bytes");

size_t
record_size(const struct event *event)
{
	size_t size = sizeof(struct record) + event->channel.len +
		      event->type.len + event->key.len + event->data.len;

	return (size + RECORD_ALIGNMENT - 1) & ~(size_t)(RECORD_ALIGNMENT - 1);
}

static char *
copy_slice(char *to, struct slice slice)
{
	if (slice.len > 0)
		memcpy(to, slice.bytes, slice.len);
	return to + slice.len;
}

struct record *
record_write(void *to, const struct event *event)
{
	struct record *record = to;
	char *at = (char *)to + sizeof(*record);

	assert(event->channel.len <= EVENT_CHANNEL_MAX);
	assert(event->type.len <= EVENT_TYPE_MAX);
	assert(event->key.len <= EVENT_KEY_MAX);
	*record = (struct record){
	    .cursor = event->cursor,
	    .size = (uint32_t)record_size(event),
	    .data_len = (uint32_t)event->data.len,
	    .kind = (uint8_t)event->kind,
	    .channel_len = (uint8_t)event->channel.len,
	    .type_len = (uint8_t)event->type.len,
	    .key_len = (uint8_t)event->key.len,
	};
	at = copy_slice(at, event->channel);
	at = copy_slice(at, event->type);
	at = copy_slice(at, event->key);
	copy_slice(at, event->data);
	return record;
}

struct event
record_event(const struct record *record)
{
	const char *at = (const char *)(record + 1);
	struct event event = {
	    .cursor = record->cursor,
	    .kind = (enum event_kind)record->kind,
	};

	event.channel = slice_of(at, record->channel_len);
	at += record->channel_len;
	event.type = slice_of(at, record->type_len);
	at += record->type_len;
	event.key = slice_of(at, record->key_len);
	at += record->key_len;
	event.data = slice_of(at, record->data_len);
	return event;
}

bool
record_plausible(const struct record *record, size_t room)
{
	uint64_t used = sizeof(*record) + (uint64_t)record->channel_len +
			record->type_len + record->key_len + record->data_len;

	return record->size <= room && used <= record->size &&
	       record->size % RECORD_ALIGNMENT == 0 &&
	       record->kind <= EVENT_RESYNC;
}
