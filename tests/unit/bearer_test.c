/* Tests of bearer: where a request's token is, and whether it counts. */
#include "broker/worker/http/bearer.h"

#include "broker/shared/config.h"
#include "broker/worker/http/http.h"
#include "tests/unit/suite.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct config config;

static void
set_up(void)
{
	config.auth_cookie = (char *)(uintptr_t) "sid";
}

/* What bearer_find() says of a request with this target and these headers:
 * the token, or "-" none, "2" two, "!" foreign. */
static const char *
find(const char *method, const char *target, const char *headers)
{
	static const struct http_limits limits = {4096, 16};
	static struct http_request request;
	static char text[4096], found[4096];
	struct bearer bearer;
	size_t size;
	int status;
	const char *why;

	snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: h:80\r\n%s\r\n",
	    method, target, headers);
	ck_assert_int_eq(http_read_head(text, strlen(text), &limits, &request,
			     &size, &status, &why),
	    HTTP_HEAD_WHOLE);
	switch (bearer_find(&config, &request, &bearer)) {
	case BEARER_NONE:
		return "-";
	case BEARER_TWICE:
		return "2";
	case BEARER_FOREIGN:
		return "!";
	case BEARER_MEMORY:
		return "memory";
	case BEARER_FOUND:
		break;
	}
	snprintf(found, sizeof(found), "%.*s", (int)bearer.token.len,
	    bearer.token.bytes);
	bearer_finish(&bearer);
	bearer_finish(&bearer);
	return found;
}

static const struct {
	const char *target;
	const char *headers;
	const char *token;
} rows[] = {
    {"/", "", "-"},
    {"/", "Authorization: Bearer a.b.c\r\n", "a.b.c"},
    {"/", "authorization: bEARER   a.b.c \r\n", "a.b.c"},
    {"/", "Authorization: Bearer\r\n", ""},
    {"/", "Authorization: Bearer \r\n", ""},
    {"/", "Authorization: Bearer a b\r\n", "a b"},
    {"/", "Authorization: Bearera.b.c\r\n", "-"},
    {"/", "Authorization: Bearer\ta\r\n", "-"},
    {"/", "Authorization: Basic a\r\n", "-"},
    {"/", "Authorization: a.b.c\r\n", "-"},
    {"/", "Authorization:\r\n", "-"},
    {"/", "Authorization: Bearer a\r\nAuthorization: Bearer a\r\n", "2"},
    {"/", "Authorization: Basic a\r\nAuthorization: Bearer a\r\n", "2"},
    {"/?access_token=q", "", "q"},
    {"/?a=b&access_token=a.b.c&c", "", "a.b.c"},
    {"/?access_token=a%2Eb", "", "a.b"},
    {"/?access_token=a+b", "", "a b"},
    {"/?access_token=", "", ""},
    {"/?access_token", "", ""},
    {"/?access_token=a&x=1&access_token=a", "", "2"},
    {"/?access_token=a&%61ccess_token=b", "", "2"},
    {"/?xaccess_token=a", "", "-"},
    {"/?access_tokenx=a", "", "-"},
    {"/?ACCESS_TOKEN=a", "", "-"},
    {"/?x=access_token", "", "-"},
    {"/?x=access_token=a", "", "-"},
    {"/?access_token=q", "Authorization: Bearer h\r\n", "h"},
    {"/?access_token=q", "Authorization: Basic h\r\n", "q"},
    {"/?access_token=q", "Cookie: sid=c\r\n", "q"},
    {"/", "Cookie: sid=c\r\n", "c"},
    {"/", "Cookie: a=b; sid=c; d=e\r\n", "c"},
    {"/", "Cookie: a=b;sid=c;d=e\r\n", "c"},
    {"/", "Cookie: a=b\r\nCookie: sid=c\r\n", "c"},
    {"/", "Cookie: sid=a=b\r\n", "a=b"},
    {"/", "Cookie: sid=\r\n", "-"},
    {"/", "Cookie: sid=; sid=c\r\n", "c"},
    {"/", "Cookie: sid\r\n", "-"},
    {"/", "Cookie: SID=c\r\n", "-"},
    {"/", "Cookie: xsid=c; sidx=d; x=sid\r\n", "-"},
    {"/", "Cookie: sid=c; sid=d\r\n", "2"},
    {"/", "Cookie: sid=c\r\nCookie: sid=d\r\n", "2"},
    {"/", "Cookie: sid=c\r\nCookie: sid=d\r\nCookie: sid=e\r\n", "2"},
    {"/", "Authorization: Bearer h\r\nCookie: sid=c; sid=d\r\n", "h"},
};

START_TEST(the_token_is_in_one_of_three_places)
{
	ck_assert_msg(strcmp(find("GET", rows[_i].target, rows[_i].headers),
			  rows[_i].token) == 0,
	    "%s %s", rows[_i].target, rows[_i].headers);
}
END_TEST

START_TEST(without_a_name_for_it_no_cookie_is_looked_at)
{
	config.auth_cookie = (char *)(uintptr_t) "";
	ck_assert_str_eq(find("GET", "/", "Cookie: sid=c\r\n"), "-");
	ck_assert_str_eq(find("GET", "/", "Cookie: =c\r\n"), "-");
}
END_TEST

static const struct {
	const char *headers;
	const char *get;
	const char *post;
} origins[] = {
    {"", "c", "!"},
    {"Sec-Fetch-Site: none\r\n", "c", "!"},
    {"Sec-Fetch-Site: same-site\r\n", "c", "!"},
    {"Sec-Fetch-Site: cross-site\r\n", "!", "!"},
    {"Sec-Fetch-Site: same-origin\r\n", "c", "c"},
    {"Origin: http://h:80\r\n", "c", "c"},
    {"Origin: https://H:80\r\n", "c", "c"},
    {"Origin: http://h:81\r\n", "!", "!"},
    {"Origin: http://h\r\n", "c", "c"},
    {"Origin: https://h\r\n", "!", "!"},
    {"Origin: http://h:80.evil\r\n", "!", "!"},
    {"Origin: http://evil\r\n", "!", "!"},
    {"Origin: null\r\n", "!", "!"},
    {"Origin:\r\n", "!", "!"},
    {"Origin: http://h:80\r\nOrigin: http://evil\r\n", "!", "!"},
    {"Origin: http://evil\r\nSec-Fetch-Site: same-origin\r\n", "!", "!"},
};

START_TEST(a_cookie_counts_only_when_a_page_of_ours_asks)
{
	char headers[300];

	snprintf(headers, sizeof(headers), "Cookie: sid=c\r\n%s",
	    origins[_i].headers);
	ck_assert_str_eq(find("GET", "/", headers), origins[_i].get);
	ck_assert_str_eq(find("HEAD", "/", headers), origins[_i].get);
	ck_assert_str_eq(find("POST", "/", headers), origins[_i].post);
	ck_assert_str_eq(find("DELETE", "/", headers), origins[_i].post);
}
END_TEST

/* Such a token is not sent by itself. */
START_TEST(a_token_that_a_page_has_to_know_counts_from_anywhere)
{
	ck_assert_str_eq(find("POST", "/",
			     "Origin: http://evil\r\n"
			     "Authorization: Bearer h\r\n"),
	    "h");
	ck_assert_str_eq(
	    find("POST", "/?access_token=q", "Origin: http://evil\r\n"), "q");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("bearer");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(
	    tests, the_token_is_in_one_of_three_places, 0, COUNT(rows));
	tcase_add_test(tests, without_a_name_for_it_no_cookie_is_looked_at);
	tcase_add_loop_test(tests,
	    a_cookie_counts_only_when_a_page_of_ours_asks, 0, COUNT(origins));
	tcase_add_test(
	    tests, a_token_that_a_page_has_to_know_counts_from_anywhere);
	return suite_run("bearer", tests);
}
