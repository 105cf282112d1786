/* Tests of vault: bytes from one process to another, whole or not at all. */
#include "broker/shared/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static struct vault vault;
static int fd;

static void
set_up(void)
{
	ck_assert_int_eq(vault_create(&vault, &fd), 0);
}

static void
tear_down(void)
{
	vault_unmap(&vault);
	close(fd);
}

static void
assert_item(const struct vault_item *item, uint32_t kind, const char *bytes)
{
	ck_assert_uint_eq(item->kind, kind);
	ck_assert(slice_is(item->bytes, bytes));
}

START_TEST(a_reader_gets_what_was_written_last)
{
	struct vault_item items[] = {
	    {1, {"abc", 3}}, {0, {NULL, 0}}, {7, {"secret", 6}}};
	struct vault reader = {.memory = NULL};
	struct vault_copy copy;

	ck_assert_int_eq(vault_map_reader(&reader, fd), 0);
	ck_assert_uint_eq(vault_version(&reader), 0);
	ck_assert_int_eq(vault_read(&reader, &copy), 0);
	ck_assert_uint_eq(copy.count, 0);
	vault_copy_finish(&copy);

	ck_assert_int_eq(vault_write(&vault, items, 3), 0);
	ck_assert_uint_ne(vault_version(&reader), 0);
	ck_assert_int_eq(vault_read(&reader, &copy), 0);
	ck_assert_uint_eq(copy.count, 3);
	ck_assert_uint_eq(copy.version, vault_version(&reader));
	assert_item(&copy.items[0], 1, "abc");
	assert_item(&copy.items[1], 0, "");
	assert_item(&copy.items[2], 7, "secret");
	vault_copy_finish(&copy);

	ck_assert_int_eq(vault_write(&vault, items, 1), 0);
	ck_assert_int_eq(vault_read(&reader, &copy), 0);
	ck_assert_uint_eq(copy.count, 1);
	vault_copy_finish(&copy);
	vault_copy_finish(&copy);
	vault_unmap(&reader);
}
END_TEST

START_TEST(what_was_replaced_is_wiped)
{
	struct vault_item item = {0, {"a secret that is long", 21}};
	char bytes[4096];

	vault_write(&vault, &item, 1);
	item.bytes = slice_of("short", 5);
	vault_write(&vault, &item, 1);
	ck_assert_int_eq(
	    pread(fd, bytes, sizeof(bytes), 0), (int)sizeof(bytes));
	ck_assert_ptr_nonnull(memmem(bytes, sizeof(bytes), "short", 5));
	ck_assert_ptr_null(memmem(bytes, sizeof(bytes), "long", 4));
}
END_TEST

START_TEST(what_does_not_fit_leaves_the_old_items)
{
	struct vault_item items[VAULT_ITEMS_MAX + 1] = {{5, {"old", 3}}};
	struct vault_copy copy;
	uint64_t version;
	char *large = calloc(1, VAULT_BYTES_MAX + 1);

	ck_assert_int_eq(vault_write(&vault, items, VAULT_ITEMS_MAX), 0);
	version = vault_version(&vault);
	ck_assert_int_eq(vault_write(&vault, items, VAULT_ITEMS_MAX + 1), -1);
	ck_assert_int_eq(errno, E2BIG);
	items[1].bytes = slice_of(large, VAULT_BYTES_MAX + 1);
	ck_assert_int_eq(vault_write(&vault, items, 2), -1);
	items[1].bytes = slice_of(large, VAULT_BYTES_MAX);
	ck_assert_int_eq(vault_write(&vault, items, 2), -1);
	ck_assert_uint_eq(vault_version(&vault), version);
	ck_assert_int_eq(vault_read(&vault, &copy), 0);
	ck_assert_uint_eq(copy.count, VAULT_ITEMS_MAX);
	assert_item(&copy.items[0], 5, "old");
	vault_copy_finish(&copy);
	free(large);
}
END_TEST

START_TEST(nobody_else_can_write_and_no_child_inherits_it)
{
	pid_t child;
	int status;

	ck_assert(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
		  MAP_FAILED);
	ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	child = fork();
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit((int)vault_version(&vault));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}
END_TEST

/* One process writes items that are all alike; what another reads is of one
 * of these moments, never of two. */
START_TEST(a_copy_is_of_one_moment)
{
	struct vault reader = {.memory = NULL};
	char bytes[3000];
	pid_t parent = getpid(), child;
	unsigned copies = 0;

	ck_assert_int_eq(vault_map_reader(&reader, fd), 0);
	child = fork();
	if (child == 0) {
		/* The reader: its own mapping is not inherited, either. */
		if (vault_map_reader(&reader, fd) == -1)
			_exit(2);
		while (copies < 2000 && getppid() == parent) {
			struct vault_copy copy;

			if (vault_read(&reader, &copy) == -1)
				continue;
			for (size_t i = 0; i < copy.count; i++) {
				struct slice item = copy.items[i].bytes;

				if (copy.items[i].kind % 256 !=
					(unsigned char)item.bytes[0] ||
				    copy.items[i].kind % 256 !=
					(unsigned char)item.bytes[item.len - 1])
					_exit(1);
			}
			vault_copy_finish(&copy);
			copies++;
		}
		_exit(0);
	}
	for (uint32_t i = 1;; i++) {
		struct vault_item items[2];
		int status;

		memset(bytes, (int)i, sizeof(bytes));
		items[0] = (struct vault_item){i, {bytes, 1 + i % 2999}};
		items[1] = items[0];
		ck_assert_int_eq(vault_write(&vault, items, 2), 0);
		if (waitpid(child, &status, WNOHANG) == child) {
			ck_assert(WIFEXITED(status));
			ck_assert_int_eq(WEXITSTATUS(status), 0);
			break;
		}
	}
	vault_unmap(&reader);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("vault");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_reader_gets_what_was_written_last);
	tcase_add_test(tests, what_was_replaced_is_wiped);
	tcase_add_test(tests, what_does_not_fit_leaves_the_old_items);
	tcase_add_test(tests, nobody_else_can_write_and_no_child_inherits_it);
	tcase_add_test(tests, a_copy_is_of_one_moment);
	return suite_run("vault", tests);
}
