/*
 * Fuzzes what proxies say: headers of the PROXY protocol, whose prefixes are
 * PART until the answer is known; and lists of X-Forwarded-For, of which a
 * client is never a trusted address that stands left of another.
 */
#include "broker/shared/config.h"
#include "broker/worker/http/http.h"
#include "broker/worker/http/proxies.h"
#include "broker/worker/http/proxy_header.h"
#include "tests/fuzz/fuzz.h"

enum { PREFIXES_MAX = 300 };

static void
check_header(const char *bytes, size_t size)
{
	enum proxy_header before = PROXY_HEADER_PART, answer;
	size_t first = size < PREFIXES_MAX ? 0 : size;

	for (size_t len = first; len <= size; len++) {
		char *copy = fuzz_copy(bytes, len);
		struct address client;
		size_t used;

		answer = proxy_header_read(copy, len, &client, &used);
		must(before == PROXY_HEADER_PART || answer == before);
		must(used <= PROXY_HEADER_MAX);
		if (answer == PROXY_HEADER_CLIENT ||
		    answer == PROXY_HEADER_LOCAL)
			must(used > 0 && used <= len);
		must(answer != PROXY_HEADER_PART || len < PROXY_HEADER_MAX);
		before = answer;
		free(copy);
	}
}

static void
check_forwarded(const char *bytes, size_t size)
{
	static struct address_range range = {.bits = 104};
	const struct proxies proxies = {.trusted = &range, .count = 1};
	static struct http_request request;
	struct address from, client;
	char *copy = fuzz_copy(bytes, size);
	char text[ADDRESS_TEXT_SIZE];

	must(address_parse(&range.first, slice_of_text("10.0.0.0")) == 0);
	must(address_parse(&from, slice_of_text("10.1.1.1")) == 0);
	request.header_count = 1;
	request.headers[0] = (struct http_header){
	    slice_of_text("X-Forwarded-For"), slice_of(copy, size)};
	client = proxies_client(&proxies, &request, from);
	address_format(&client, text);
	must(strlen(text) > 0);
	if (size == 0 || bytes[size - 1] == ',')
		must(memcmp(&client, &from, sizeof(from)) == 0);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_header((const char *)data, size);
	check_forwarded((const char *)data, size);
	return 0;
}
