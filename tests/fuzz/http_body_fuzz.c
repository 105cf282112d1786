/*
 * Fuzzes request bodies: read at once and in pieces, they come to the same
 * end with the same bytes; nothing past a bound is taken.
 */
#include "broker/worker/http/http.h"
#include "broker/worker/http/http_body.h"
#include "tests/fuzz/fuzz.h"

enum { MAX = 4000 };

struct outcome {
	enum http_body_result result;
	size_t taken;
	struct buf out;
};

static struct outcome
read_in(const struct http_request *request, const char *bytes, size_t size,
    size_t piece)
{
	struct outcome outcome = {.taken = 0};
	struct http_body body;

	buf_init(&outcome.out, 0);
	outcome.result = http_body_begin(&body, request, MAX);
	while (outcome.result == HTTP_BODY_PART && outcome.taken < size) {
		size_t left = size - outcome.taken;
		size_t len = left < piece ? left : piece;
		char *copy = fuzz_copy(bytes + outcome.taken, len);
		size_t taken;

		outcome.result = http_body_read(
		    &body, slice_of(copy, len), &outcome.out, &taken);
		must(taken <= len);
		must(outcome.result != HTTP_BODY_PART || taken == len);
		outcome.taken += taken;
		free(copy);
	}
	must(body.held == buf_length(&outcome.out) && body.held <= MAX);
	must(outcome.result != HTTP_BODY_BAD || body.why != NULL);
	return outcome;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request request = {.minor = 1};
	struct outcome whole, pieces;

	if (size < 3)
		return 0;
	/* The first bytes say how long it is, and the pieces. */
	request.chunked_body = data[0] != 'L';
	if (!request.chunked_body)
		request.body_bytes = (uint64_t)data[1] * 20;
	whole = read_in(&request, (const char *)data + 3, size - 3, size);
	pieces = read_in(
	    &request, (const char *)data + 3, size - 3, 1 + data[2] % 8);
	must(whole.result == pieces.result && whole.taken == pieces.taken);
	must(
	    slice_equal(slice_of(buf_bytes(&whole.out), buf_length(&whole.out)),
		slice_of(buf_bytes(&pieces.out), buf_length(&pieces.out))));
	buf_finish(&whole.out);
	buf_finish(&pieces.out);
	return 0;
}
