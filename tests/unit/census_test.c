/* Tests of census: counts of several writers, seen by each of them. */
#include "broker/shared/census.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"

enum { WORKERS = 3, KEYS = 200 };

static struct census census;
static int fd;

static void
make(void)
{
	ck_assert_int_eq(census_create(&census, WORKERS, KEYS, &fd), 0);
}

/* The census as that worker sees it. */
static struct census
as_worker(size_t worker)
{
	struct census own = census;
	size_t size = census.region_count * census.region_bytes;

	/* What is not its own stays mapped for the others of this process. */
	own.own =
	    (struct census_region *)(void *)((char *)(uintptr_t)census.regions +
					     worker * own.region_bytes);
	ck_assert_uint_le((worker + 1) * own.region_bytes, size);
	return own;
}

static uint64_t
user(const char *name)
{
	return census_key(&census, CENSUS_USER, slice_of_text(name));
}

START_TEST(counts_are_sums_over_workers)
{
	struct census one = as_worker(0), two = as_worker(1);

	ck_assert(census_enter(&one, user("a")));
	ck_assert(census_enter(&one, user("a")));
	ck_assert(census_enter(&two, user("a")));
	ck_assert(census_enter(&two, user("b")));
	ck_assert_uint_eq(census_count(&one, user("a")), 3);
	ck_assert_uint_eq(census_count(&two, user("a")), 3);
	ck_assert_uint_eq(census_count(&one, user("b")), 1);
	ck_assert_uint_eq(census_count(&one, user("c")), 0);
	census_leave(&one, user("a"));
	ck_assert_uint_eq(census_count(&two, user("a")), 2);
	census_leave(&one, user("a"));
	census_leave(&two, user("a"));
	ck_assert_uint_eq(census_count(&two, user("a")), 0);
	ck_assert_uint_eq(census_count(&two, user("b")), 1);
}
END_TEST

START_TEST(kinds_and_names_are_apart)
{
	uint64_t address =
	    census_key(&census, CENSUS_ADDRESS, slice_of_text("a"));

	ck_assert_uint_ne(address, user("a"));
	ck_assert_uint_ne(user(""), 0);
	ck_assert_uint_ne(user("a"), user("b"));
	ck_assert_uint_eq(user("a"), user("a"));
}
END_TEST

static uint64_t
numbered(int number)
{
	char name[32];

	snprintf(name, sizeof(name), "user %d", number);
	return user(name);
}

START_TEST(a_full_region_says_so_and_takes_more_when_some_left)
{
	struct census one = as_worker(0), two = as_worker(1);

	for (int i = 0; i < KEYS; i++)
		ck_assert(census_enter(&one, numbered(i)));
	ck_assert(!census_enter(&one, numbered(KEYS)));
	ck_assert_uint_eq(census_count(&two, numbered(KEYS)), 0);
	ck_assert(census_enter(&one, numbered(7)));
	ck_assert(census_enter(&two, numbered(KEYS)));
	for (int i = 0; i < KEYS; i += 2)
		census_leave(&one, numbered(i));
	for (int i = 0; i < KEYS; i += 2)
		ck_assert(census_enter(&one, numbered(1000 + i)));
	ck_assert(!census_enter(&one, numbered(5000)));
	for (int i = 0; i < KEYS; i++) {
		ck_assert_uint_eq(
		    census_count(&two, numbered(i)), i == 7 ? 2 : i % 2 == 1);
		ck_assert_uint_eq(
		    census_count(&two, numbered(1000 + i)), i % 2 == 0);
	}
}
END_TEST

START_TEST(who_has_ended_counts_no_more)
{
	struct census one = as_worker(0), two = as_worker(1);

	for (int i = 0; i < KEYS; i++)
		ck_assert(census_enter(&one, numbered(i)));
	ck_assert(census_enter(&two, numbered(3)));
	census_owner_ended(&census, 0);
	ck_assert_uint_eq(census_count(&two, numbered(2)), 0);
	ck_assert_uint_eq(census_count(&two, numbered(3)), 1);
	for (int i = 0; i < KEYS; i++)
		ck_assert(census_enter(&one, numbered(100 + i)));
	ck_assert_uint_eq(census_count(&two, numbered(3)), 1);
	ck_assert_uint_eq(census_count(&two, numbered(299)), 1);
}
END_TEST

/* Enters and leaves without end, until it is killed. */
static void __attribute__((noreturn)) churn(void)
{
	if (census_confine(&census, fd, 2) == -1 ||
	    !census_enter(&census, user("stays")))
		_exit(1);
	for (int i = 0;; i++) {
		if (!census_enter(&census, numbered(i % 50)))
			_exit(1);
		census_leave(&census, numbered(i % 50));
	}
}

/* Killed at any moment, it disturbs nobody. */
START_TEST(a_writer_never_hides_what_stays)
{
	struct census one = as_worker(0);
	pid_t child = fork();
	int status;

	if (child == 0)
		churn();
	while (census_count(&one, user("stays")) == 0)
		ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
	for (int i = 0; i < 200000; i++)
		ck_assert_uint_eq(census_count(&one, user("stays")), 1);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	ck_assert(WIFSIGNALED(status));
	/* However it stands there now, one may ask. */
	(void)census_count(&one, numbered(1));
	census_owner_ended(&census, 2);
	ck_assert_uint_eq(census_count(&one, user("stays")), 0);
}
END_TEST

/* The region of another one cannot be written. */
START_TEST(a_worker_writes_its_own_region_alone)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		volatile char *other;

		signal(SIGSEGV, SIG_DFL);
		if (census_confine(&census, fd, 1) == -1 ||
		    !census_enter(&census, user("a")) ||
		    census_count(&census, user("a")) != 1)
			_exit(1);
		other = (volatile char *)(uintptr_t)census.regions;
		*other = 1;
		_exit(2);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("census");

	tcase_add_checked_fixture(tests, make, NULL);
	tcase_add_test(tests, counts_are_sums_over_workers);
	tcase_add_test(tests, kinds_and_names_are_apart);
	tcase_add_test(
	    tests, a_full_region_says_so_and_takes_more_when_some_left);
	tcase_add_test(tests, who_has_ended_counts_no_more);
	tcase_add_test(tests, a_writer_never_hides_what_stays);
	tcase_add_test(tests, a_worker_writes_its_own_region_alone);
	return suite_run("census", tests);
}
