/* Tests of libpub: what it takes, what it refuses at the call, and its bounds.
 * No broker is needed for these. */
#include "tests/unit/pub_results.h"

#include <signal.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct ssemux_pub *pub;

static struct ssemux_pub_options
no_broker(void)
{
	return (struct ssemux_pub_options){
	    .size = sizeof(struct ssemux_pub_options),
	    .socket = "/nonexistent/pub.sock",
	    .on_result = note_result,
	    .context = &results,
	};
}

static void
set_up(void)
{
	struct ssemux_pub_options options = no_broker();

	buf_init(&results, 0);
	pub = ssemux_pub_open(&options);
	ck_assert_ptr_nonnull(pub);
}

static void
tear_down(void)
{
	(void)ssemux_pub_close(pub);
	buf_finish(&results);
}

static void
assert_no_open(const struct ssemux_pub_options *options, int number)
{
	errno = 0;
	ck_assert_ptr_null(ssemux_pub_open(options));
	ck_assert_int_eq(errno, number);
}

START_TEST(opening_needs_no_broker_and_no_options)
{
	struct ssemux_pub *other = ssemux_pub_open(NULL);

	ck_assert_ptr_nonnull(other);
	ck_assert_int_eq(ssemux_pub_state(other), SSEMUX_PUB_CONNECTING);
	ck_assert_str_eq(ssemux_pub_error(other), "");
	ck_assert_int_eq(ssemux_pub_close(other), 0);
}
END_TEST

START_TEST(bad_options_are_refused)
{
	struct ssemux_pub_options options = no_broker();
	char path[200];

	options.size = 0;
	assert_no_open(&options, EINVAL);
	options.size = sizeof(options) - 1;
	assert_no_open(&options, EINVAL);
	options = no_broker();
	options.id = "";
	assert_no_open(&options, EINVAL);
	options.id = "a b";
	assert_no_open(&options, EINVAL);
	options = no_broker();
	options.retry_min_ms = 10;
	options.retry_max_ms = 9;
	assert_no_open(&options, EINVAL);
	options = no_broker();
	memset(path, 'a', sizeof(path));
	path[108] = '\0';
	options.socket = path;
	assert_no_open(&options, ENAMETOOLONG);
	path[107] = '\0';
	ck_assert_int_eq(ssemux_pub_close(ssemux_pub_open(&options)), 0);
}
END_TEST

/* A program built with a later version, and this library. */
START_TEST(unknown_options_must_be_zero)
{
	struct {
		struct ssemux_pub_options known;
		long unknown;
	} later = {.known = no_broker()};

	later.known.size = sizeof(later);
	ck_assert_int_eq(ssemux_pub_close(ssemux_pub_open(&later.known)), 0);
	later.unknown = 1;
	assert_no_open(&later.known, EINVAL);
}
END_TEST

START_TEST(unknown_members_of_an_event_must_be_zero)
{
	struct {
		struct ssemux_pub_event known;
		long unknown;
	} later = {.known = pub_event(1, "x")};

	later.known.size = sizeof(later);
	ck_assert_int_eq(ssemux_pub_publish(pub, &later.known), 0);
	later.unknown = 1;
	ck_assert_int_eq(ssemux_pub_publish(pub, &later.known), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(nothing_is_given_up_silently_without_a_handle)
{
	struct ssemux_pub_event event = pub_event(1, "x");

	ck_assert_int_eq(ssemux_pub_close(NULL), 0);
	ck_assert_int_eq(ssemux_pub_publish(NULL, &event), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(ssemux_pub_resync(NULL, "a", NULL), -1);
	ck_assert_int_eq(ssemux_pub_send(NULL, &event, 0, NULL), -1);
	ck_assert_int_eq(ssemux_pub_flush(NULL, 0), -1);
	ck_assert_int_eq(ssemux_pub_dispatch(NULL), -1);
	ck_assert_ptr_null(ssemux_pub_status(NULL, 0));
	ck_assert_int_eq(ssemux_pub_fd(NULL), -1);
	ck_assert_int_eq(ssemux_pub_wants_write(NULL), 0);
	ck_assert_int_eq(ssemux_pub_timeout(NULL), -1);
	ck_assert_uint_eq(ssemux_pub_unacked(NULL), 0);
	ck_assert_uint_eq(ssemux_pub_max_event(NULL), 0);
	ck_assert_int_eq(ssemux_pub_state(NULL), SSEMUX_PUB_FAILED);
	ck_assert_str_ne(ssemux_pub_error(NULL), "");
	ck_assert_str_eq(ssemux_pub_error_code(NULL), "");
	ck_assert_str_eq(ssemux_pub_error_field(NULL), "");
	ck_assert_int_eq(ssemux_pub_error_number(NULL), EINVAL);
}
END_TEST

static char long_text[300];

static void
make_long_text(void)
{
	memset(long_text, 'a', 201);
	long_text[201] = '\0';
}

static const struct {
	struct ssemux_pub_event event;
	const char *code;
	const char *field;
} mistakes[] = {
    {{.channel = NULL}, "channel", "channel"},
    {{.channel = ""}, "channel", "channel"},
    {{.channel = "a b"}, "channel", "channel"},
    {{.channel = "a*"}, "channel", "channel"},
    {{.channel = long_text}, "channel", "channel"},
    {{.channel = "a", .type = "a\nb"}, "type", "type"},
    {{.channel = "a", .type = long_text}, "type", "type"},
    {{.channel = "a", .type = "\xFF"}, "utf8", "type"},
    {{.channel = "a", .key = "\r"}, "key", "key"},
    {{.channel = "a", .key = long_text}, "key", "key"},
    {{.channel = "a", .data = "\xC3", .data_bytes = 1}, "utf8", "data"},
    {{.channel = "a",
	 .data = "\xC3",
	 .data_bytes = 1,
	 .data_is = SSEMUX_PUB_TEXT},
	"utf8", "data"},
    {{.channel = "a", .data = "{", .data_bytes = 1, .data_is = SSEMUX_PUB_JSON},
	"json", "data"},
    {{.channel = "a", .data_is = SSEMUX_PUB_JSON}, "json", "data"},
    {{.channel = "a", .data_is = SSEMUX_PUB_MSGPACK}, "data", "data"},
    {{.channel = "a",
	 .data = "\x01\x02",
	 .data_bytes = 2,
	 .data_is = SSEMUX_PUB_MSGPACK},
	"data", "data"},
    {{.channel = "a",
	 .data = "\x92\x01",
	 .data_bytes = 2,
	 .data_is = SSEMUX_PUB_MSGPACK},
	"data", "data"},
    {{.channel = "a", .data = NULL, .data_bytes = 1}, "", ""},
    {{.channel = "a", .data_is = (enum ssemux_pub_data)5}, "", ""},
    {{.channel = "a", .flags = 4}, "", ""},
};

START_TEST(mistakes_are_refused_at_the_call)
{
	struct ssemux_pub_event event = mistakes[_i].event;

	make_long_text();
	event.size = sizeof(event);
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(ssemux_pub_error_number(pub), EINVAL);
	ck_assert_str_eq(ssemux_pub_error_code(pub), mistakes[_i].code);
	ck_assert_str_eq(ssemux_pub_error_field(pub), mistakes[_i].field);
	ck_assert_str_ne(ssemux_pub_error(pub), "");
	ck_assert_uint_eq(ssemux_pub_unacked(pub), 0);
	ck_assert_int_eq(ssemux_pub_send(pub, &event, -1, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(an_event_without_its_size_is_refused)
{
	struct ssemux_pub_event event = pub_event(1, "x");

	event.size = 0;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(ssemux_pub_publish(pub, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(a_resync_of_a_bad_channel_is_refused)
{
	ck_assert_int_eq(ssemux_pub_resync(pub, "a b", NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(ssemux_pub_resync(pub, NULL, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_eq(ssemux_pub_error_field(pub), "channel");
}
END_TEST

/* The deepest value that the broker reads is taken; it would end the
 * connection over a deeper one. */
START_TEST(a_value_too_deep_for_the_broker_is_refused)
{
	struct ssemux_pub_event event = pub_event(1, "");
	char value[MESSAGE_DEPTH_MAX + 1];

	memset(value, '\x91', sizeof(value));
	value[MESSAGE_DEPTH_MAX - 1] = '\x00';
	event.data = value;
	event.data_bytes = MESSAGE_DEPTH_MAX;
	event.data_is = SSEMUX_PUB_MSGPACK;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
	value[MESSAGE_DEPTH_MAX - 1] = '\x91';
	value[MESSAGE_DEPTH_MAX] = '\x00';
	event.data_bytes = MESSAGE_DEPTH_MAX + 1;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(no_more_events_are_kept_than_the_bound_says)
{
	struct ssemux_pub_options options = no_broker();
	struct ssemux_pub_event event = pub_event(4, "x");

	options.max_events = 3;
	(void)ssemux_pub_close(pub);
	pub = ssemux_pub_open(&options);
	for (int i = 1; i <= 3; i++)
		publish_number(pub, i);
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_uint_eq(ssemux_pub_unacked(pub), 3);
	ck_assert_int_eq(ssemux_pub_close(pub), 3);
	pub = NULL;
	assert_results("lost 1\nlost 2\nlost 3\n");
}
END_TEST

START_TEST(no_more_bytes_are_kept_than_the_bound_says)
{
	struct ssemux_pub_options options = no_broker();
	char data[5000] = "";
	struct ssemux_pub_event event = pub_event(1, data);
	int taken = 0;

	options.max_bytes = 20000;
	(void)ssemux_pub_close(pub);
	pub = ssemux_pub_open(&options);
	event.data_bytes = sizeof(data);
	event.data_is = SSEMUX_PUB_BYTES;
	while (ssemux_pub_publish(pub, &event) == 0)
		taken++;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(taken, 3);
}
END_TEST

START_TEST(an_event_over_the_bound_would_never_have_room)
{
	struct ssemux_pub_options options = no_broker();
	char data[5000] = "";
	struct ssemux_pub_event event = pub_event(1, data);

	options.max_bytes = 5000;
	(void)ssemux_pub_close(pub);
	pub = ssemux_pub_open(&options);
	event.data_bytes = sizeof(data);
	event.data_is = SSEMUX_PUB_BYTES;
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(ssemux_pub_send(pub, &event, -1, NULL), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
}
END_TEST

START_TEST(publishing_does_no_input_or_output)
{
	publish_number(pub, 1);
	ck_assert_int_eq(ssemux_pub_fd(pub), -1);
	ck_assert_str_eq(ssemux_pub_error(pub), "");
	ck_assert_int_eq(ssemux_pub_timeout(pub), 0);
}
END_TEST

START_TEST(without_a_broker_the_reason_is_told)
{
	ck_assert_int_eq(ssemux_pub_dispatch(pub), 0);
	ck_assert_int_eq(ssemux_pub_error_number(pub), ENOENT);
	ck_assert_str_eq(ssemux_pub_error(pub),
	    "cannot connect to /nonexistent/pub.sock: "
	    "No such file or directory");
	ck_assert_int_gt(ssemux_pub_timeout(pub), 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("pub");
	TCase *tests = tcase_create("pub");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, opening_needs_no_broker_and_no_options);
	tcase_add_test(tests, bad_options_are_refused);
	tcase_add_test(tests, unknown_options_must_be_zero);
	tcase_add_test(tests, unknown_members_of_an_event_must_be_zero);
	tcase_add_test(tests, nothing_is_given_up_silently_without_a_handle);
	tcase_add_loop_test(
	    tests, mistakes_are_refused_at_the_call, 0, COUNT(mistakes));
	tcase_add_test(tests, an_event_without_its_size_is_refused);
	tcase_add_test(tests, a_resync_of_a_bad_channel_is_refused);
	tcase_add_test(tests, a_value_too_deep_for_the_broker_is_refused);
	tcase_add_test(tests, no_more_events_are_kept_than_the_bound_says);
	tcase_add_test(tests, no_more_bytes_are_kept_than_the_bound_says);
	tcase_add_test(tests, an_event_over_the_bound_would_never_have_room);
	tcase_add_test(tests, publishing_does_no_input_or_output);
	tcase_add_test(tests, without_a_broker_the_reason_is_told);
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
