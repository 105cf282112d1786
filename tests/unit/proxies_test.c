/* Tests of proxies and of proxy_header: whose request it is. */
#include "broker/worker/http/proxies.h"

#include <check.h>
#include <stdlib.h>

#include "broker/shared/config.h"
#include "broker/worker/http/http.h"
#include "broker/worker/http/proxy_header.h"
#include "tests/unit/suite.h"

static struct config config;
static struct proxies proxies;

static void
make(void)
{
	static const char *const override =
	    "http.trusted_proxies=192.0.2.1, 10.0.0.0/8, 2001:db8:9::/48";
	char error[CONFIG_ERROR_SIZE];

	ck_assert_int_eq(config_load(&config, NULL, &override, 1, error), 0);
	ck_assert_int_eq(proxies_init(&proxies, &config), 0);
}

static void
finish(void)
{
	proxies_finish(&proxies);
	config_finish(&config);
}

static struct address
address(const char *text)
{
	struct address parsed;

	ck_assert_int_eq(address_parse(&parsed, slice_of_text(text)), 0);
	return parsed;
}

/* Whose request it is that 192.0.2.1 brings with these headers. */
static void
assert_client(const char *first, const char *second, const char *expected)
{
	static struct http_request request;
	const char *values[] = {first, second};
	struct address client;
	char text[ADDRESS_TEXT_SIZE];

	request.header_count = 0;
	request.headers[request.header_count++] = (struct http_header){
	    slice_of_text("Forwarded"), slice_of_text("for=203.0.113.200")};
	for (size_t i = 0; i < 2; i++) {
		if (values[i] != NULL)
			request.headers[request.header_count++] =
			    (struct http_header){
				slice_of_text("x-forwarded-FOR"),
				slice_of_text(values[i])};
	}
	client = proxies_client(&proxies, &request, address("192.0.2.1"));
	address_format(&client, text);
	ck_assert_str_eq(text, expected);
}

START_TEST(who_is_trusted_is_in_the_list)
{
	static const char *const trusted[] = {
	    "192.0.2.1", "10.9.8.7", "2001:db8:9:1::5", "::ffff:10.0.0.1"};
	static const char *const others[] = {
	    "192.0.2.2", "11.0.0.1", "::1", "2001:db8:8::"};

	for (size_t i = 0; i < 4; i++) {
		struct address one = address(trusted[i]);
		struct address other = address(others[i]);

		ck_assert(proxies_trust(&proxies, &one));
		ck_assert(!proxies_trust(&proxies, &other));
	}
}
END_TEST

START_TEST(the_last_that_is_not_trusted_is_the_client)
{
	assert_client(NULL, NULL, "192.0.2.1");
	assert_client("203.0.113.1", NULL, "203.0.113.1");
	assert_client("203.0.113.1, 203.0.113.2", NULL, "203.0.113.2");
	assert_client("203.0.113.1,10.0.0.1 ,\t10.0.0.2", NULL, "203.0.113.1");
	assert_client("203.0.113.1", "203.0.113.2", "203.0.113.2");
	assert_client("203.0.113.1", "10.0.0.1", "203.0.113.1");
	assert_client("10.0.0.1, 10.0.0.2", "10.0.0.3", "10.0.0.1");
	assert_client("junk, 203.0.113.1", NULL, "203.0.113.1");
	assert_client("[2001:db8::1]:443", NULL, "2001:db8::1");
}
END_TEST

START_TEST(behind_what_is_no_address_nobody_is_believed)
{
	assert_client("", NULL, "192.0.2.1");
	assert_client("unknown", NULL, "192.0.2.1");
	assert_client("203.0.113.1, unknown", NULL, "192.0.2.1");
	assert_client("203.0.113.1, junk, 10.0.0.1", NULL, "10.0.0.1");
	assert_client("203.0.113.1,", NULL, "192.0.2.1");
	assert_client("203.0.113.1", "10.0.0.1, ", "192.0.2.1");
	assert_client("203.0.113.1", "junk, 10.0.0.1", "10.0.0.1");
}
END_TEST

/* --- the PROXY protocol --- */

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define IPV4 "\xCB\0\x71\x01\xC0\0\x02\x01\x10\x00\x01\xBB"
#define IPV6 \
	"\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07" \
	"\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x08\x10\x00\x01\xBB"
#define SAMPLE(answer, text, client) \
	{ \
		answer, sizeof(text) - 1, text, client \
	}

static const struct sample {
	enum proxy_header answer;
	size_t len;
	const char *bytes;
	const char *client;
} samples[] = {
    SAMPLE(PROXY_HEADER_CLIENT, "PROXY TCP4 203.0.113.1 192.0.2.1 1 65535\r\n",
	"203.0.113.1"),
    SAMPLE(PROXY_HEADER_CLIENT, "PROXY TCP6 2001:db8::7 ::1 56324 443\r\n",
	"2001:db8::7"),
    SAMPLE(PROXY_HEADER_CLIENT,
	"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    SAMPLE(PROXY_HEADER_LOCAL, "PROXY UNKNOWN\r\n", NULL),
    SAMPLE(PROXY_HEADER_LOCAL, "PROXY UNKNOWN ::1 ::1 1 2\r\n", NULL),
    SAMPLE(PROXY_HEADER_CLIENT, SIGNATURE "\x21\x11\0\x0C" IPV4, "203.0.113.1"),
    SAMPLE(PROXY_HEADER_CLIENT, SIGNATURE "\x21\x21\0\x24" IPV6, "2001:db8::7"),
    SAMPLE(PROXY_HEADER_CLIENT, SIGNATURE "\x21\x11\0\x12" IPV4 "\x04\0\x03xyz",
	"203.0.113.1"),
    SAMPLE(PROXY_HEADER_LOCAL, SIGNATURE "\x20\x00\0\0", NULL),
    SAMPLE(PROXY_HEADER_LOCAL, SIGNATURE "\x20\x11\0\x0C" IPV4, NULL),
    SAMPLE(PROXY_HEADER_LOCAL, SIGNATURE "\x21\x00\0\0", NULL),
    SAMPLE(PROXY_HEADER_LOCAL, SIGNATURE "\x21\x31\0\x01x", NULL),
    SAMPLE(PROXY_HEADER_BAD, "GET / HTTP/1.1\r\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, "PROXY\r\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, "PROXY \r\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, "PROXY  TCP4 203.0.113.1 192.0.2.1 1 2\r\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, "PROXY TCP4 203.0.113.1  192.0.2.1 1 2\r\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, "PROXY TCP4 203.0.113.1 192.0.2.1 1\r\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, "PROXY TCP4 203.0.113.1 192.0.2.1 1 \r\n", NULL),
    SAMPLE(
	PROXY_HEADER_BAD, "PROXY TCP4 203.0.113.1 192.0.2.1 1 2 3\r\n", NULL),
    SAMPLE(
	PROXY_HEADER_BAD, "PROXY TCP4 203.0.113.1 192.0.2.1 1 65536\r\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, "PROXY TCP4 203.0.113.1 192.0.2.1 01 2\r\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, "PROXY TCP4 203.0.113.1 ::1 1 2\r\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, "PROXY TCP6 203.0.113.1 192.0.2.1 1 2\r\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, "PROXY UDP4 203.0.113.1 192.0.2.1 1 2\r\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, "PROXY TCP4 203.0.113.1 192.0.2.1 1 2\n", NULL),
    SAMPLE(PROXY_HEADER_BAD, SIGNATURE "\x11\x11\0\x0C" IPV4, NULL),
    SAMPLE(PROXY_HEADER_BAD, SIGNATURE "\x22\x11\0\x0C" IPV4, NULL),
    SAMPLE(PROXY_HEADER_BAD, SIGNATURE "\x21\x12\0\x0C" IPV4, NULL),
    SAMPLE(PROXY_HEADER_BAD, SIGNATURE "\x21\x41\0\x0C" IPV4, NULL),
    SAMPLE(PROXY_HEADER_BAD, SIGNATURE "\x21\x11\0\x04\xCB\0\x71\x01", NULL),
    SAMPLE(PROXY_HEADER_BAD, SIGNATURE "\x21\x21\0\x0C" IPV4, NULL),
    SAMPLE(PROXY_HEADER_BAD, SIGNATURE "\x21\x11\xFF\xFF", NULL),
    SAMPLE(PROXY_HEADER_BAD, "\r\n\r\n\0\r\nQUIX\n\x21\x11\0\0", NULL),
};

enum { SAMPLE_COUNT = sizeof(samples) / sizeof(samples[0]) };

static enum proxy_header
read_header(const char *bytes, size_t len, struct address *client, size_t *size)
{
	char *copy = malloc(len + 1);
	enum proxy_header answer;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy + 1, bytes, len);
	answer = proxy_header_read(copy + 1, len, client, size);
	free(copy);
	return answer;
}

START_TEST(a_header_is_read_or_refused)
{
	const struct sample *sample = &samples[_i];
	struct address client = {{0}};
	char text[ADDRESS_TEXT_SIZE];
	size_t size;

	for (size_t len = 0; len < sample->len; len++) {
		enum proxy_header answer =
		    read_header(sample->bytes, len, &client, &size);

		ck_assert(answer == PROXY_HEADER_PART ||
			  (answer == PROXY_HEADER_BAD &&
			      sample->answer == PROXY_HEADER_BAD));
	}
	ck_assert_int_eq(
	    read_header(sample->bytes, sample->len, &client, &size),
	    sample->answer);
	if (sample->answer != PROXY_HEADER_BAD)
		ck_assert_uint_eq(size, sample->len);
	if (sample->client != NULL) {
		address_format(&client, text);
		ck_assert_str_eq(text, sample->client);
	}
}
END_TEST

START_TEST(a_header_without_an_end_is_refused)
{
	char line[200] = "PROXY UNKNOWN ";
	struct address client;
	size_t size;

	memset(line + strlen(line), 'a', sizeof(line) - strlen(line));
	ck_assert_int_eq(
	    read_header(line, 106, &client, &size), PROXY_HEADER_PART);
	ck_assert_int_eq(
	    read_header(line, 107, &client, &size), PROXY_HEADER_BAD);
	memcpy(line + 105, "\r\n", 2);
	ck_assert_int_eq(
	    read_header(line, 107, &client, &size), PROXY_HEADER_LOCAL);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("proxies");

	tcase_add_checked_fixture(tests, make, finish);
	tcase_add_test(tests, who_is_trusted_is_in_the_list);
	tcase_add_test(tests, the_last_that_is_not_trusted_is_the_client);
	tcase_add_test(tests, behind_what_is_no_address_nobody_is_believed);
	tcase_add_loop_test(
	    tests, a_header_is_read_or_refused, 0, SAMPLE_COUNT);
	tcase_add_test(tests, a_header_without_an_end_is_refused);
	return suite_run("proxies", tests);
}
