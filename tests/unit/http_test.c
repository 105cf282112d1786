/*
 * Tests of http: good requests are read, and what two parsers could read
 * differently is refused. Bytes are always held in a block of just their size,
 * so that a read past their end is seen by the address sanitizer.
 */
#include "broker/worker/http/http.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/http_samples.h"

static struct http_request request;
static size_t size;
static int status;
static const char *why;

static enum http_head
read_limited(const char *bytes, size_t len, const struct http_limits *limits)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum http_head head;

	ck_assert_ptr_nonnull(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	status = 0;
	why = NULL;
	head =
	    http_read_head(copy, len, limits, &request, &size, &status, &why);
	free(copy);
	return head;
}

static enum http_head
read_bytes(const char *bytes, size_t len)
{
	static const struct http_limits limits = {4096, 16};

	return read_limited(bytes, len, &limits);
}

/* For the tests that look at the slices: the bytes must outlive the call. */
static enum http_head
read_text(const char *text)
{
	static const struct http_limits limits = {4096, 16};

	return http_read_head(
	    text, strlen(text), &limits, &request, &size, &status, &why);
}

static void
assert_slice(struct slice slice, const char *expected)
{
	ck_assert_uint_eq(slice.len, strlen(expected));
	if (slice.len > 0)
		ck_assert_mem_eq(slice.bytes, expected, slice.len);
}

START_TEST(a_sample_is_read_or_refused_with_its_status)
{
	const struct sample *sample = &samples[_i];
	enum http_head head = read_bytes(sample->bytes, sample->len);

	if (sample->status == 0) {
		ck_assert_msg(head == HTTP_HEAD_WHOLE, "%s: %s", sample->bytes,
		    why != NULL ? why : "part");
		ck_assert_uint_eq(size, sample->len);
		return;
	}
	ck_assert_msg(head == HTTP_HEAD_BAD, "taken: %s", sample->bytes);
	ck_assert_int_eq(status, sample->status);
	ck_assert_ptr_nonnull(why);
}
END_TEST

/* PART up to some length, then for ever one other answer. */
START_TEST(more_bytes_never_change_an_answer)
{
	const struct sample *sample = &samples[_i];
	enum http_head before = HTTP_HEAD_PART;

	for (size_t len = 0; len <= sample->len; len++) {
		enum http_head head = read_bytes(sample->bytes, len);

		if (before != HTTP_HEAD_PART)
			ck_assert_int_eq(head, before);
		if (sample->status == 0)
			ck_assert_int_eq(head, len < sample->len
						   ? HTTP_HEAD_PART
						   : HTTP_HEAD_WHOLE);
		else
			ck_assert_int_ne(head, HTTP_HEAD_WHOLE);
		before = head;
	}
	ck_assert_int_ne(before, HTTP_HEAD_PART);
}
END_TEST

START_TEST(what_follows_a_head_is_left_alone)
{
	static const char two[] = GET HOST "\r\n" GET "broken";

	ck_assert_int_eq(read_bytes(two, sizeof(two) - 1), HTTP_HEAD_WHOLE);
	ck_assert_uint_eq(size, strlen(GET HOST "\r\n"));
}
END_TEST

START_TEST(the_parts_of_a_request_are_found)
{
	ck_assert_int_eq(
	    read_text(
		"POST /a%20b/c?x=1&y?=2 HTTP/1.1\r\nHost: a:80\r\n"
		"Content-Length: 42\r\nAccept:  x , y\t\r\nNone:\r\n\r\n"),
	    HTTP_HEAD_WHOLE);
	assert_slice(request.method, "POST");
	assert_slice(request.path, "/a%20b/c");
	assert_slice(request.query, "x=1&y?=2");
	ck_assert_int_eq(request.minor, 1);
	ck_assert(!request.chunked_body);
	ck_assert_uint_eq(request.body_bytes, 42);
	ck_assert_uint_eq(request.header_count, 4);
	assert_slice(request.headers[0].name, "Host");
	assert_slice(request.headers[0].value, "a:80");
	assert_slice(request.headers[2].value, "x , y");
	assert_slice(request.headers[3].value, "");
}
END_TEST

START_TEST(a_target_may_name_its_host_and_then_that_counts)
{
	static const struct {
		const char *target, *host, *path, *query;
	} rows[] = {
	    {"/p?q", "a", "/p", "q"},
	    {"http://b:80/p?q", "b:80", "/p", "q"},
	    {"HTTPS://[::1]", "[::1]", "/", ""},
	    {"http://b/", "b", "/", ""},
	    {"http://b?q=/x", "b", "/", "q=/x"},
	    {"/http://b/", "a", "/http://b/", ""},
	    {"*", "a", "*", ""},
	};
	char text[200];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text),
		    "OPTIONS %s HTTP/1.1\r\n" HOST "\r\n", rows[i].target);
		ck_assert_int_eq(read_text(text), HTTP_HEAD_WHOLE);
		assert_slice(request.host, rows[i].host);
		assert_slice(request.path, rows[i].path);
		assert_slice(request.query, rows[i].query);
	}
	ck_assert_int_eq(read_text("GET / HTTP/1.0\r\n\r\n"), HTTP_HEAD_WHOLE);
	ck_assert_ptr_null(request.host.bytes);
}
END_TEST

START_TEST(a_request_is_read_over_one_that_was_read_before)
{
	ck_assert_int_eq(
	    read_text("POST /?q HTTP/1.1\r\n" HOST "Connection: close\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n"),
	    HTTP_HEAD_WHOLE);
	ck_assert(request.chunked_body);
	ck_assert(!request.keep_alive);
	ck_assert_int_eq(read_text(GET HOST "\r\n"), HTTP_HEAD_WHOLE);
	ck_assert(!request.chunked_body);
	ck_assert(request.keep_alive);
	ck_assert_uint_eq(request.query.len, 0);
	ck_assert_uint_eq(request.header_count, 1);
	ck_assert_uint_eq(request.body_bytes, 0);
}
END_TEST

static bool
stays_open(const char *version, const char *headers)
{
	static const struct http_limits limits = {4096, 16};
	char text[200];
	int len = snprintf(text, sizeof(text), "GET / %s\r\nHost: a\r\n%s\r\n",
	    version, headers);

	ck_assert_int_eq(http_read_head(text, (size_t)len, &limits, &request,
			     &size, &status, &why),
	    HTTP_HEAD_WHOLE);
	return request.keep_alive;
}

START_TEST(version_and_connection_say_whether_it_stays_open)
{
	ck_assert(stays_open("HTTP/1.1", ""));
	ck_assert(!stays_open("HTTP/1.0", ""));
	ck_assert(stays_open("HTTP/1.0", "Connection: Keep-Alive\r\n"));
	ck_assert(!stays_open("HTTP/1.1", "connection: foo ,\tCLOSE\r\n"));
	ck_assert(!stays_open(
	    "HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
	ck_assert(!stays_open("HTTP/1.0", "Connection: close, keep-alive\r\n"));
	ck_assert(stays_open("HTTP/1.1", "Connection: closed, xclose\r\n"));
	ck_assert(stays_open("HTTP/1.1", "Connection:\r\n"));
	ck_assert(stays_open("HTTP/1.1", "Connection: ,,,\r\n"));
}
END_TEST

START_TEST(a_head_may_be_as_long_as_the_limit_and_no_longer)
{
	static const char text[] = GET HOST "\r\n";
	size_t len = sizeof(text) - 1;

	for (size_t limit = 1; limit < len; limit++) {
		struct http_limits limits = {limit, 16};

		ck_assert_int_eq(
		    read_limited(text, len, &limits), HTTP_HEAD_BAD);
		ck_assert_int_eq(status, limit < strlen(GET) ? 414 : 431);
		ck_assert_int_eq(
		    read_limited(text, limit - 1, &limits), HTTP_HEAD_PART);
	}
	ck_assert_int_eq(
	    read_limited(text, len, &(struct http_limits){len, 16}),
	    HTTP_HEAD_WHOLE);
}
END_TEST

START_TEST(a_head_may_have_as_many_headers_as_the_limit_and_no_more)
{
	static const char text[] = GET HOST "A: 1\r\nB: 2\r\n\r\n";
	size_t len = sizeof(text) - 1;

	ck_assert_int_eq(read_limited(text, len, &(struct http_limits){200, 3}),
	    HTTP_HEAD_WHOLE);
	ck_assert_int_eq(read_limited(text, len, &(struct http_limits){200, 2}),
	    HTTP_HEAD_BAD);
	ck_assert_int_eq(status, 431);
}
END_TEST

START_TEST(no_limit_lets_more_headers_in_than_there_is_room_for)
{
	static char text[8192];
	size_t len = (size_t)snprintf(text, sizeof(text), GET HOST);

	for (int i = 0; i < HTTP_HEADERS_MAX; i++)
		len +=
		    (size_t)snprintf(text + len, sizeof(text) - len, "A:\r\n");
	memcpy(text + len, "\r\n", 2);
	ck_assert_int_eq(read_limited(text, len + 2,
			     &(struct http_limits){sizeof(text), 10000}),
	    HTTP_HEAD_BAD);
	ck_assert_int_eq(status, 431);
}
END_TEST

START_TEST(long_everything_is_refused_before_it_is_whole)
{
	static const struct {
		int status;
		const char *head;
		char filler;
	} longs[] = {
	    {501, "", 'A'},
	    {414, "GET /", 'a'},
	    {414, "GET / HTTP/1.1", '1'},
	    {431, GET, 'a'},
	    {431, GET "A:", 'a'},
	    {431, GET "A:", ' '},
	};
	char text[5000];

	for (size_t i = 0; i < sizeof(longs) / sizeof(longs[0]); i++) {
		memset(text, longs[i].filler, sizeof(text));
		memcpy(text, longs[i].head, strlen(longs[i].head));
		ck_assert_int_eq(read_bytes(text, sizeof(text)), HTTP_HEAD_BAD);
		ck_assert_int_eq(status, longs[i].status);
	}
}
END_TEST

static Suite *
suite(void)
{
	TCase *tests = tcase_create("http");
	Suite *suite = suite_create("http");

	tcase_add_loop_test(tests, a_sample_is_read_or_refused_with_its_status,
	    0, SAMPLE_COUNT);
	tcase_add_test(tests, a_target_may_name_its_host_and_then_that_counts);
	tcase_add_loop_test(
	    tests, more_bytes_never_change_an_answer, 0, SAMPLE_COUNT);
	tcase_add_test(tests, what_follows_a_head_is_left_alone);
	tcase_add_test(tests, the_parts_of_a_request_are_found);
	tcase_add_test(tests, a_request_is_read_over_one_that_was_read_before);
	tcase_add_test(tests, version_and_connection_say_whether_it_stays_open);
	tcase_add_test(tests, a_head_may_be_as_long_as_the_limit_and_no_longer);
	tcase_add_test(
	    tests, a_head_may_have_as_many_headers_as_the_limit_and_no_more);
	tcase_add_test(
	    tests, no_limit_lets_more_headers_in_than_there_is_room_for);
	tcase_add_test(tests, long_everything_is_refused_before_it_is_whole);
	suite_add_tcase(suite, tests);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
