/* Tests of log: one line each, whole, and forged by nobody. */
#include "broker/shared/log.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char written[1 << 20];
static int stderr_before;
static int out[2];

/* Each test runs in a process of its own: its standard error is a pipe. */
static void
set_up(void)
{
	ck_assert_int_eq(pipe(out), 0);
	stderr_before = dup(STDERR_FILENO);
	ck_assert_int_ge(stderr_before, 0);
	ck_assert_int_ge(dup2(out[1], STDERR_FILENO), 0);
	close(out[1]);
}

static void
tear_down(void)
{
	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	close(out[0]);
}

/* All that was written, once nobody holds the pipe's other end any more. */
static const char *
all_written(void)
{
	size_t len = 0;
	ssize_t got;

	dup2(stderr_before, STDERR_FILENO);
	while (
	    (got = read(out[0], written + len, sizeof(written) - 1 - len)) > 0)
		len += (size_t)got;
	written[len] = '\0';
	return written;
}

START_TEST(a_line_says_role_severity_and_text)
{
	log_info("early");
	log_set_role("worker 12");
	log_info("%s %d", "text", 42);
	log_warn("careful");
	log_set_role("hub");
	log_info("other");
	ck_assert_str_eq(all_written(), "ssemuxd: info: early\n"
					"ssemuxd: worker 12: info: text 42\n"
					"ssemuxd: worker 12: warn: careful\n"
					"ssemuxd: hub: info: other\n");
}
END_TEST

START_TEST(a_full_pipe_loses_lines_and_says_so_later)
{
	static char room[1 << 16];
	ssize_t got;

	ck_assert_int_ge(fcntl(out[0], F_SETFL, O_NONBLOCK), 0);
	alarm(10); /* for a write that waits */
	for (int i = 0; i < 10000; i++)
		log_info("line %d", i);
	while ((got = read(out[0], room, sizeof(room))) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	log_info("after");
	got = read(out[0], room, sizeof(room) - 1);
	ck_assert_int_gt(got, 0);
	room[got] = '\0';
	ck_assert_ptr_nonnull(strstr(room, " lines could not be logged\n"));
	ck_assert_ptr_nonnull(strstr(room, "\nssemuxd: info: after\n"));
}
END_TEST

START_TEST(what_is_less_severe_than_the_level_is_not_written)
{
	log_debug("debug 1");
	log_set_level(LOG_DEBUG);
	log_debug("debug 2");
	log_set_level(LOG_WARN);
	log_debug("debug 3");
	log_info("info 3");
	log_warn("warn 3");
	ck_assert_str_eq(
	    all_written(), "ssemuxd: debug: debug 2\nssemuxd: warn: warn 3\n");
}
END_TEST

START_TEST(the_role_is_kept_as_a_copy_and_bounded)
{
	char role[100];

	memset(role, 'r', sizeof(role) - 1);
	role[sizeof(role) - 1] = '\0';
	log_set_role(role);
	log_info("x");
	memcpy(role, "hub", 4);
	log_set_role(role);
	memcpy(role, "xxx", 4);
	log_info("x");
	ck_assert_str_eq(all_written(),
	    "ssemuxd: rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr: info: x\n"
	    "ssemuxd: hub: info: x\n");
}
END_TEST

START_TEST(control_characters_are_escaped)
{
	log_info("%s", "a\nssemuxd: fatal: forged\r\x1B[2J\x7F\t\xC2\x9B"
		       "2J");
	ck_assert_str_eq(all_written(),
	    "ssemuxd: info: a\\x0assemuxd: fatal: forged\\x0d"
	    "\\x1b[2J\\x7f\\x09\\xc2\\x9b2J\n");
}
END_TEST

START_TEST(utf8_stays_and_other_bytes_are_escaped)
{
	log_info("%s", "h\xC3\xA4\xE2\x82\xAC\xF0\x9F\x9A\x80\xC2\xA0");
	log_info("%s", "h\xC3\xA4\xFF");
	ck_assert_str_eq(all_written(),
	    "ssemuxd: info: h\xC3\xA4\xE2\x82\xAC\xF0\x9F\x9A\x80\xC2\xA0\n"
	    "ssemuxd: info: h\\xc3\\xa4\\xff\n");
}
END_TEST

START_TEST(a_long_line_is_cut_and_says_so)
{
	static const char *const fillers[] = {"a", "\n", "\xC3\xA4",
	    "\xF0\x9F\x9A\x80", "\xFF", "a\xC3\xA4\xE2\x82\xAC"};
	static char text[20000];
	size_t len = 0, filler_len = strlen(fillers[_i]);
	const char *line;

	while (len + filler_len < sizeof(text)) {
		memcpy(text + len, fillers[_i], filler_len);
		len += filler_len;
	}
	log_info("%s", text);
	line = all_written();
	ck_assert_uint_ge(strlen(line), 1000);
	ck_assert_uint_le(strlen(line), PIPE_BUF);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	ck_assert_str_eq(line + strlen(line) - 4, "...\n");
	if ((unsigned char)fillers[_i][0] < 0xFF && fillers[_i][0] != '\n')
		ck_assert_ptr_null(strchr(line, '\\'));
}
END_TEST

static void
write_many(char letter)
{
	char text[600];

	memset(text, letter, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 200; i++)
		log_info("%s", text);
	_exit(0);
}

START_TEST(lines_of_several_processes_never_mix)
{
	size_t line_len = strlen("ssemuxd: info: ") + 599 + 1;
	const char *at, *end;

	/* Room for all, so that none is lost. */
	ck_assert_int_ge(fcntl(out[0], F_SETPIPE_SZ, 1 << 20), 1 << 19);
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			write_many((char)('a' + i));
	}
	at = all_written();
	end = at + strlen(at);
	ck_assert_uint_eq((size_t)(end - at), 800 * line_len);
	for (; at < end; at += line_len) {
		char letter = at[line_len - 2];

		ck_assert_mem_eq(at, "ssemuxd: info: ", 15);
		for (size_t i = 15; i < line_len - 1; i++)
			ck_assert_int_eq(at[i], letter);
		ck_assert_int_eq(at[line_len - 1], '\n');
	}
	while (wait(NULL) > 0)
		;
}
END_TEST

START_TEST(errno_is_left_as_it_was)
{
	int closed = dup(STDERR_FILENO);

	ck_assert_int_ge(closed, 0);
	close(STDERR_FILENO);
	errno = 12345;
	log_info("nobody hears this");
	ck_assert_int_eq(errno, 12345);
	ck_assert_int_ge(dup2(closed, STDERR_FILENO), 0);
	close(closed);
}
END_TEST

START_TEST(fatal_ends_the_process_with_its_code)
{
	log_fatal(69, "no way on");
}
END_TEST

START_TEST(panic_aborts)
{
	log_panic("our fault");
}
END_TEST

static Suite *
suite(void)
{
	TCase *tests = tcase_create("log");
	Suite *suite = suite_create("log");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_line_says_role_severity_and_text);
	tcase_add_test(
	    tests, what_is_less_severe_than_the_level_is_not_written);
	tcase_add_test(tests, the_role_is_kept_as_a_copy_and_bounded);
	tcase_add_test(tests, control_characters_are_escaped);
	tcase_add_test(tests, utf8_stays_and_other_bytes_are_escaped);
	tcase_add_loop_test(tests, a_long_line_is_cut_and_says_so, 0, 6);
	tcase_add_test(tests, lines_of_several_processes_never_mix);
	tcase_add_test(tests, a_full_pipe_loses_lines_and_says_so_later);
	tcase_add_test(tests, errno_is_left_as_it_was);
	tcase_add_exit_test(tests, fatal_ends_the_process_with_its_code, 69);
	tcase_add_test_raise_signal(tests, panic_aborts, SIGABRT);
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
