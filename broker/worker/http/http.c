/*
 * http: reads the head of a request. See http.h.
 *
 * Line by line, and only lines that are whole: what came so far is read again
 * with the next bytes, so an answer never changes once it is not PART. Of a
 * request line that is not whole yet only the method is looked at, so that a
 * peer that speaks TLS or nonsense is turned away at once.
 */
#include "broker/worker/http/http.h"

#include <string.h>

#include "broker/worker/http/http_target.h"
#include "broker/worker/http/http_text.h"

enum {
	METHOD_MAX = 32,        /* bytes */
	EMPTY_LINES_MAX = 2,    /* before the request line */
	LENGTH_DIGITS_MAX = 18, /* what always fits an int64_t */
};

/* Where reading stands, and what the headers said so far. */
struct head {
	const char *at;
	const char *end;
	const struct http_limits *limits;
	struct http_request *request;
	size_t hosts;
	size_t lengths;
	size_t codings;
	bool asks_close;
	bool asks_keep_alive;
	int status;
	const char *why;
};

static enum http_head
bad(struct head *head, int status, const char *why)
{
	head->status = status;
	head->why = why;
	return HTTP_HEAD_BAD;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The next line without its CRLF. PART when it is not whole. */
static enum http_head
next_line(struct head *head, struct slice *line)
{
	size_t left = (size_t)(head->end - head->at);
	const char *feed = left > 0 ? memchr(head->at, '\n', left) : NULL;

	if (feed == NULL)
		return HTTP_HEAD_PART;
	if (feed == head->at || feed[-1] != '\r')
		return bad(head, 400, "a line must end with CR LF");
	*line = slice_of(head->at, (size_t)(feed - 1 - head->at));
	head->at = feed + 1;
	return HTTP_HEAD_WHOLE;
}

static enum http_head
check_method(struct head *head, struct slice method)
{
	if (method.len > METHOD_MAX)
		return bad(head, 501, "the method is not known");
	return HTTP_HEAD_WHOLE;
}

/* Looks at a request line of which only a part is there. */
static enum http_head
check_part_of_request_line(struct head *head)
{
	struct slice part = slice_of(head->at, (size_t)(head->end - head->at));
	size_t len = http_text_span(part, HTTP_IN_TOKEN);

	if (check_method(head, slice_of(part.bytes, len)) == HTTP_HEAD_BAD)
		return HTTP_HEAD_BAD;
	if (len == part.len || slice_is(part, "\r"))
		return HTTP_HEAD_PART;
	if (len == 0 || part.bytes[len] != ' ')
		return bad(head, 400, "the request line is malformed");
	return HTTP_HEAD_PART;
}

/* "HTTP/" digit "." digit */
static bool
is_version(struct slice text)
{
	return text.len == 8 && memcmp(text.bytes, "HTTP/", 5) == 0 &&
	       is_digit(text.bytes[5]) && text.bytes[6] == '.' &&
	       is_digit(text.bytes[7]);
}

static enum http_head
read_version(struct head *head, struct slice version)
{
	if (slice_is(version, "HTTP/1.1")) {
		head->request->minor = 1;
		return HTTP_HEAD_WHOLE;
	}
	if (slice_is(version, "HTTP/1.0")) {
		head->request->minor = 0;
		return HTTP_HEAD_WHOLE;
	}
	if (is_version(version))
		return bad(head, 505, "the version must be HTTP/1.0 or 1.1");
	return bad(head, 400, "the request line is malformed");
}

static enum http_head
read_request_line(struct head *head, struct slice line)
{
	struct slice method =
	    slice_of(line.bytes, http_text_span(line, HTTP_IN_TOKEN));
	struct slice rest = http_text_skip(line, method.len);
	enum http_head answer;
	struct slice target;
	const char *why;

	if (check_method(head, method) == HTTP_HEAD_BAD)
		return HTTP_HEAD_BAD;
	if (method.len == 0 || rest.len == 0 || rest.bytes[0] != ' ')
		return bad(head, 400, "the request line is malformed");
	rest = http_text_skip(rest, 1);
	if (!http_text_next(&rest, ' ', &target))
		return bad(head, 400, "the request line is malformed");
	head->request->method = method;
	answer = read_version(head, rest);
	if (answer != HTTP_HEAD_WHOLE)
		return answer;
	why = http_target_read(head->request, target);
	return why == NULL ? HTTP_HEAD_WHOLE : bad(head, 400, why);
}

static enum http_head
read_content_length(struct head *head, struct slice value)
{
	uint64_t length = 0;

	if (++head->lengths > 1)
		return bad(head, 400, "Content-Length is given twice");
	if (value.len == 0 || value.len > LENGTH_DIGITS_MAX)
		return bad(head, 400, "Content-Length is not a number");
	for (size_t i = 0; i < value.len; i++) {
		if (!is_digit(value.bytes[i]))
			return bad(head, 400, "Content-Length is not a number");
		length = length * 10 + (uint64_t)(value.bytes[i] - '0');
	}
	head->request->body_bytes = length;
	return HTTP_HEAD_WHOLE;
}

static enum http_head
read_transfer_encoding(struct head *head, struct slice value)
{
	if (++head->codings > 1)
		return bad(head, 400, "Transfer-Encoding is given twice");
	if (!http_text_is(value, "chunked"))
		return bad(head, 501, "the only transfer coding is chunked");
	head->request->chunked_body = true;
	return HTTP_HEAD_WHOLE;
}

static enum http_head
read_host(struct head *head, struct slice value)
{
	if (++head->hosts > 1)
		return bad(head, 400, "Host is given twice");
	if (!http_target_is_host(value))
		return bad(
		    head, 400, "Host is not a host with or without port");
	if (head->request->host.bytes == NULL)
		head->request->host = value;
	return HTTP_HEAD_WHOLE;
}

static enum http_head
read_connection(struct head *head, struct slice value)
{
	struct slice option;

	while (http_text_next(&value, ',', &option)) {
		option = slice_trim(option);
		if (http_text_is(option, "close"))
			head->asks_close = true;
		else if (http_text_is(option, "keep-alive"))
			head->asks_keep_alive = true;
	}
	return HTTP_HEAD_WHOLE;
}

/* Reads the headers that say where the request ends and what follows it. */
static enum http_head
read_known_header(struct head *head, const struct http_header *header)
{
	switch (header->name.len) {
	case 4:
		if (http_text_is(header->name, "host"))
			return read_host(head, header->value);
		break;
	case 10:
		if (http_text_is(header->name, "connection"))
			return read_connection(head, header->value);
		break;
	case 14:
		if (http_text_is(header->name, "content-length"))
			return read_content_length(head, header->value);
		break;
	case 17:
		if (http_text_is(header->name, "transfer-encoding"))
			return read_transfer_encoding(head, header->value);
		break;
	default:
		break;
	}
	return HTTP_HEAD_WHOLE;
}

static enum http_head
read_header_line(struct head *head, struct slice line)
{
	struct http_request *request = head->request;
	struct slice name =
	    slice_of(line.bytes, http_text_span(line, HTTP_IN_TOKEN));
	struct http_header *header;
	struct slice value;

	if (line.bytes[0] == ' ' || line.bytes[0] == '\t')
		return bad(head, 400, "a header line must not be folded");
	if (name.len == 0 || name.len == line.len ||
	    line.bytes[name.len] != ':')
		return bad(head, 400, "a header line is not name: value");
	value = http_text_skip(line, name.len + 1);
	if (!http_text_all(value, HTTP_IN_VALUE))
		return bad(head, 400, "a control character is in a header");
	if (request->header_count == head->limits->headers ||
	    request->header_count == HTTP_HEADERS_MAX)
		return bad(head, 431, "there are too many headers");
	header = &request->headers[request->header_count++];
	*header = (struct http_header){name, slice_trim(value)};
	return read_known_header(head, header);
}

/* What can only be said once all headers are known. */
static enum http_head
settle(struct head *head)
{
	struct http_request *request = head->request;

	if (request->minor == 1 && head->hosts == 0)
		return bad(head, 400, "Host is missing");
	if (head->codings > 0 && head->lengths > 0)
		return bad(head, 400,
		    "Content-Length and Transfer-Encoding exclude each other");
	if (head->codings > 0 && request->minor == 0)
		return bad(head, 400, "HTTP/1.0 has no Transfer-Encoding");
	request->keep_alive =
	    !head->asks_close && (request->minor == 1 || head->asks_keep_alive);
	return HTTP_HEAD_WHOLE;
}

static enum http_head
read_first_line(struct head *head)
{
	struct slice line;
	enum http_head answer;

	for (int empty = 0; empty <= EMPTY_LINES_MAX; empty++) {
		answer = next_line(head, &line);
		if (answer == HTTP_HEAD_PART)
			return check_part_of_request_line(head);
		if (answer == HTTP_HEAD_BAD)
			return answer;
		if (line.len > 0)
			return read_request_line(head, line);
	}
	return bad(head, 400, "there is no request line");
}

static enum http_head
read_headers(struct head *head)
{
	struct slice line;
	enum http_head answer;

	for (;;) {
		answer = next_line(head, &line);
		if (answer != HTTP_HEAD_WHOLE)
			return answer;
		if (line.len == 0)
			return settle(head);
		answer = read_header_line(head, line);
		if (answer != HTTP_HEAD_WHOLE)
			return answer;
	}
}

enum http_head
http_read_head(const char *bytes, size_t len, const struct http_limits *limits,
    struct http_request *request, size_t *size, int *status, const char **why)
{
	size_t seen = len < limits->head_bytes ? len : limits->head_bytes;
	struct head head = {
	    .at = bytes,
	    .end = seen > 0 ? bytes + seen : bytes,
	    .limits = limits,
	    .request = request,
	};
	bool in_headers = false;
	enum http_head answer;

	request->host = slice_of(NULL, 0);
	request->chunked_body = false;
	request->body_bytes = 0;
	request->body = slice_of(NULL, 0);
	request->header_count = 0;
	answer = read_first_line(&head);
	if (answer == HTTP_HEAD_WHOLE) {
		in_headers = true;
		answer = read_headers(&head);
	}
	if (answer == HTTP_HEAD_PART && seen == limits->head_bytes)
		answer = in_headers
			     ? bad(&head, 431, "the headers are too long")
			     : bad(&head, 414, "the request line is too long");
	*size = (size_t)(head.at - bytes);
	if (answer == HTTP_HEAD_WHOLE)
		request->head = slice_of(request->method.bytes,
		    (size_t)(head.at - request->method.bytes));
	*status = head.status;
	*why = head.why;
	return answer;
}
