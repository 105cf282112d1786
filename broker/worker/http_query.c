/*
 * http_query: what a request says in its query and in its header values.
 * See http.h.
 */
#include <string.h>

#include "broker/worker/http.h"
#include "broker/worker/http_text.h"

struct slice
http_header(const struct http_request *request, const char *name, size_t *count)
{
	struct slice value = {NULL, 0};
	size_t found = 0;

	for (size_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->headers[i];

		if (!http_text_is(header->name, name))
			continue;
		if (found++ == 0)
			value = header->value;
	}
	if (count != NULL)
		*count = found;
	return value;
}

/* "q=0", "q=0." to "q=0.000": not acceptable (RFC 9110, 12.4.2). */
static bool
is_weight_zero(struct slice parameter)
{
	if (parameter.len < 3 || (parameter.bytes[0] | 0x20) != 'q' ||
	    parameter.bytes[1] != '=' || parameter.bytes[2] != '0')
		return false;
	for (size_t i = 3; i < parameter.len; i++) {
		if (parameter.bytes[i] != (i == 3 ? '.' : '0'))
			return false;
	}
	return true;
}

/* One element of an Accept header: "type/subtype;parameter;..." */
static bool
range_names(struct slice range, const char *media_type)
{
	struct slice part;

	if (!http_text_next(&range, ';', &part) ||
	    !http_text_is(slice_trim(part), media_type))
		return false;
	while (http_text_next(&range, ';', &part)) {
		if (is_weight_zero(slice_trim(part)))
			return false;
	}
	return true;
}

bool
http_accepts(const struct http_request *request, const char *media_type)
{
	for (size_t i = 0; i < request->header_count; i++) {
		struct slice value = request->headers[i].value;
		struct slice range;

		if (!http_text_is(request->headers[i].name, "accept"))
			continue;
		while (http_text_next(&value, ',', &range)) {
			if (range_names(range, media_type))
				return true;
		}
	}
	return false;
}

enum http_expect
http_expect(const struct http_request *request)
{
	size_t count;
	struct slice value = http_header(request, "expect", &count);

	if (count == 0 || request->minor == 0)
		return HTTP_EXPECT_NOTHING;
	return count == 1 && http_text_is(value, "100-continue")
		   ? HTTP_EXPECT_CONTINUE
		   : HTTP_EXPECT_OTHER;
}

/* The byte that the escape at the start of text stands for; -1 for none. */
static int
unescape(struct slice text)
{
	int high, low;

	if (text.len < 3)
		return -1;
	high = http_text_hex(text.bytes[1]);
	low = http_text_hex(text.bytes[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Decodes '+' and percent escapes; out has room for text.len bytes. */
static int
decode(struct slice text, char *out, size_t *out_len)
{
	size_t len = 0;
	int byte;

	for (size_t i = 0; i < text.len; i++) {
		switch (text.bytes[i]) {
		case '+':
			out[len++] = ' ';
			break;
		case '%':
			byte = unescape(slice_of(text.bytes + i, text.len - i));
			if (byte <= 0)
				return -1;
			out[len++] = (char)byte;
			i += 2;
			break;
		default:
			out[len++] = text.bytes[i];
		}
	}
	*out_len = len;
	return 0;
}

int
http_query_next(struct slice *query, char *name, size_t *name_len, char *value,
    size_t *value_len)
{
	struct slice pair, left = {NULL, 0};

	do {
		if (!http_text_next(query, '&', &pair))
			return 0;
	} while (pair.len == 0);
	http_text_next(&pair, '=', &left);
	if (decode(left, name, name_len) < 0 ||
	    decode(pair, value, value_len) < 0)
		return -1;
	return 1;
}
