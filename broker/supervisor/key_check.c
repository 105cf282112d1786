/* key_check: the child that judges keys. See key_check.h. */
#include "broker/supervisor/key_check.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/shared/auth_keys.h"
#include "broker/shared/log.h"
#include "broker/shared/vault.h"
#include "broker/supervisor/key_file.h"
#include "broker/supervisor/privileges.h"
#include "broker/supervisor/sandbox.h"
#include "broker/supervisor/title.h"

enum { CHECK_S = 20 /* that a check may take */ };

struct checking {
	const struct key_check *check;
	size_t index; /* of the file that is being read */
};

static void
log_note(const char *text, void *context)
{
	const struct checking *checking = context;
	const struct key_file *file = &checking->check->files[checking->index];

	if (checking->check->changed == KEY_CHECK_ALL ||
	    checking->check->changed == checking->index)
		log_warn("%s %s: %s", file->setting, file->path, text);
}

/* Reads the items as a worker would. EX_OK, or EX_CONFIG (logged). */
static int
judge(const struct key_check *check, const struct vault_item *items)
{
	struct auth_source sources[VAULT_ITEMS_MAX];
	struct checking checking = {.check = check};
	struct auth_notes notes = {.note = log_note, .context = &checking};
	struct auth_keys *read;
	const char *why;

	for (size_t i = 0; i < check->count; i++)
		sources[i] = (struct auth_source){
		    .kind = (enum auth_source_kind)items[i].kind,
		    .bytes = items[i].bytes};
	read = auth_keys_read(
	    sources, check->count, &notes, &checking.index, &why);
	if (read != NULL) {
		log_info("keys for tokens: %zu", auth_keys_count(read));
		auth_keys_destroy(read);
		return EX_OK;
	}
	log_warn("%s %s: %s", check->files[checking.index].setting,
	    check->files[checking.index].path, why);
	return EX_CONFIG;
}

/* What the vault holds, with the candidate in its place. */
static int
judge_candidate(const struct key_check *check)
{
	struct vault vault = {.memory = NULL};
	struct vault_copy copy;
	int result;

	if (vault_map_reader(&vault, check->vault_fd) == -1 ||
	    vault_read(&vault, &copy) == -1) {
		log_warn("keys: %m");
		return EX_OSERR;
	}
	copy.items[check->changed].bytes = check->candidate;
	result = judge(check, copy.items);
	vault_copy_finish(&copy);
	vault_unmap(&vault);
	return result;
}

/* In the child. */
static void __attribute__((noreturn))
checker_main(const struct key_check *check, pid_t supervisor)
{
	uint64_t seed = 0;

	title_set("keys");
	log_set_role("keys");
	alarm(CHECK_S);
	if (check->privileges != NULL &&
	    privileges_drop(check->privileges) == -1)
		log_fatal(EX_NOPERM, "give up privileges: %m");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != supervisor ||
	    getrandom(&seed, sizeof(seed), 0) != sizeof(seed) ||
	    sandbox_worker(NULL) == -1)
		_exit(EX_OSERR);
	auth_keys_prepare(seed);
	_exit(check->changed == KEY_CHECK_ALL ? judge(check, check->items)
					      : judge_candidate(check));
}

pid_t
key_check_start(const struct key_check *check)
{
	pid_t supervisor = getpid();
	pid_t pid = fork();

	if (pid == 0)
		checker_main(check, supervisor);
	if (pid == -1)
		log_warn("check the keys: %m");
	return pid;
}

bool
key_check_good(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == EX_OK;
}

int
key_check_await(pid_t pid)
{
	int status;

	if (pid == -1)
		return -1;
	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return -1;
	}
	if (!WIFEXITED(status))
		log_warn("the keys could not be checked");
	return key_check_good(status) ? 0 : -1;
}
