/* message_json: a msgpack value as JSON; a part of message, for no other. */
#ifndef SSEMUX_PROTOCOL_MESSAGE_JSON_H
#define SSEMUX_PROTOCOL_MESSAGE_JSON_H

#include <msgpack.h>

#include "protocol/refusal.h"

struct buf;

/*
 * Appends the JSON form of a value. REFUSAL_DATA when it has none, or
 * REFUSAL_UTF8; then a part of it may have been appended. Recursion is
 * bounded: message_scan() allows MESSAGE_DEPTH_MAX levels.
 */
enum refusal message_json_append(struct buf *buf, const msgpack_object *object);

#endif
