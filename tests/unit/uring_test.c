/* Tests of uring: with the kernel's queues and without them, each socket takes
 * what it would take from send(2). */
#include "broker/worker/cursor/uring.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/suite.h"

enum { LARGE = 65536 };

static struct uring *uring;
static int near[URING_SENDS], far[URING_SENDS];
static struct uring_send sends[URING_SENDS];

static void
set_up(void)
{
	for (int i = 0; i < URING_SENDS; i++) {
		int fds[2];

		ck_assert_int_eq(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
		    0);
		near[i] = fds[0];
		far[i] = fds[1];
	}
}

static bool
kernel_has_one(void)
{
	struct io_uring_params params = {
	    .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};
	long fd = syscall(SYS_io_uring_setup, 1, &params);

	if (fd != -1)
		close((int)fd);
	return fd != -1;
}

/* Once with the kernel's queues, where it has any, and once without. */
static void
make_uring(int with)
{
	if (with == 0)
		return;
	uring = uring_create();
	ck_assert_int_eq(uring != NULL, kernel_has_one());
}

static void
tear_down(void)
{
	uring_destroy(uring);
	for (int i = 0; i < URING_SENDS; i++) {
		close(near[i]);
		close(far[i]);
	}
}

static struct slice
text_of(int number)
{
	static char texts[URING_SENDS][16];

	snprintf(texts[number], sizeof(texts[number]), "text %d", number);
	return slice_of_text(texts[number]);
}

static void
add(int number, struct slice bytes)
{
	sends[number] = (struct uring_send){
	    .fd = near[number],
	    .bytes = bytes,
	    .sent = 12345,
	};
}

static void
assert_got(int number, struct slice text)
{
	char got[64];
	ssize_t len = recv(far[number], got, sizeof(got), 0);

	ck_assert_int_eq(len, (ssize_t)text.len);
	ck_assert(slice_equal(slice_of(got, (size_t)len), text));
	ck_assert_int_eq(recv(far[number], got, sizeof(got), 0), -1);
}

START_TEST(each_socket_gets_its_bytes_once)
{
	make_uring(_i);
	for (int count = 1; count <= URING_SENDS; count++) {
		for (int i = 0; i < count; i++)
			add(i, text_of(i));
		ck_assert_int_eq(uring_send(uring, sends, (size_t)count), 0);
		for (int i = 0; i < count; i++) {
			ck_assert_int_eq(
			    sends[i].sent, (ssize_t)text_of(i).len);
			assert_got(i, text_of(i));
		}
	}
}
END_TEST

START_TEST(a_full_socket_says_so_and_delays_no_other)
{
	static const char large[LARGE];
	ssize_t some;

	make_uring(_i);
	for (int i = 0; i < URING_SENDS; i++)
		add(i, text_of(i));
	while (send(near[3], large, sizeof(large), MSG_DONTWAIT) > 0)
		;
	ck_assert_int_eq(uring_send(uring, sends, URING_SENDS), 0);
	for (int i = 0; i < URING_SENDS; i++) {
		if (i == 3)
			ck_assert_int_eq(sends[i].sent, -EAGAIN);
		else
			assert_got(i, text_of(i));
	}
	/* Nothing is left with the kernel, to go out when there is room. */
	while ((some = recv(far[3], sends, sizeof(sends), 0)) > 0)
		;
	ck_assert_int_eq(some, -1);
	for (int i = 0; i < URING_SENDS; i++)
		add(i, text_of(i));
	ck_assert_int_eq(uring_send(uring, sends, URING_SENDS), 0);
	assert_got(3, text_of(3));
}
END_TEST

START_TEST(a_socket_that_takes_a_part_says_how_much)
{
	static const char large[16 * LARGE];

	make_uring(_i);
	for (int i = 0; i < 8; i++)
		add(i, slice_of(large, sizeof(large)));
	ck_assert_int_eq(uring_send(uring, sends, 8), 0);
	for (int i = 0; i < 8; i++) {
		ssize_t got = 0, some;

		ck_assert_int_gt(sends[i].sent, 0);
		ck_assert_int_lt(sends[i].sent, (ssize_t)sizeof(large));
		while ((some = recv(far[i], (char[LARGE]){0}, LARGE, 0)) > 0)
			got += some;
		ck_assert_int_eq(got, sends[i].sent);
	}
}
END_TEST

START_TEST(who_is_gone_is_told_apart)
{
	make_uring(_i);
	close(far[0]);
	far[0] = dup(far[1]);
	for (int i = 0; i < 8; i++)
		add(i, text_of(i));
	ck_assert_int_eq(uring_send(uring, sends, 8), 0);
	ck_assert_int_eq(sends[0].sent, -EPIPE);
	for (int i = 1; i < 8; i++)
		assert_got(i, text_of(i));
}
END_TEST

/* The descriptor of the ring, which nobody is told. */
static int
find_ring(void)
{
	char path[64], name[64] = "";

	for (int fd = 0; fd < 1024; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = readlink(path, name, sizeof(name) - 1);
		if (len <= 0)
			continue;
		name[len] = '\0';
		if (strcmp(name, "anon_inode:[io_uring]") == 0)
			return fd;
	}
	return -1;
}

START_TEST(a_ring_is_closed_to_all_that_it_is_not_for)
{
	int ring;

	make_uring(1);
	ring = find_ring();
	ck_assert_int_eq(ring != -1, uring != NULL);
	if (uring == NULL)
		return;
	/* It is past being given anything, as long as it is restricted. */
	ck_assert_int_eq(syscall(SYS_io_uring_register, ring,
			     IORING_REGISTER_FILES, near, 1),
	    -1);
	ck_assert_int_eq(errno, EACCES);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("uring");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, each_socket_gets_its_bytes_once, 0, 2);
	tcase_add_loop_test(
	    tests, a_full_socket_says_so_and_delays_no_other, 0, 2);
	tcase_add_loop_test(
	    tests, a_socket_that_takes_a_part_says_how_much, 0, 2);
	tcase_add_loop_test(tests, who_is_gone_is_told_apart, 0, 2);
	tcase_add_test(tests, a_ring_is_closed_to_all_that_it_is_not_for);
	return suite_run("uring", tests);
}
