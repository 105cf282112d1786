/* Tests of address: what is an address, a range, one client. */
#include "broker/shared/address.h"

#include <check.h>
#include <netinet/in.h>

#include "tests/unit/suite.h"

static struct address
address(const char *text)
{
	struct address parsed;

	ck_assert_msg(address_parse(&parsed, slice_of_text(text)) == 0,
	    "refused: %s", text);
	return parsed;
}

static void
assert_text(const struct address *one, const char *expected)
{
	char text[ADDRESS_TEXT_SIZE];

	address_format(one, text);
	ck_assert_str_eq(text, expected);
}

START_TEST(an_address_is_read_and_written)
{
	static const char *const texts[][2] = {
	    {"192.0.2.1", "192.0.2.1"},
	    {"::ffff:192.0.2.1", "192.0.2.1"},
	    {"2001:DB8::0:1", "2001:db8::1"},
	    {"::1", "::1"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct address one = address(texts[i][0]);

		assert_text(&one, texts[i][1]);
	}
}
END_TEST

START_TEST(nothing_else_is_an_address)
{
	static const char *const texts[] = {"", "1.2.3", "1.2.3.4.5",
	    "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4:80",
	    "0x7f.1.1.1", "a.example", "[::1]", "::1%lo", "::g", "unknown",
	    "1111:2222:3333:4444:5555:6666:7777:8888:9999",
	    "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"};
	struct address one;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_msg(
		    address_parse(&one, slice_of_text(texts[i])) == -1,
		    "taken: %s", texts[i]);
	ck_assert_int_eq(address_parse(&one, slice_of("1.2.3.4\0x", 9)), -1);
}
END_TEST

START_TEST(headers_of_proxies_may_add_a_port)
{
	static const char *const good[][2] = {
	    {"192.0.2.1", "192.0.2.1"},
	    {"192.0.2.1:80", "192.0.2.1"},
	    {"2001:db8::1", "2001:db8::1"},
	    {"[2001:db8::1]", "2001:db8::1"},
	    {"[2001:db8::1]:65535", "2001:db8::1"},
	};
	static const char *const bad[] = {"", "[", "[]", "[::1", "::1]",
	    "[::1]80", "[::1]:", "[::1]:65536", "[192.0.2.1]",
	    "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:-1", ":80", "unknown",
	    "_hidden"};
	struct address one;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(
		    address_parse_forwarded(&one, slice_of_text(good[i][0])),
		    0);
		assert_text(&one, good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(
		    address_parse_forwarded(&one, slice_of_text(bad[i])) == -1,
		    "taken: %s", bad[i]);
}
END_TEST

static bool
in_range(const char *one, const char *text)
{
	struct address parsed = address(one);
	struct address_range range;
	const char *why;

	ck_assert_msg(
	    address_range_parse(&range, slice_of_text(text), &why) == 0,
	    "refused: %s: %s", text, why);
	return address_in_range(&parsed, &range);
}

START_TEST(a_range_holds_what_begins_as_it_does)
{
	ck_assert(in_range("10.255.0.1", "10.0.0.0/8"));
	ck_assert(!in_range("11.0.0.1", "10.0.0.0/8"));
	ck_assert(in_range("192.0.2.127", "192.0.2.0/25"));
	ck_assert(!in_range("192.0.2.128", "192.0.2.0/25"));
	ck_assert(in_range("192.0.2.1", "192.0.2.1"));
	ck_assert(!in_range("192.0.2.2", "192.0.2.1"));
	ck_assert(in_range("1.2.3.4", "0.0.0.0/0"));
	ck_assert(!in_range("2001:db8::1", "0.0.0.0/0"));
	ck_assert(in_range("1.2.3.4", "::/0"));
	ck_assert(in_range("2001:db8:ffff::1", "2001:db8::/32"));
	ck_assert(!in_range("2001:db9::1", "2001:db8::/32"));
	ck_assert(in_range("::1", "::1"));
	ck_assert(in_range("10.0.0.1", "::ffff:10.0.0.0/104"));
}
END_TEST

START_TEST(nothing_else_is_a_range)
{
	static const char *const texts[] = {"", "/8", "10.0.0.0/",
	    "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8 ",
	    "10.0.0.1/8", "10.0.0/8", "::1/64", "::/129", "2001:db8::1/127/1",
	    "localhost"};
	struct address_range range;
	const char *why;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		why = NULL;
		ck_assert_msg(address_range_parse(
				  &range, slice_of_text(texts[i]), &why) == -1,
		    "taken: %s", texts[i]);
		ck_assert_ptr_nonnull(why);
	}
}
END_TEST

static bool
is_one_client(const char *a, const char *b)
{
	struct address one = address(a), two = address(b);

	return slice_equal(address_client(&one), address_client(&two));
}

START_TEST(one_client_has_a_whole_64)
{
	ck_assert(is_one_client("2001:db8:1:2::1", "2001:db8:1:2:ffff::"));
	ck_assert(!is_one_client("2001:db8:1:2::1", "2001:db8:1:3::1"));
	ck_assert(is_one_client("192.0.2.1", "::ffff:192.0.2.1"));
	ck_assert(!is_one_client("192.0.2.1", "192.0.2.2"));
	ck_assert(!is_one_client("192.0.2.1", "::1"));
}
END_TEST

START_TEST(sockets_have_addresses)
{
	struct sockaddr_storage storage;
	struct sockaddr_in ipv4 = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xC0000201)};
	struct sockaddr_in6 ipv6 = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct address one;

	memset(&storage, 0, sizeof(storage));
	memcpy(&storage, &ipv4, sizeof(ipv4));
	ck_assert_int_eq(address_of_socket(&one, &storage), 0);
	assert_text(&one, "192.0.2.1");
	memcpy(&storage, &ipv6, sizeof(ipv6));
	ck_assert_int_eq(address_of_socket(&one, &storage), 0);
	assert_text(&one, "::1");
	storage.ss_family = AF_UNIX;
	ck_assert_int_eq(address_of_socket(&one, &storage), -1);
	assert_text(&one, "::");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("address");

	tcase_add_test(tests, an_address_is_read_and_written);
	tcase_add_test(tests, nothing_else_is_an_address);
	tcase_add_test(tests, headers_of_proxies_may_add_a_port);
	tcase_add_test(tests, a_range_holds_what_begins_as_it_does);
	tcase_add_test(tests, nothing_else_is_a_range);
	tcase_add_test(tests, one_client_has_a_whole_64);
	tcase_add_test(tests, sockets_have_addresses);
	return suite_run("address", tests);
}
