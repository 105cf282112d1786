/* Tests of link and links: each process gets its end of the newest link,
 * whoever is stuck or dead, and nobody waits. */
#include "broker/shared/link.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/supervisor/child.h"
#include "broker/supervisor/links.h"
#include "tests/unit/suite.h"

enum { WORKERS = 3, CHILDREN = 1 + WORKERS };

/* The hub, then the workers; each with its end of its control socket. */
static struct child children[CHILDREN];
static int controls[CHILDREN];

static void
bear(size_t child)
{
	int ends[2];

	ck_assert_int_eq(link_make_control(ends), 0);
	children[child].control_fd = ends[0];
	children[child].pid = getpid();
	children[child].worker = child - 1;
	controls[child] = ends[1];
	links_note_birth(children, CHILDREN, &children[child]);
}

static void
kill_child(size_t child)
{
	close(children[child].control_fd);
	close(controls[child]);
	children[child].control_fd = controls[child] = -1;
	children[child].pid = 0;
}

static void
set_up(void)
{
	memset(children, 0, sizeof(children));
	for (size_t i = 0; i < CHILDREN; i++) {
		children[i].control_fd = controls[i] = -1;
		bear(i);
	}
}

static void
tear_down(void)
{
	for (size_t i = 0; i < CHILDREN; i++)
		kill_child(i);
}

/* The end that a child was sent; -1: none. */
static int
receive(size_t child, size_t worker)
{
	size_t got = SIZE_MAX;
	int fd = -1;

	switch (link_receive(controls[child], WORKERS, &got, &fd)) {
	case LINK_RECEIVED:
		ck_assert_uint_eq(got, worker);
		return fd;
	case LINK_NONE:
		return -1;
	case LINK_END:
		ck_abort_msg("the supervisor has ended");
	}
	return -1;
}

static void
assert_linked(int a, int b)
{
	char byte = 'x';

	ck_assert_int_ne(a, -1);
	ck_assert_int_ne(b, -1);
	ck_assert_int_eq(send(a, "y", 1, MSG_NOSIGNAL), 1);
	ck_assert_int_eq(recv(b, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, 'y');
	ck_assert_int_eq(recv(a, &byte, 1, 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_ne(fcntl(a, F_GETFD) & FD_CLOEXEC, 0);
	close(a);
	ck_assert_int_eq(recv(b, &byte, 1, 0), 0);
	close(b);
}

static size_t
open_descriptors(void)
{
	size_t count = 0;

	for (int fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

START_TEST(each_worker_is_linked_with_the_hub_once)
{
	size_t before = open_descriptors();

	ck_assert(!links_make(children, CHILDREN));
	for (size_t i = 1; i < CHILDREN; i++)
		assert_linked(receive(0, i - 1), receive(i, i - 1));
	ck_assert(!links_make(children, CHILDREN));
	for (size_t i = 0; i < CHILDREN; i++)
		ck_assert_int_eq(receive(i, 0), -1);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(a_new_hub_is_linked_with_all_and_a_new_worker_alone)
{
	links_make(children, CHILDREN);
	kill_child(0);
	ck_assert(!links_make(children, CHILDREN));
	bear(0);
	ck_assert(!links_make(children, CHILDREN));
	for (size_t i = 1; i < CHILDREN; i++) {
		close(receive(i, i - 1)); /* of the first hub */
		assert_linked(receive(0, i - 1), receive(i, i - 1));
	}
	kill_child(2);
	bear(2);
	ck_assert(!links_make(children, CHILDREN));
	assert_linked(receive(0, 1), receive(2, 1));
	ck_assert_int_eq(receive(1, 0), -1);
	ck_assert_int_eq(receive(3, 2), -1);
}
END_TEST

START_TEST(one_that_is_dead_and_not_known_to_be_is_tried_again)
{
	close(controls[2]);
	controls[2] = -1;
	ck_assert(links_make(children, CHILDREN));
	for (size_t i = 1; i < CHILDREN; i++) {
		if (i != 2)
			assert_linked(receive(0, i - 1), receive(i, i - 1));
	}
	ck_assert_int_eq(receive(0, 0), -1);
	ck_assert(links_make(children, CHILDREN));
	kill_child(2);
	ck_assert(!links_make(children, CHILDREN));
	bear(2);
	ck_assert(!links_make(children, CHILDREN));
	assert_linked(receive(0, 1), receive(2, 1));
}
END_TEST

START_TEST(one_that_is_stuck_is_not_waited_for)
{
	size_t turns = 0;

	/* A worker that takes nothing, while hubs come and go. */
	while (!links_make(children, CHILDREN)) {
		ck_assert_uint_lt(++turns, 100000);
		kill_child(0);
		bear(0);
		for (size_t i = 1; i < CHILDREN; i++) {
			int fd = i == 1 ? -1 : receive(i, i - 1);

			if (fd != -1)
				close(fd);
		}
	}
	ck_assert(links_make(children, CHILDREN));
	/* Then it takes all that it was sent, and gets what is due. */
	for (int fd; (fd = receive(1, 0)) != -1;)
		close(fd);
	for (size_t i = 2; i < CHILDREN; i++)
		close(receive(0, i - 1));
	ck_assert_int_eq(receive(0, 0), -1);
	ck_assert(!links_make(children, CHILDREN));
	assert_linked(receive(0, 0), receive(1, 0));
}
END_TEST

START_TEST(what_is_no_link_is_none)
{
	int fd = dup(0);

	ck_assert_int_eq(send(children[1].control_fd, "abcd", 4, 0), 4);
	ck_assert_int_eq(receive(1, 0), -1);
	ck_assert_int_eq(link_send(children[1].control_fd, WORKERS, fd), 0);
	ck_assert_int_eq(receive(1, 0), -1);
	close(fd);
}
END_TEST

START_TEST(the_supervisor_is_asked_once_for_the_end)
{
	ck_assert(!link_end_asked(children[0].control_fd));
	ck_assert_int_eq(link_ask_end(controls[0]), 0);
	ck_assert(link_end_asked(children[0].control_fd));
	ck_assert(!link_end_asked(children[0].control_fd));
	ck_assert(!link_end_asked(-1));
	close(children[0].control_fd);
	children[0].control_fd = -1;
	ck_assert_int_eq(link_ask_end(controls[0]), -1);
	ck_assert(!link_end_asked(children[0].control_fd));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("link");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, each_worker_is_linked_with_the_hub_once);
	tcase_add_test(
	    tests, a_new_hub_is_linked_with_all_and_a_new_worker_alone);
	tcase_add_test(
	    tests, one_that_is_dead_and_not_known_to_be_is_tried_again);
	tcase_add_test(tests, one_that_is_stuck_is_not_waited_for);
	tcase_add_test(tests, what_is_no_link_is_none);
	tcase_add_test(tests, the_supervisor_is_asked_once_for_the_end);
	return suite_run("link", tests);
}
