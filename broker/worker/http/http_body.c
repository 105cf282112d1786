/*
 * http_body: reads the body of a request. See http_body.h.
 *
 *	LENGTH -> DONE
 *	SIZE_FIRST -> SIZE -> EXTENSION -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF
 *	^___________________________________|___________________________|
 *	                                    v (size 0)
 *	              TRAILER_FIRST -> TRAILER_NAME -> TRAILER_VALUE ->
 *TRAILER_LF
 *	                    |-> LAST_LF -> DONE
 */
#include "broker/worker/http/http_body.h"

#include "broker/worker/http/http.h"
#include "broker/worker/http/http_text.h"

enum { SIZE_DIGITS_MAX = 8 };

enum state {
	LENGTH,
	SIZE_FIRST,
	SIZE,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_FIRST,
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	LAST_LF,
	DONE,
};

static enum http_body_result
bad(struct http_body *body, const char *why)
{
	body->why = why;
	return HTTP_BODY_BAD;
}

static enum http_body_result
go(struct http_body *body, enum state state)
{
	body->state = state;
	return HTTP_BODY_PART;
}

static bool
is_in(char byte, enum http_class in)
{
	return http_text_all(slice_of(&byte, 1), in);
}

enum http_body_result
http_body_begin(
    struct http_body *body, const struct http_request *request, size_t max)
{
	*body = (struct http_body){.max = max, .left = request->body_bytes};
	if (request->chunked_body)
		return go(body, SIZE_FIRST);
	if (body->left > max)
		return HTTP_BODY_LARGE;
	body->state = LENGTH;
	return body->left > 0 ? HTTP_BODY_PART : HTTP_BODY_WHOLE;
}

static enum http_body_result
read_digit(struct http_body *body, char byte)
{
	int digit = http_text_hex(byte);

	if (digit < 0)
		return bad(body, "the size of a chunk is not a number");
	if (++body->line > SIZE_DIGITS_MAX)
		return bad(body, "the size of a chunk is too long");
	body->left = body->left << 4 | (uint64_t)digit;
	return go(body, SIZE);
}

/* Behind the first digit of a chunk's size. */
static enum http_body_result
read_size(struct http_body *body, char byte)
{
	if (byte == '\r')
		return go(body, SIZE_LF);
	if (byte != ';')
		return read_digit(body, byte);
	body->line = 0;
	return go(body, EXTENSION);
}

static enum http_body_result
read_extension(struct http_body *body, char byte)
{
	if (byte == '\r')
		return go(body, SIZE_LF);
	if (!is_in(byte, HTTP_IN_VALUE))
		return bad(
		    body, "a control character is behind a chunk's size");
	if (++body->line > HTTP_BODY_EXTENSION_MAX)
		return bad(body, "a chunk's extension is too long");
	return HTTP_BODY_PART;
}

/* The size of a chunk is known. */
static enum http_body_result
begin_chunk(struct http_body *body)
{
	body->line = 0;
	if (body->left == 0)
		return go(body, TRAILER_FIRST);
	if (body->left > body->max - body->held)
		return HTTP_BODY_LARGE;
	return go(body, DATA);
}

/* The first byte of a line behind the last chunk. */
static enum http_body_result
begin_trailer(struct http_body *body, char byte)
{
	if (byte == '\r')
		return go(body, LAST_LF);
	if (!is_in(byte, HTTP_IN_TOKEN))
		return bad(body, "a trailer is not name: value");
	return go(body, TRAILER_NAME);
}

static enum http_body_result
read_trailer_name(struct http_body *body, char byte)
{
	if (byte == ':')
		return go(body, TRAILER_VALUE);
	if (!is_in(byte, HTTP_IN_TOKEN))
		return bad(body, "a trailer is not name: value");
	return HTTP_BODY_PART;
}

static enum http_body_result
read_trailer_value(struct http_body *body, char byte)
{
	if (byte == '\r')
		return go(body, TRAILER_LF);
	if (!is_in(byte, HTTP_IN_VALUE))
		return bad(body, "a control character is in a trailer");
	return HTTP_BODY_PART;
}

static enum http_body_result
read_trailer(struct http_body *body, char byte)
{
	if (++body->line > HTTP_BODY_TRAILER_MAX)
		return bad(body, "the trailers are too long");
	switch (body->state) {
	case TRAILER_FIRST:
		return begin_trailer(body, byte);
	case TRAILER_NAME:
		return read_trailer_name(body, byte);
	default:
		return read_trailer_value(body, byte);
	}
}

/* What stands between the chunks. */
static enum http_body_result
read_framing(struct http_body *body, char byte)
{
	static const char line_end[] = "a line must end with CR LF";

	switch ((enum state)body->state) {
	case SIZE_FIRST:
		body->left = 0;
		body->line = 0;
		return read_digit(body, byte);
	case SIZE:
		return read_size(body, byte);
	case EXTENSION:
		return read_extension(body, byte);
	case SIZE_LF:
		return byte == '\n' ? begin_chunk(body) : bad(body, line_end);
	case DATA_CR:
		return byte == '\r'
			   ? go(body, DATA_LF)
			   : bad(body, "a chunk is longer than its size");
	case DATA_LF:
		return byte == '\n' ? go(body, SIZE_FIRST)
				    : bad(body, line_end);
	case TRAILER_FIRST:
	case TRAILER_NAME:
	case TRAILER_VALUE:
		return read_trailer(body, byte);
	case TRAILER_LF:
		return byte == '\n' ? go(body, TRAILER_FIRST)
				    : bad(body, line_end);
	case LAST_LF:
		body->state = DONE;
		return byte == '\n' ? HTTP_BODY_WHOLE : bad(body, line_end);
	case LENGTH:
	case DATA:
	case DONE:
		break;
	}
	return HTTP_BODY_PART;
}

/* Takes what is there of the whole, or of the chunk. */
static size_t
take_data(struct http_body *body, struct slice bytes, struct buf *out)
{
	size_t len = body->left < bytes.len ? (size_t)body->left : bytes.len;

	buf_append(out, bytes.bytes, len);
	body->left -= len;
	body->held += len;
	if (body->left == 0)
		body->state = body->state == LENGTH ? DONE : DATA_CR;
	return len;
}

enum http_body_result
http_body_read(
    struct http_body *body, struct slice bytes, struct buf *out, size_t *taken)
{
	enum http_body_result result = HTTP_BODY_PART;
	size_t at = 0;

	while (at < bytes.len && result == HTTP_BODY_PART) {
		if (body->state == LENGTH || body->state == DATA)
			at += take_data(body, http_text_skip(bytes, at), out);
		else
			result = read_framing(body, bytes.bytes[at++]);
		if (body->state == DONE && result == HTTP_BODY_PART)
			result = HTTP_BODY_WHOLE;
	}
	*taken = at;
	return result;
}
