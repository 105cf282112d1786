/* Tests of config: what the file says is what the broker gets, or an error
 * that names file, line, key and what was expected. */
#include "broker/shared/config.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/shared/config_value.h"
#include "tests/unit/config_faults.h"
#include "tests/unit/config_file.h"

static int
load_bytes(const char *text, size_t len)
{
	return config_file_load((struct slice){text, len}, NULL, 0);
}

static void
load(const char *text)
{
	ck_assert_msg(load_bytes(text, strlen(text)) == 0, "%s", error);
}

static int
load_override(const char *text)
{
	return config_load(&config, NULL, &text, 1, error);
}

START_TEST(without_a_file_every_setting_has_its_default)
{
	ck_assert_int_eq(config_load(&config, NULL, NULL, 0, error), 0);
	ck_assert(config.broker_workers == CONFIG_AUTO);
	ck_assert_str_eq(config.broker_state_dir, "/var/lib/ssemux");
	ck_assert_int_eq(config.broker_log_level, CONFIG_LEVEL_INFO);
	ck_assert_uint_eq(config.broker_drain_timeout, 10000);
	ck_assert_uint_eq(config.publish_mode, 0660);
	ck_assert_uint_eq(config.publish_max_event, 65536);
	ck_assert_uint_eq(config.http_listen.count, 2);
	ck_assert_str_eq(config.http_listen.items[0], "127.0.0.1:8080");
	ck_assert_str_eq(config.http_listen.items[1], "[::1]:8080");
	ck_assert(config.http_max_connections == CONFIG_AUTO);
	ck_assert(!config.http_dashboard);
	ck_assert_uint_eq(config.history_max_age, 86400000);
	ck_assert_uint_eq(config.history_max_bytes, 1 << 30);
	ck_assert_int_eq(config.history_durability, CONFIG_DURABILITY_COMMIT);
	ck_assert(!config.broker_workers_given);
	config_finish(&config);
}
END_TEST

START_TEST(an_empty_file_is_good)
{
	load("");
	config_finish(&config);
	load("\n\n  \t \n# comment\n  ; comment = [x]\n[http]\n");
	ck_assert_uint_eq(config.http_heartbeat, 15000);
	config_finish(&config);
}
END_TEST

START_TEST(values_of_each_type_are_read)
{
	load("[broker]\nworkers = 3\nstate_dir=/tmp/a b=c  \n"
	     "\tlog_level\t=\tdebug\n  user =\nready_fd = 0\n"
	     "[publish]\nmode=0600\nmax_event = 16m\n"
	     "[http]\nlisten =  a:1 ,b:2,\tc \ndashboard = on\n"
	     "max_connections = \nretry = 0\nidle_timeout=1500ms\n"
	     "[history]\nmax_age = 30d\nmax_bytes=2g\nmax_events=5\n"
	     "durability = fsync\n");
	ck_assert_uint_eq(config.broker_workers, 3);
	ck_assert_str_eq(config.broker_state_dir, "/tmp/a b=c");
	ck_assert_int_eq(config.broker_log_level, CONFIG_LEVEL_DEBUG);
	ck_assert_str_eq(config.broker_user, "");
	ck_assert_uint_eq(config.publish_mode, 0600);
	ck_assert_uint_eq(config.publish_max_event, 16777216);
	ck_assert_uint_eq(config.http_listen.count, 3);
	ck_assert_str_eq(config.http_listen.items[0], "a:1");
	ck_assert_str_eq(config.http_listen.items[1], "b:2");
	ck_assert_str_eq(config.http_listen.items[2], "c");
	ck_assert(config.http_dashboard);
	ck_assert(config.http_max_connections == CONFIG_AUTO);
	ck_assert_uint_eq(config.http_retry, 0);
	ck_assert_uint_eq(config.http_idle_timeout, 1500);
	ck_assert_uint_eq(config.history_max_age, UINT64_C(2592000000));
	ck_assert_uint_eq(config.history_max_bytes, UINT64_C(2147483648));
	ck_assert_uint_eq(config.history_max_events, 5);
	ck_assert_int_eq(config.history_durability, CONFIG_DURABILITY_FSYNC);
	ck_assert(config.broker_workers_given);
	ck_assert(config.http_max_connections_given);
	ck_assert(!config.http_heartbeat_given);
	config_finish(&config);
}
END_TEST

START_TEST(a_switch_has_three_words_for_each_side)
{
	static const char *const words[] = {
	    "on", "yes", "true", "off", "no", "false"};
	char text[64];

	for (int i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "http.dashboard=%s", words[i]);
		ck_assert_int_eq(load_override(text), 0);
		ck_assert_int_eq(config.http_dashboard, i < 3);
		config_finish(&config);
	}
}
END_TEST

START_TEST(byte_order_mark_and_windows_line_ends_are_taken)
{
	load("\xEF\xBB\xBF[http]\r\nheartbeat = 1s\r\n\r\nretry=1s");
	ck_assert_uint_eq(config.http_retry, 1000);
	config_finish(&config);
}
END_TEST

START_TEST(an_indented_line_never_continues_the_one_before)
{
	load("[http]\nheartbeat = 1s\n    retry = 2s\n");
	ck_assert_uint_eq(config.http_heartbeat, 1000);
	ck_assert_uint_eq(config.http_retry, 2000);
	config_finish(&config);
}
END_TEST

START_TEST(a_value_of_4000_bytes_is_not_cut)
{
	static char text[5000] = "[broker]\nstate_dir = ";
	size_t len = strlen(text);

	memset(text + len, 'x', 4000);
	load(text);
	ck_assert_uint_eq(strlen(config.broker_state_dir), 4000);
	config_finish(&config);
}
END_TEST

START_TEST(a_section_may_come_again)
{
	load("[http]\nheartbeat=1s\n[broker]\nworkers=1\n[http]\nretry=1s\n");
	ck_assert_uint_eq(config.http_heartbeat, 1000);
	ck_assert_uint_eq(config.http_retry, 1000);
	config_finish(&config);
}
END_TEST

START_TEST(a_fault_is_named_with_file_line_key_and_what_was_expected)
{
	const char *text = faults[_i].text;

	ck_assert_int_eq(load_bytes(text, strlen(text)), -1);
	ck_assert_uint_eq(strncmp(error, path, strlen(path)), 0);
	ck_assert_str_eq(error + strlen(path), faults[_i].error);
}
END_TEST

START_TEST(nul_bytes_are_refused)
{
	ck_assert_int_eq(load_bytes("[http]\nretry\0 = 1s\n", 19), -1);
	ck_assert_str_eq(
	    error + strlen(path), ":2: got the byte \\x00, expected text");
}
END_TEST

START_TEST(a_line_past_the_bound_is_refused)
{
	static char text[9000];

	memset(text, '#', sizeof(text));
	text[8192] = '\n';
	ck_assert_int_eq(load_bytes(text, 8193), 0);
	config_finish(&config);
	text[8192] = '#';
	ck_assert_int_eq(load_bytes(text, 8193), -1);
	ck_assert_str_eq(error + strlen(path),
	    ":1: got a line of 8193 bytes, expected 8192 at most");
}
END_TEST

START_TEST(a_file_past_the_bound_is_refused)
{
	static char text[(1 << 20) + 1];

	memset(text, '\n', sizeof(text));
	ck_assert_int_eq(load_bytes(text, sizeof(text) - 1), 0);
	config_finish(&config);
	ck_assert_int_eq(load_bytes(text, sizeof(text)), -1);
	ck_assert_str_eq(error + strlen(path), ": larger than 1048576 bytes");
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named)
{
	ck_assert_int_eq(config_load(&config, path, NULL, 0, error), -1);
	ck_assert_str_eq(error + strlen(path),
	    ": cannot be read: No such file or directory");
	ck_assert_int_eq(config_load(&config, folder, NULL, 0, error), -1);
	ck_assert_str_eq(
	    error + strlen(folder), ": cannot be read: Is a directory");
}
END_TEST

START_TEST(an_override_beats_the_file_and_the_last_one_wins)
{
	static const char *const overrides[] = {"broker.workers=5",
	    " broker.state_dir = /b#c ", "broker.workers=6"};

	load("[broker]\nworkers = 4\nstate_dir = /a\n");
	config_finish(&config);
	ck_assert_int_eq(config_load(&config, path, overrides, 3, error), 0);
	ck_assert_uint_eq(config.broker_workers, 6);
	ck_assert_str_eq(config.broker_state_dir, "/b#c");
	ck_assert(config.broker_state_dir_given);
	config_finish(&config);
}
END_TEST

static const struct {
	const char *text;
	const char *error;
} bad_overrides[] = {
    {"", "-o : expected section.key=value"},
    {"broker.workers", "-o broker.workers: expected section.key=value"},
    {"workers=3", "-o workers=3: expected section.key=value"},
    {"=3", "-o =3: expected section.key=value"},
    {"broker.=3", "-o broker.=3: there is no such setting"},
    {".workers=3", "-o .workers=3: got section \"\", "
		   "expected one of those in ssemuxd.conf(5)"},
    {"brokr.workers=3", "-o brokr.workers=3: got section \"brokr\", "
			"expected perhaps \"broker\""},
    {"broker.worker=3", "-o broker.worker=3: there is no such setting, "
			"did you mean [broker] workers?"},
    {"broker.workers=x", "-o broker.workers=x: got \"x\", "
			 "expected a whole number from 1 to 64, or auto"},
};

enum { BAD_OVERRIDE_COUNT = sizeof(bad_overrides) / sizeof(bad_overrides[0]) };

START_TEST(a_fault_in_an_override_is_named_with_it)
{
	ck_assert_int_eq(load_override(bad_overrides[_i].text), -1);
	ck_assert_str_eq(error, bad_overrides[_i].error);
}
END_TEST

START_TEST(an_error_is_bounded_and_has_no_control_characters)
{
	static char text[6000] = "[http]\nretry = ";
	static char long_path[3000];

	memset(text + strlen(text), 'x', 5000);
	ck_assert_int_eq(load_bytes(text, strlen(text)), -1);
	ck_assert_ptr_nonnull(strstr(error, "xxx\"..., expected a time"));
	memset(long_path, 'p', sizeof(long_path) - 1);
	ck_assert_int_eq(config_load(&config, long_path, NULL, 0, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "ppp: cannot be read: File name"));
	ck_assert_int_eq(load_override("broker.\nworkers\x1B=3"), -1);
	ck_assert_ptr_nonnull(strstr(error, "-o broker.?workers?=3: "));
}
END_TEST

static int
load_number(
    const struct config_setting *setting, uint64_t number, const char *unit)
{
	char text[200];

	snprintf(text, sizeof(text), "%s.%s=%" PRIu64 "%s", setting->section,
	    setting->key, number, unit);
	return load_override(text);
}

static uint64_t
value_of(const struct config_setting *setting)
{
	uint64_t value;

	memcpy(&value, (char *)&config + setting->offset, sizeof(value));
	return value;
}

START_TEST(every_number_is_bounded_by_its_row)
{
	const struct config_setting *setting = &config_settings[_i];
	char expected[CONFIG_EXPECTED_SIZE];
	const char *unit = "";

	setting->type->describe(setting, expected);
	if (strncmp(expected, "a time", 6) == 0)
		unit = "ms";
	else if (strncmp(expected, "a size", 6) != 0 &&
		 strncmp(expected, "a whole number", 14) != 0)
		return;
	ck_assert_int_eq(load_number(setting, setting->min, unit), 0);
	ck_assert_uint_eq(value_of(setting), setting->min);
	config_finish(&config);
	ck_assert_int_eq(load_number(setting, setting->max, unit), 0);
	ck_assert_uint_eq(value_of(setting), setting->max);
	config_finish(&config);
	ck_assert_int_eq(load_number(setting, setting->max + 1, unit), -1);
	if (setting->min > 0)
		ck_assert_int_eq(
		    load_number(setting, setting->min - 1, unit), -1);
}
END_TEST

START_TEST(every_setting_is_printed_with_its_default_and_sentence)
{
	static char text[1 << 16];
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_ptr_nonnull(out);
	config_print_settings(out);
	ck_assert_int_eq(fclose(out), 0);
	for (size_t i = 0; i < CONFIG_SETTING_COUNT; i++) {
		char expected[600];

		snprintf(expected, sizeof(expected), "\n%s = %s\n    %s\n",
		    config_settings[i].key, config_settings[i].preset,
		    config_settings[i].sentence);
		ck_assert_ptr_nonnull(strstr(text, expected));
	}
	ck_assert_int_eq(strncmp(text, "[broker]\n", 9), 0);
	ck_assert_ptr_nonnull(strstr(text, "\n\n[http]\n"));
}
END_TEST

static Suite *
suite(void)
{
	TCase *tests = tcase_create("config");
	Suite *suite = suite_create("config");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, without_a_file_every_setting_has_its_default);
	tcase_add_test(tests, an_empty_file_is_good);
	tcase_add_test(tests, values_of_each_type_are_read);
	tcase_add_test(tests, a_switch_has_three_words_for_each_side);
	tcase_add_test(tests, byte_order_mark_and_windows_line_ends_are_taken);
	tcase_add_test(tests, an_indented_line_never_continues_the_one_before);
	tcase_add_test(tests, a_value_of_4000_bytes_is_not_cut);
	tcase_add_test(tests, a_section_may_come_again);
	tcase_add_loop_test(tests,
	    a_fault_is_named_with_file_line_key_and_what_was_expected, 0,
	    FAULT_COUNT);
	tcase_add_test(tests, nul_bytes_are_refused);
	tcase_add_test(tests, a_line_past_the_bound_is_refused);
	tcase_add_test(tests, a_file_past_the_bound_is_refused);
	tcase_add_test(tests, a_file_that_cannot_be_read_is_named);
	tcase_add_test(tests, an_override_beats_the_file_and_the_last_one_wins);
	tcase_add_loop_test(tests, a_fault_in_an_override_is_named_with_it, 0,
	    BAD_OVERRIDE_COUNT);
	tcase_add_test(
	    tests, an_error_is_bounded_and_has_no_control_characters);
	tcase_add_loop_test(
	    tests, every_number_is_bounded_by_its_row, 0, CONFIG_SETTING_COUNT);
	tcase_add_test(
	    tests, every_setting_is_printed_with_its_default_and_sentence);
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
