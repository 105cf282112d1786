/* event: what may be an event. See event.h. */
#include "protocol/event.h"

#include "protocol/json.h"
#include "protocol/utf8.h"

static bool
is_channel_char(unsigned char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	if (c >= '-' && c <= ':') /* - . / 0-9 : */
		return true;
	return c == '_' || c == '~' || c == '@';
}

bool
event_channel_valid(struct slice channel)
{
	if (channel.len == 0 || channel.len > EVENT_CHANNEL_MAX)
		return false;
	for (size_t i = 0; i < channel.len; i++) {
		if (!is_channel_char((unsigned char)channel.bytes[i]))
			return false;
	}
	return true;
}

/* "a:b:*" is the prefix "a:b:". */
static bool
is_prefix_pattern(struct slice pattern)
{
	return pattern.len >= 2 && pattern.bytes[pattern.len - 1] == '*' &&
	       pattern.bytes[pattern.len - 2] == ':';
}

bool
event_pattern_valid(struct slice pattern)
{
	if (slice_is(pattern, "*"))
		return true;
	if (is_prefix_pattern(pattern))
		pattern.len--;
	return event_channel_valid(pattern);
}

bool
event_pattern_covers(struct slice pattern, struct slice channel)
{
	if (slice_is(pattern, "*"))
		return true;
	if (!is_prefix_pattern(pattern))
		return slice_equal(pattern, channel);
	pattern.len--;
	return slice_starts_with(channel, pattern);
}

bool
event_pattern_covers_pattern(struct slice wide, struct slice narrow)
{
	if (slice_is(wide, "*"))
		return true;
	if (slice_is(narrow, "*"))
		return false;
	if (!is_prefix_pattern(narrow))
		return event_pattern_covers(wide, narrow);
	/* Of two prefixes the shorter one covers more; the star is no part of
	 * either. */
	narrow.len--;
	return is_prefix_pattern(wide) &&
	       slice_starts_with(narrow, slice_of(wide.bytes, wide.len - 1));
}

/* Type and key: short, UTF-8, and nothing that ends or hides a line. */
static enum refusal
check_label(struct slice label, size_t max, enum refusal refusal)
{
	if (label.len > max)
		return refusal;
	for (size_t i = 0; i < label.len; i++) {
		unsigned char c = (unsigned char)label.bytes[i];

		if (c < 0x20 || c == 0x7F)
			return refusal;
	}
	return utf8_valid(label.bytes, label.len) ? REFUSAL_NONE : REFUSAL_UTF8;
}

/*
 * The names of the stream's control events. In the raw format the type is the
 * event's name, so an event of such a type could pass for one of them.
 */
static bool
is_control_name(struct slice type)
{
	static const char *const names[] = {"connected", "live", "resync",
	    "subscribed", "token-expiring", "revoked", "bye", "ping",
	    "snapshot"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (slice_is(type, names[i]))
			return true;
	}
	return false;
}

static enum refusal
check_type(struct slice type)
{
	if (is_control_name(type))
		return REFUSAL_TYPE;
	return check_label(type, EVENT_TYPE_MAX, REFUSAL_TYPE);
}

static enum refusal
settle_data(struct event *event, enum event_meaning meaning, size_t data_max)
{
	const char *bytes = event->data.bytes;
	size_t len = event->data.len;

	if (len > data_max)
		return REFUSAL_TOO_LARGE;
	event->kind = EVENT_BYTES;
	if (meaning == EVENT_AS_BYTES)
		return REFUSAL_NONE;
	if (!utf8_valid(bytes, len))
		return REFUSAL_UTF8;
	event->kind = EVENT_TEXT;
	if (meaning == EVENT_AS_TEXT)
		return REFUSAL_NONE;
	if (meaning == EVENT_GUESS ? json_is_object_or_array(bytes, len)
				   : json_valid(bytes, len))
		event->kind = EVENT_JSON;
	else if (meaning == EVENT_AS_JSON)
		return REFUSAL_JSON;
	return REFUSAL_NONE;
}

struct fault
event_check(struct event *event, enum event_meaning meaning, size_t data_max)
{
	enum refusal refusal;

	if (!event_channel_valid(event->channel))
		return (struct fault){REFUSAL_CHANNEL, "channel"};
	refusal = check_type(event->type);
	if (refusal != REFUSAL_NONE)
		return (struct fault){refusal, "type"};
	refusal = check_label(event->key, EVENT_KEY_MAX, REFUSAL_KEY);
	if (refusal != REFUSAL_NONE)
		return (struct fault){refusal, "key"};
	refusal = settle_data(event, meaning, data_max);
	if (refusal != REFUSAL_NONE)
		return (struct fault){refusal, "data"};
	return (struct fault){REFUSAL_NONE, NULL};
}
