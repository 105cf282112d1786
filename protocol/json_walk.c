/* json_walk: through objects and arrays without a tree. See json_walk.h. */
#include "protocol/json_walk.h"

#include <stdint.h>

#include "protocol/buf.h"
#include "protocol/json.h"

static void
skip_space(struct json_walk *walk)
{
	while (
	    walk->at < walk->end && (*walk->at == ' ' || *walk->at == '\n' ||
					*walk->at == '\r' || *walk->at == '\t'))
		walk->at++;
}

static bool
begin(struct json_walk *walk, struct slice text, char bracket)
{
	*walk = (struct json_walk){
	    .at = text.bytes,
	    .end = text.bytes + text.len,
	};
	if (text.len == 0)
		return false;
	skip_space(walk);
	if (walk->at == walk->end || *walk->at != bracket)
		return false;
	walk->at++;
	return true;
}

bool
json_walk_object(struct json_walk *walk, struct slice text)
{
	return begin(walk, text, '{');
}

bool
json_walk_array(struct json_walk *walk, struct slice text)
{
	return begin(walk, text, '[');
}

/* One value, with the space before it. */
static bool
take_value(struct json_walk *walk, struct slice *value)
{
	skip_space(walk);
	*value = slice_of(walk->at,
	    json_value_length(walk->at, (size_t)(walk->end - walk->at)));
	walk->at += value->len;
	return value->len > 0;
}

/* Is there one more, behind a comma unless it is the first? */
static bool
go_on(struct json_walk *walk)
{
	skip_space(walk);
	if (walk->at == walk->end || *walk->at == '}' || *walk->at == ']')
		return false;
	if (walk->begun)
		walk->at++;
	walk->begun = true;
	return true;
}

bool
json_walk_member(
    struct json_walk *walk, struct slice *name, struct slice *value)
{
	if (!go_on(walk) || !take_value(walk, name))
		return false;
	skip_space(walk);
	if (walk->at == walk->end)
		return false;
	walk->at++; /* the colon */
	return take_value(walk, value);
}

bool
json_walk_element(struct json_walk *walk, struct slice *value)
{
	return go_on(walk) && take_value(walk, value);
}

bool
json_is_string(struct slice value)
{
	return value.len >= 2 && *value.bytes == '"';
}

static uint32_t
hex_value(const char *digits)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		char c = digits[i];

		value = value << 4 | (uint32_t)(c <= '9'   ? c - '0'
						: c <= 'F' ? c - 'A' + 10
							   : c - 'a' + 10);
	}
	return value;
}

static void
append_utf8(struct buf *text, uint32_t code)
{
	char bytes[4];
	size_t len = code < 0x80      ? 1
		     : code < 0x800   ? 2
		     : code < 0x10000 ? 3
				      : 4;
	static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};

	for (size_t i = len - 1; i > 0; i--, code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3F));
	bytes[0] = (char)(leads[len] | code);
	buf_append(text, bytes, len);
}

/* An escape, from behind its backslash; how long it is. 0: half a pair. */
static size_t
decode_escape(const char *at, size_t len, struct buf *text)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found = memchr(from, *at, sizeof(from) - 1);
	uint32_t code, low;

	if (found != NULL) {
		buf_append_char(text, to[found - from]);
		return 1;
	}
	code = hex_value(at + 1);
	if (code < 0xD800 || code > 0xDFFF) {
		append_utf8(text, code);
		return 5;
	}
	if (code > 0xDBFF || len < 11 || at[5] != '\\' || at[6] != 'u')
		return 0;
	low = hex_value(at + 7);
	if (low < 0xDC00 || low > 0xDFFF)
		return 0;
	append_utf8(text, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
	return 11;
}

int
json_string_decode(struct slice string, struct buf *text)
{
	const char *at = string.bytes + 1;
	const char *end = string.bytes + string.len - 1;

	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		const char *stop = escape != NULL ? escape : end;
		size_t size;

		buf_append(text, at, (size_t)(stop - at));
		if (escape == NULL)
			break;
		at = escape + 1;
		size = decode_escape(at, (size_t)(end - at), text);
		if (size == 0)
			return -1;
		at += size;
	}
	return 0;
}

bool
json_string_is(struct slice string, const char *word)
{
	struct buf text;
	bool is;

	if (!json_is_string(string))
		return false;
	buf_init(&text, 0);
	is = json_string_decode(string, &text) == 0 && !buf_failed(&text) &&
	     slice_is(slice_of(buf_bytes(&text), buf_length(&text)), word);
	buf_finish(&text);
	return is;
}
