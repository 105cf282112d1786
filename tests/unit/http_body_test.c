/*
 * Tests of http_body: bodies are read whole and byte by byte to the same end,
 * and what two parsers could read differently is refused.
 */
#include "broker/worker/http/http_body.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/worker/http/http.h"
#include "tests/unit/suite.h"

enum { MAX = 1000 };

static struct http_body body;
static struct buf out;

static enum http_body_result
begin(const struct http_request *request)
{
	buf_init(&out, 0);
	return http_body_begin(&body, request, MAX);
}

/* Reads in pieces of at most so many bytes, each in a block of its size. */
static enum http_body_result
read_pieces(const char *bytes, size_t len, size_t piece, size_t *taken)
{
	enum http_body_result result = HTTP_BODY_PART;

	*taken = 0;
	while (result == HTTP_BODY_PART && *taken < len) {
		size_t size = len - *taken < piece ? len - *taken : piece;
		char *copy = malloc(size);
		size_t got;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, bytes + *taken, size);
		result =
		    http_body_read(&body, slice_of(copy, size), &out, &got);
		ck_assert_uint_le(got, size);
		ck_assert(result != HTTP_BODY_PART || got == size);
		*taken += got;
		free(copy);
	}
	return result;
}

static enum http_body_result
read_chunked(const char *bytes, size_t len, size_t piece, size_t *taken)
{
	static const struct http_request request = {.chunked_body = true};

	ck_assert_int_eq(begin(&request), HTTP_BODY_PART);
	return read_pieces(bytes, len, piece, taken);
}

static void
assert_out(const char *expected)
{
	ck_assert_uint_eq(buf_length(&out), strlen(expected));
	if (*expected != '\0')
		ck_assert_mem_eq(buf_bytes(&out), expected, strlen(expected));
	buf_finish(&out);
}

struct sample {
	const char *bytes;
	const char *body; /* NULL: refused */
};

static const struct sample samples[] = {
    {"0\r\n\r\n", ""},
    {"5\r\nhello\r\n0\r\n\r\n", "hello"},
    {"00000005\r\nhello\r\n0\r\n\r\n", "hello"},
    {"A\r\n0123456789\r\nb\r\n0123456789x\r\n000\r\n\r\n",
	"01234567890123456789x"},
    {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
    {"1;a\r\nx\r\n0;b=\"c\"; d\r\n\r\n", "x"},
    {"1;\r\nx\r\n0\r\n\r\n", "x"},
    {"1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n", "x"},
    {"\r\n0\r\n\r\n", NULL},
    {"x\r\n", NULL},
    {"0x5\r\nhello\r\n0\r\n\r\n", NULL},
    {"+5\r\nhello\r\n0\r\n\r\n", NULL},
    {"-1\r\n", NULL},
    {" 5\r\nhello\r\n0\r\n\r\n", NULL},
    {"5 \r\nhello\r\n0\r\n\r\n", NULL},
    {"5\t;a\r\nhello\r\n0\r\n\r\n", NULL},
    {"5\nhello\r\n0\r\n\r\n", NULL},
    {"5\rhello\r\n0\r\n\r\n", NULL},
    {"5\r\nhello0\r\n\r\n", NULL},
    {"5\r\nhello\n0\r\n\r\n", NULL},
    {"5\r\nhello\rx0\r\n\r\n", NULL},
    {"5\r\nhello!\r\n0\r\n\r\n", NULL},
    {"000000005\r\nhello\r\n0\r\n\r\n", NULL},
    {"fffffffff\r\n", NULL},
    {"5;a\nhello\r\n0\r\n\r\n", NULL},
    {"5;a\x7Fz\r\nhello\r\n0\r\n\r\n", NULL},
    {"0\r\n\r\r", NULL},
    {"0\r\n\n", NULL},
    {"0\n\n", NULL},
    {"0\r\n A: b\r\n\r\n", NULL},
    {"0\r\nA\r\n\r\n", NULL},
    {"0\r\nA : b\r\n\r\n", NULL},
    {"0\r\n: b\r\n\r\n", NULL},
    {"0\r\nA: b\n\r\n", NULL},
    {"0\r\nA: b\x01\r\n\r\n", NULL},
};

enum { SAMPLE_COUNT = sizeof(samples) / sizeof(samples[0]) };

START_TEST(a_chunked_body_is_read_or_refused)
{
	const struct sample *sample = &samples[_i];
	size_t len = strlen(sample->bytes);

	for (size_t piece = 1; piece <= len; piece++) {
		size_t taken;
		enum http_body_result result =
		    read_chunked(sample->bytes, len, piece, &taken);

		if (sample->body != NULL) {
			ck_assert_int_eq(result, HTTP_BODY_WHOLE);
			ck_assert_uint_eq(taken, len);
			assert_out(sample->body);
		} else {
			ck_assert_msg(result == HTTP_BODY_BAD, "taken: %s",
			    sample->bytes);
			ck_assert_ptr_nonnull(body.why);
			buf_finish(&out);
		}
	}
}
END_TEST

START_TEST(what_follows_a_body_is_left_alone)
{
	static const char bytes[] = "1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
	static const struct http_request length = {.body_bytes = 3};
	size_t taken;

	ck_assert_int_eq(
	    read_chunked(bytes, strlen(bytes), 100, &taken), HTTP_BODY_WHOLE);
	ck_assert_uint_eq(taken, 11);
	assert_out("x");
	ck_assert_int_eq(begin(&length), HTTP_BODY_PART);
	ck_assert_int_eq(
	    read_pieces("abcdef", 6, 100, &taken), HTTP_BODY_WHOLE);
	ck_assert_uint_eq(taken, 3);
	assert_out("abc");
}
END_TEST

START_TEST(a_length_is_read_byte_by_byte)
{
	static const struct http_request request = {.body_bytes = 5};
	size_t taken;

	ck_assert_int_eq(begin(&request), HTTP_BODY_PART);
	ck_assert_int_eq(read_pieces("hell", 4, 1, &taken), HTTP_BODY_PART);
	ck_assert_int_eq(read_pieces("o", 1, 1, &taken), HTTP_BODY_WHOLE);
	assert_out("hello");
}
END_TEST

START_TEST(a_request_without_a_body_has_an_empty_one)
{
	static const struct http_request request = {.body_bytes = 0};

	ck_assert_int_eq(begin(&request), HTTP_BODY_WHOLE);
}
END_TEST

START_TEST(a_body_may_be_as_long_as_the_limit_and_no_longer)
{
	struct http_request request = {.body_bytes = MAX};
	size_t taken;

	ck_assert_int_eq(begin(&request), HTTP_BODY_PART);
	request.body_bytes = MAX + 1;
	ck_assert_int_eq(begin(&request), HTTP_BODY_LARGE);
	request.body_bytes = 999999999999999999;
	ck_assert_int_eq(begin(&request), HTTP_BODY_LARGE);
	/* A chunk that is too long is refused before it comes. */
	ck_assert_int_eq(
	    read_chunked("3e8\r\n", 5, 100, &taken), HTTP_BODY_PART);
	ck_assert_int_eq(
	    read_chunked("3e9\r\n", 5, 100, &taken), HTTP_BODY_LARGE);
	ck_assert_int_eq(
	    read_chunked("ffffffff\r\n", 10, 100, &taken), HTTP_BODY_LARGE);
	ck_assert_int_eq(read_chunked("1\r\nx\r\n3e8\r\n", 11, 100, &taken),
	    HTTP_BODY_LARGE);
	buf_finish(&out);
}
END_TEST

/* So many bytes behind what begins it. */
static enum http_body_result
read_filled(const char *start, size_t count, const char *end)
{
	static char text[HTTP_BODY_TRAILER_MAX + 100];
	size_t len = strlen(start), taken;
	enum http_body_result result;

	memcpy(text, start, len);
	memset(text + len, 'a', count);
	memcpy(text + len + count, end, strlen(end));
	result = read_chunked(text, len + count + strlen(end), 100, &taken);
	buf_finish(&out);
	return result;
}

START_TEST(extensions_and_trailers_are_bounded)
{
	static const char end[] = "\r\n0\r\n\r\n";
	static const char last[] = "\r\n\r\n";
	size_t most = HTTP_BODY_TRAILER_MAX - strlen("A:\r\r");

	ck_assert_int_eq(
	    read_filled("0;", HTTP_BODY_EXTENSION_MAX, last), HTTP_BODY_WHOLE);
	ck_assert_int_eq(read_filled("0;", HTTP_BODY_EXTENSION_MAX + 1, last),
	    HTTP_BODY_BAD);
	ck_assert_int_eq(
	    read_filled("1;", HTTP_BODY_EXTENSION_MAX + 1, end), HTTP_BODY_BAD);
	ck_assert_int_eq(read_filled("0\r\nA:", most, last), HTTP_BODY_WHOLE);
	ck_assert_int_eq(read_filled("0\r\nA:", most + 1, last), HTTP_BODY_BAD);
	/* Without an end they are refused, too. */
	ck_assert_int_eq(
	    read_filled("0\r\n", HTTP_BODY_TRAILER_MAX + 1, ""), HTTP_BODY_BAD);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("http_body");

	tcase_add_loop_test(
	    tests, a_chunked_body_is_read_or_refused, 0, SAMPLE_COUNT);
	tcase_add_test(tests, what_follows_a_body_is_left_alone);
	tcase_add_test(tests, a_length_is_read_byte_by_byte);
	tcase_add_test(tests, a_request_without_a_body_has_an_empty_one);
	tcase_add_test(tests, a_body_may_be_as_long_as_the_limit_and_no_longer);
	tcase_add_test(tests, extensions_and_trailers_are_bounded);
	return suite_run("http_body", tests);
}
