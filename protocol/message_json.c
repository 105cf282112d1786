/* message_json: data that are a value, as JSON. See message_json.h. */
#include "protocol/message_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/buf.h"
#include "protocol/json.h"
#include "protocol/utf8.h"

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

static enum refusal
json_from_array(struct buf *buf, const msgpack_object_array *array)
{
	buf_append_char(buf, '[');
	for (uint32_t i = 0; i < array->size; i++) {
		enum refusal refusal;

		if (i > 0)
			buf_append_char(buf, ',');
		refusal = message_json_append(buf, &array->ptr[i]);
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
		return message_json_append(buf, name);
	if (name->type != MSGPACK_OBJECT_POSITIVE_INTEGER &&
	    name->type != MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return REFUSAL_DATA;
	buf_append_char(buf, '"');
	refusal = message_json_append(buf, name);
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
		refusal = message_json_append(buf, &map->ptr[i].val);
		if (refusal != REFUSAL_NONE)
			return refusal;
	}
	buf_append_char(buf, '}');
	return REFUSAL_NONE;
}

enum refusal
message_json_append(struct buf *buf, const msgpack_object *object)
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
