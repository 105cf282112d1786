/* Tests of origin: which sites are named, own, or neither. */
#include "broker/worker/http/origin.h"

#include <check.h>
#include <stdio.h>

#include "broker/shared/config.h"
#include "broker/shared/config_http.h"
#include "broker/worker/http/http.h"
#include "tests/unit/suite.h"

static struct config config;

static void
load(const char *origins)
{
	char error[CONFIG_ERROR_SIZE], text[300];
	const char *override = text;

	snprintf(text, sizeof(text), "http.cors_origins=%s", origins);
	ck_assert_int_eq(config_load(&config, NULL, &override, 1, error), 0);
}

static void
finish(void)
{
	config_finish(&config);
}

static const struct http_request *
request(const char *host, const char *origin)
{
	static struct http_request made;

	made.host = slice_of_text(host);
	made.header_count = 0;
	made.headers[made.header_count++] =
	    (struct http_header){slice_of_text("Host"), slice_of_text(host)};
	if (origin != NULL)
		made.headers[made.header_count++] = (struct http_header){
		    slice_of_text("origin"), slice_of_text(origin)};
	return &made;
}

static bool
knows_host(const char *host)
{
	return origin_host_known(&config, request(host, NULL));
}

START_TEST(a_host_is_known_by_its_name)
{
	char error[CONFIG_ERROR_SIZE];
	const char *override = "http.hosts=a.example, b";

	ck_assert_int_eq(config_load(&config, NULL, &override, 1, error), 0);
	ck_assert(knows_host("a.example"));
	ck_assert(knows_host("A.Example:8080"));
	ck_assert(knows_host("b:1"));
	ck_assert(!knows_host("a.example.evil"));
	ck_assert(!knows_host("x.a.example"));
	ck_assert(!knows_host("evil:80"));
	ck_assert(!knows_host("b.:80"));
	ck_assert(!knows_host("1.example"));
	/* Nobody can make these point elsewhere. */
	ck_assert(knows_host("localhost:8080"));
	ck_assert(knows_host("127.0.0.1:8080"));
	ck_assert(knows_host("[::1]:8080"));
	ck_assert(knows_host(""));
}
END_TEST

START_TEST(what_is_no_name_is_no_setting)
{
	static const char *const bad[] = {"http.hosts=a:80",
	    "http.hosts=http://a", "http.hosts=A", "http.hosts=*",
	    "http.hosts=a, b/"};
	char error[CONFIG_ERROR_SIZE];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(
		    config_load(&config, NULL, &bad[i], 1, error), 0);
		ck_assert_msg(config_http_check(&config, error) == -1,
		    "taken: %s", bad[i]);
		ck_assert_ptr_nonnull(strstr(error, "http.hosts: "));
		finish();
	}
	load("");
}
END_TEST

START_TEST(without_names_every_host_is_known)
{
	load("https://a.example");
	ck_assert(knows_host("evil"));
}
END_TEST

START_TEST(a_site_that_is_named_is_granted_by_its_name)
{
	load("https://a.example, http://b.example:81");
	ck_assert_str_eq(
	    origin_granted(&config, request("h", "https://a.example")),
	    "https://a.example");
	ck_assert_str_eq(
	    origin_granted(&config, request("h", "http://b.example:81")),
	    "http://b.example:81");
	ck_assert_ptr_null(
	    origin_granted(&config, request("h", "http://a.example")));
	ck_assert_ptr_null(origin_granted(&config, request("h", "null")));
	ck_assert_ptr_null(origin_granted(&config, request("h", "")));
	ck_assert_ptr_null(origin_granted(&config, request("h", NULL)));
	ck_assert_ptr_null(origin_granted(&config, request("h", "*")));
}
END_TEST

START_TEST(a_star_is_granted_to_all_and_trusts_nobody)
{
	load("*");
	ck_assert_str_eq(
	    origin_granted(&config, request("h", "https://x.example")), "*");
	ck_assert_ptr_null(origin_granted(&config, request("h", NULL)));
	ck_assert(!origin_allowed(&config, request("h", "https://x.example")));
	ck_assert(!origin_allowed(&config, request("h", "*")));
	ck_assert(
	    origin_may_change(&config, request("h", "https://x.example")));
}
END_TEST

START_TEST(the_own_site_is_allowed)
{
	static const char *const own[][2] = {
	    {"a.example", "http://a.example"},
	    {"a.example", "https://a.example"},
	    {"A.example", "https://a.example"},
	    {"a.example:443", "https://a.example"},
	    {"a.example:80", "http://a.example"},
	    {"a.example:8080", "http://a.example:8080"},
	    {"[::1]:8080", "http://[::1]:8080"},
	};
	static const char *const foreign[][2] = {
	    {"a.example", "http://b.example"},
	    {"a.example", "http://a.example:8080"},
	    {"a.example:443", "http://a.example"},
	    {"a.example", "null"},
	    {"", "http://"},
	    {"a.example", "a.example"},
	    {"a.example", "ftp://a.example"},
	    {"a.example", "https://a.example.evil.example"},
	    {"a.example", "https://evil.example/a.example"},
	};

	load("https://c.example");
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		ck_assert_msg(
		    origin_allowed(&config, request(own[i][0], own[i][1])),
		    "refused: %s %s", own[i][0], own[i][1]);
		/* It needs no grant to read what is its own. */
		ck_assert_ptr_null(
		    origin_granted(&config, request(own[i][0], own[i][1])));
	}
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		ck_assert_msg(!origin_may_change(&config,
				  request(foreign[i][0], foreign[i][1])),
		    "taken: %s %s", foreign[i][0], foreign[i][1]);
	ck_assert(origin_allowed(&config, request("h", "https://c.example")));
	ck_assert(origin_allowed(&config, request("h", NULL)));
}
END_TEST

START_TEST(two_origins_are_none)
{
	static struct http_request twice;

	load("https://a.example");
	twice = *request("h", "https://a.example");
	twice.headers[twice.header_count++] = twice.headers[1];
	ck_assert_ptr_null(origin_granted(&config, &twice));
	ck_assert(!origin_allowed(&config, &twice));
}
END_TEST

START_TEST(what_can_never_match_is_no_setting)
{
	static const char *const good[] = {"", "*", "https://a.example",
	    "http://a-b.example:8080", "http://[::1]:3000", "http://10.0.0.1",
	    "capacitor://localhost", "chrome-extension://abc", "http://a_b.c",
	    "https://a.example:80", "http://a.example:443"};
	static const char *const bad[] = {"a.example", "https://",
	    "https://a.example/", "https://A.example", "HTTPS://a.example",
	    "https://a.example:443", "http://a.example:80",
	    "https://a.example:", "https://a.example:0",
	    "https://a.example:65536", "https://a.example:x",
	    "https://u@a.example", "https://*.example", "null", "https://[::1",
	    "https://[]", "*, https://a.example", "https://a.example, *",
	    "https://a example", "://a"};
	char error[CONFIG_ERROR_SIZE];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		load(good[i]);
		ck_assert_msg(config_http_check(&config, error) == 0,
		    "refused: %s: %s", good[i], error);
		finish();
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		load(bad[i]);
		ck_assert_msg(config_http_check(&config, error) == -1,
		    "taken: %s", bad[i]);
		ck_assert_ptr_nonnull(strstr(error, "http.cors_origins: "));
		finish();
	}
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("origin");

	tcase_add_checked_fixture(tests, NULL, finish);
	tcase_add_test(tests, a_site_that_is_named_is_granted_by_its_name);
	tcase_add_test(tests, a_star_is_granted_to_all_and_trusts_nobody);
	tcase_add_test(tests, the_own_site_is_allowed);
	tcase_add_test(tests, a_host_is_known_by_its_name);
	tcase_add_test(tests, without_names_every_host_is_known);
	tcase_add_test(tests, what_is_no_name_is_no_setting);
	tcase_add_test(tests, two_origins_are_none);
	tcase_add_test(tests, what_can_never_match_is_no_setting);
	return suite_run("origin", tests);
}
