/* Tests of http_query: what a request says in its headers and its query. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/worker/http/http.h"

static struct http_request request;

static void
read_text(const char *text)
{
	static const struct http_limits limits = {4096, 16};
	size_t size;
	int status;
	const char *why;

	ck_assert_int_eq(http_read_head(text, strlen(text), &limits, &request,
			     &size, &status, &why),
	    HTTP_HEAD_WHOLE);
}

static void
assert_slice(struct slice slice, const char *expected)
{
	ck_assert_uint_eq(slice.len, strlen(expected));
	ck_assert_mem_eq(slice.bytes, expected, slice.len);
}

START_TEST(a_header_is_found_in_any_case_and_counted)
{
	size_t count;

	read_text("GET / HTTP/1.1\r\nHost: a\r\n"
		  "X-A: 1\r\nx-a: 2\r\nX-B:\r\n\r\n");
	assert_slice(http_header(&request, "x-A", &count), "1");
	ck_assert_uint_eq(count, 2);
	ck_assert_ptr_nonnull(http_header(&request, "X-B", NULL).bytes);
	ck_assert_uint_eq(http_header(&request, "x-b", &count).len, 0);
	ck_assert_uint_eq(count, 1);
	ck_assert_ptr_null(http_header(&request, "X-", &count).bytes);
	ck_assert_uint_eq(count, 0);
}
END_TEST

static bool
accepts(const char *headers)
{
	static char text[300]; /* the request points into it */

	snprintf(
	    text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
	read_text(text);
	return http_accepts(&request, "text/event-stream");
}

START_TEST(a_media_type_is_accepted_only_in_so_many_words)
{
	ck_assert(accepts("Accept: text/event-stream\r\n"));
	ck_assert(accepts("accept: TEXT/Event-Stream ; q=0.5\r\n"));
	ck_assert(accepts("Accept: text/html,\t text/event-stream;q=1\r\n"));
	ck_assert(accepts("Accept: a/b\r\nAccept: text/event-stream\r\n"));
	ck_assert(accepts("Accept: text/event-stream;q=0.001\r\n"));
	ck_assert(!accepts(""));
	ck_assert(!accepts("Accept: */*\r\n"));
	ck_assert(!accepts("Accept: text/*\r\n"));
	ck_assert(!accepts("Accept:\r\n"));
	ck_assert(!accepts("Accept: text/event-streams\r\n"));
	ck_assert(!accepts("Accept: xtext/event-stream\r\n"));
	ck_assert(!accepts("Accept: text/event-stream;q=0\r\n"));
	ck_assert(!accepts("Accept: text/event-stream; a=b; Q=0.00\r\n"));
	ck_assert(!accepts("X-Accept: text/event-stream\r\n"));
}
END_TEST

static bool
prefers_json(const char *accept)
{
	char header[200];

	snprintf(header, sizeof(header), "Accept: %s\r\n", accept);
	accepts(accept[0] != '\0' ? header : "");
	return http_prefers_json(&request);
}

START_TEST(json_is_preferred_by_weight_and_then_by_words)
{
	static const char *const json[] = {"application/json",
	    "APPLICATION/Json", "application/*", "application/json;q=0.001",
	    "application/json, text/plain, */*",
	    "application/json, text/event-stream;q=0.999",
	    "text/event-stream;q=0, application/json;q=0.1",
	    "text/*, application/json", "*/*;q=0.5, application/*;q=0.6",
	    "application/json;charset=utf-8;q=1.000, text/event-stream;q=0.9",
	    "a/b\r\nAccept: application/json",
	    "application/json;q=0.1, application/json"};
	static const char *const others[] = {"", "*/*", "text/event-stream",
	    "application/json, text/event-stream", "application/json;q=0",
	    "application/json;Q=0.000, */*", "application/jso",
	    "application/json+x", "application", "application/", "text/html",
	    "application/*, text/*", "application/*, text/event-stream",
	    "application/json;q=0.5, text/event-stream;q=0.51",
	    "application/json;q=0.5, */*",
	    "application/json;q=0, application/*",
	    "application/json;q=0.5;q=0, text/html", ";,*,/,;q=1"};

	for (size_t i = 0; i < sizeof(json) / sizeof(json[0]); i++)
		ck_assert_msg(prefers_json(json[i]), "%s", json[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(!prefers_json(others[i]), "%s", others[i]);
}
END_TEST

static enum coding
coding_for(const char *codings, unsigned offered)
{
	char header[200];

	snprintf(header, sizeof(header), "Accept-Encoding: %s\r\n", codings);
	accepts(header);
	return http_find_coding(&request, offered);
}

enum { GZIP = 1U << CODING_GZIP, ZSTD = 1U << CODING_ZSTD };

START_TEST(gzip_is_taken_unless_no_coding_is_preferred)
{
	static const char *const taken[] = {"gzip", "GZip", "x-gzip",
	    "gzip, deflate, br, zstd", "br;q=1.0,\tgzip ; q=0.001", "*",
	    "*;q=0.1", "gzip, identity", "identity;q=0.5, gzip;q=0.5",
	    "identity;q=0, *", "gzip;q=0.2\r\nAccept-Encoding: identity;q=0.1",
	    "identity\r\nAccept-Encoding: gzip", "*;q=0, gzip;q=1",
	    "gzip;q=0, x-gzip", "gzip;q=0.1, gzip", "identity;q=0.3, *;q=0.3",
	    ";,gzip,;q=1", "gzip;q=nonsense"};
	static const char *const not_taken[] = {"", "identity", "gzip;q=0",
	    "gzip;Q=0.000, *", "br, deflate", "gzipp", "xgzip", "x-gzip;q=0",
	    "*;q=0", "identity;q=0.5, gzip;q=0.499", "identity, gzip;q=0.9",
	    "identity;q=0.2, *;q=0.1", "gzip;q=1;q=0", "zstd, deflate;q=1",
	    ";q=1", ",;,=", "br;gzip"};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		ck_assert_msg(
		    coding_for(taken[i], GZIP) == CODING_GZIP, "%s", taken[i]);
	for (size_t i = 0; i < sizeof(not_taken) / sizeof(not_taken[0]); i++)
		ck_assert_msg(coding_for(not_taken[i], GZIP) == CODING_NONE,
		    "%s", not_taken[i]);
	accepts("");
	ck_assert_int_eq(http_find_coding(&request, GZIP | ZSTD), CODING_NONE);
	accepts("Accept: gzip\r\nTE: gzip, zstd\r\n");
	ck_assert_int_eq(http_find_coding(&request, GZIP | ZSTD), CODING_NONE);
	ck_assert_int_eq(coding_for("gzip, zstd", 0), CODING_NONE);
}
END_TEST

START_TEST(of_several_codings_the_best_that_is_named_is_taken)
{
	static const struct {
		const char *accepted;
		enum coding of_both;
		enum coding of_zstd; /* where that is all there is */
	} rows[] = {
	    {"gzip, zstd", CODING_ZSTD, CODING_ZSTD},
	    {"zstd, gzip", CODING_ZSTD, CODING_ZSTD},
	    {"ZSTD;q=0.5, gzip;q=0.5", CODING_ZSTD, CODING_ZSTD},
	    {"zstd;q=0.5, gzip;q=0.501", CODING_GZIP, CODING_ZSTD},
	    {"zstd;q=0.501, gzip;q=0.5", CODING_ZSTD, CODING_ZSTD},
	    {"zstd;q=0, gzip", CODING_GZIP, CODING_NONE},
	    {"gzip;q=0, zstd;q=0", CODING_NONE, CODING_NONE},
	    {"zstd", CODING_ZSTD, CODING_ZSTD},
	    {"gzip", CODING_GZIP, CODING_NONE},
	    {"zstandard", CODING_NONE, CODING_NONE},
	    {"*", CODING_GZIP, CODING_ZSTD},
	    {"gzip, *", CODING_GZIP, CODING_ZSTD},
	    {"gzip;q=0.5, *", CODING_ZSTD, CODING_ZSTD},
	    {"gzip;q=0, *", CODING_ZSTD, CODING_ZSTD},
	    {"zstd, *", CODING_ZSTD, CODING_ZSTD},
	    {"zstd;q=0.5, *", CODING_GZIP, CODING_ZSTD},
	    {"zstd, *;q=0", CODING_ZSTD, CODING_ZSTD},
	    {"identity;q=0.7, gzip;q=0.6, zstd;q=0.7", CODING_ZSTD,
		CODING_ZSTD},
	    {"identity;q=0.7, gzip;q=0.8, zstd;q=0.6", CODING_GZIP,
		CODING_NONE},
	    {"identity, gzip;q=0.9, zstd;q=0.9", CODING_NONE, CODING_NONE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(coding_for(rows[i].accepted, GZIP | ZSTD) ==
				  rows[i].of_both,
		    "%s", rows[i].accepted);
		ck_assert_msg(
		    coding_for(rows[i].accepted, ZSTD) == rows[i].of_zstd,
		    "%s, zstd alone", rows[i].accepted);
	}
}
END_TEST

/* The pairs of a query as "name=value|...", with '!' for a fault. */
static const char *
pairs_of(const char *text)
{
	static char out[400];
	size_t room = strlen(text);
	/* Of just their size, so that a read or write past it is seen. */
	char *query_bytes = malloc(room > 0 ? room : 1);
	char *name = malloc(room > 0 ? room : 1);
	char *value = malloc(room > 0 ? room : 1);
	struct slice query = {query_bytes, room};
	size_t name_len, value_len, len = 0;
	int result;

	ck_assert(query_bytes != NULL && name != NULL && value != NULL);
	memcpy(query_bytes, text, room);
	out[0] = '\0';
	while ((result = http_query_next(
		    &query, name, &name_len, value, &value_len)) == 1) {
		ck_assert_uint_le(name_len + value_len, room);
		len += (size_t)snprintf(out + len, sizeof(out) - len,
		    "%.*s=%.*s|", (int)name_len, name, (int)value_len, value);
	}
	if (result < 0)
		snprintf(out + len, sizeof(out) - len, "!");
	free(query_bytes);
	free(name);
	free(value);
	return out;
}

START_TEST(a_query_is_cut_into_decoded_pairs)
{
	ck_assert_str_eq(pairs_of(""), "");
	ck_assert_str_eq(pairs_of("a=b"), "a=b|");
	ck_assert_str_eq(pairs_of("a=b&c=d"), "a=b|c=d|");
	ck_assert_str_eq(pairs_of("&&a=b&&&c&"), "a=b|c=|");
	ck_assert_str_eq(pairs_of("a=&=b&="), "a=|=b|=|");
	ck_assert_str_eq(pairs_of("a=b=c"), "a=b=c|");
	ck_assert_str_eq(pairs_of("a+b=+c%2B"), "a b= c+|");
	ck_assert_str_eq(pairs_of("%61%3d%26=%C3%bc"), "a=&=\xC3\xBC|");
	ck_assert_str_eq(pairs_of("since=2026-01-31T12:00:00%2B02:00"),
	    "since=2026-01-31T12:00:00+02:00|");
	ck_assert_str_eq(pairs_of("a=%2500"), "a=%00|");
}
END_TEST

START_TEST(a_broken_escape_or_nul_in_a_query_is_refused)
{
	ck_assert_str_eq(pairs_of("a=%"), "!");
	ck_assert_str_eq(pairs_of("a=%4"), "!");
	ck_assert_str_eq(pairs_of("a=%4&1=2"), "!");
	ck_assert_str_eq(pairs_of("a=%4g"), "!");
	ck_assert_str_eq(pairs_of("a=%g4"), "!");
	ck_assert_str_eq(pairs_of("a=%+1"), "!");
	ck_assert_str_eq(pairs_of("a=x%00"), "!");
	ck_assert_str_eq(pairs_of("%00=x"), "!");
	ck_assert_str_eq(pairs_of("a=b&%zz=x"), "a=b|!");
}
END_TEST

static Suite *
suite(void)
{
	TCase *tests = tcase_create("http_query");
	Suite *suite = suite_create("http_query");

	tcase_add_test(tests, a_header_is_found_in_any_case_and_counted);
	tcase_add_test(tests, a_media_type_is_accepted_only_in_so_many_words);
	tcase_add_test(tests, json_is_preferred_by_weight_and_then_by_words);
	tcase_add_test(tests, gzip_is_taken_unless_no_coding_is_preferred);
	tcase_add_test(
	    tests, of_several_codings_the_best_that_is_named_is_taken);
	tcase_add_test(tests, a_query_is_cut_into_decoded_pairs);
	tcase_add_test(tests, a_broken_escape_or_nul_in_a_query_is_refused);
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
