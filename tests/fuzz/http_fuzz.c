/*
 * Fuzzes request heads: a prefix is PART until the answer is known, and then
 * the answer stays; what is taken holds what http.h promises.
 */
#include "broker/worker/http/http.h"
#include "tests/fuzz/fuzz.h"

enum { PREFIXES_MAX = 600 };

struct answer {
	enum http_head head;
	size_t size;
	int status;
	const char *why;
};

static struct http_request request;

static struct answer
ask(const char *bytes, size_t len, const struct http_limits *limits)
{
	struct answer answer = {0};

	answer.head = http_read_head(bytes, len, limits, &request, &answer.size,
	    &answer.status, &answer.why);
	return answer;
}

static void
check_inside(struct slice slice, const char *bytes, size_t size)
{
	must(slice.len == 0 ||
	     (slice.bytes >= bytes && slice.bytes + slice.len <= bytes + size));
}

static void
check_header_line(const struct http_header *header)
{
	must(header->name.len > 0);
	for (size_t i = 0; i < header->name.len; i++) {
		unsigned char c = (unsigned char)header->name.bytes[i];

		must(c > ' ' && c < 0x7F && c != ':');
	}
	for (size_t i = 0; i < header->value.len; i++) {
		unsigned char c = (unsigned char)header->value.bytes[i];

		must((c >= ' ' || c == '\t') && c != 0x7F);
	}
	must(slice_trim(header->value).len == header->value.len);
}

static void
check_whole(const char *bytes, size_t size, const struct http_limits *limits)
{
	size_t hosts, lengths, codings, accepted;

	must(size <= limits->head_bytes && size >= 4);
	must(memcmp(bytes + size - 4, "\r\n\r\n", 4) == 0);
	must(request.header_count <= limits->headers);
	check_inside(request.method, bytes, size);
	check_inside(request.path, bytes, size);
	check_inside(request.query, bytes, size);
	check_inside(request.host, bytes, size);
	must(request.path.len > 0);
	must(request.path.bytes[0] == '/' ||
	     (slice_is(request.path, "*") &&
		 slice_is(request.method, "OPTIONS")));
	for (size_t i = 0; i < request.header_count; i++) {
		check_inside(request.headers[i].name, bytes, size);
		check_inside(request.headers[i].value, bytes, size);
		check_header_line(&request.headers[i]);
	}
	http_header(&request, "hOST", &hosts);
	http_header(&request, "Content-Length", &lengths);
	http_header(&request, "Transfer-Encoding", &codings);
	must(hosts <= 1 && lengths + codings <= 1);
	must(request.minor == 0 || hosts == 1);
	must(hosts == 0 || request.host.bytes != NULL);
	must(request.chunked_body == (codings == 1));
	must(request.body_bytes == 0 || lengths == 1);
	must(request.head.bytes + request.head.len == bytes + size);
	must(!http_prefers_json(&request) ||
	     http_header(&request, "accept", NULL).bytes != NULL);
	must(!http_accepts(&request, "text/event-stream") ||
	     http_header(&request, "accept", NULL).bytes != NULL);
	http_header(&request, "accept-encoding", &accepted);
	must(accepted > 0 || http_find_coding(&request, ~0U) == CODING_NONE);
	must(http_find_coding(&request, 0) == CODING_NONE);
}

static void
check_prefixes(const char *bytes, size_t len, const struct http_limits *limits,
    struct answer last)
{
	enum http_head before = HTTP_HEAD_PART;

	for (size_t prefix = 0; prefix < len; prefix++) {
		char *copy = fuzz_copy(bytes, prefix);
		struct answer answer = ask(copy, prefix, limits);

		must(before == HTTP_HEAD_PART || answer.head == before);
		must(answer.head == HTTP_HEAD_PART || answer.head == last.head);
		must(answer.head != HTTP_HEAD_WHOLE ||
		     (answer.size == last.size && prefix >= last.size));
		must(last.head != HTTP_HEAD_WHOLE || prefix < last.size ||
		     answer.head == HTTP_HEAD_WHOLE);
		before = answer.head;
		free(copy);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_limits limits = {4096, 64};
	struct answer answer;
	char *bytes;

	if (size < 2)
		return 0;
	/* The first bytes choose limits that are met. */
	if (data[0] < 128)
		limits.head_bytes = 1 + (size_t)data[0] * 2;
	if (data[1] < 16)
		limits.headers = data[1];
	else if (data[1] > 250)
		limits.headers = 100000;
	data += 2;
	size -= 2;
	bytes = fuzz_copy(data, size);
	answer = ask(bytes, size, &limits);
	switch (answer.head) {
	case HTTP_HEAD_WHOLE:
		must(answer.size <= size);
		check_whole(bytes, answer.size, &limits);
		break;
	case HTTP_HEAD_PART:
		must(size < limits.head_bytes);
		break;
	case HTTP_HEAD_BAD:
		must(answer.why != NULL);
		must(answer.status == 400 || answer.status == 414 ||
		     answer.status == 431 || answer.status == 501 ||
		     answer.status == 505);
		break;
	}
	if (size <= PREFIXES_MAX)
		check_prefixes(bytes, size, &limits, answer);
	free(bytes);
	return 0;
}
