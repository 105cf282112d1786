/*
 * json: what the hot path needs of JSON (RFC 8259), and no more: is this text
 * one JSON value, and this string as a JSON string. Payloads stay bytes; they
 * are never parsed into a tree.
 */
#ifndef SSEMUX_PROTOCOL_JSON_H
#define SSEMUX_PROTOCOL_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Deeper nesting than this is not taken for JSON. */
enum { JSON_DEPTH_MAX = 64 };

/*
 * True when the text is one JSON value with optional white space around it.
 * The text must be valid UTF-8 already. Numbers may be of any size and names
 * may repeat: the text is passed on, not interpreted.
 */
bool json_valid(const char *text, size_t len);

/*
 * Where a text that is not json_valid() goes wrong: so many bytes are good, or
 * one or two fewer. *deep: there it is nested as deeply as may be, and one
 * level more may be all that is wrong.
 */
size_t json_fault(const char *text, size_t len, bool *deep);

/* How long the JSON value is that stands at the start of the text, where more
 * may follow; 0: there is none. */
size_t json_value_length(const char *text, size_t len);

/* True when the text is valid JSON and its value an object or an array. */
bool json_is_object_or_array(const char *text, size_t len);

/* Appends the text as a JSON string with its quotes. The text must be valid
 * UTF-8; it stays as it is but for what RFC 8259 section 7 wants escaped. */
void json_append_string(struct buf *buf, const char *text, size_t len);

/* Appends the bytes as a JSON string of base64 (RFC 4648, section 4). */
void json_append_base64(struct buf *buf, const void *bytes, size_t len);

#endif
