/* child: birth and death of processes. See child.h. */
#include "broker/supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/shared/link.h"
#include "broker/shared/log.h"
#include "broker/supervisor/privileges.h"
#include "broker/supervisor/title.h"

enum {
	/* Who lived that long is started again at once. */
	LIFE_MS = 2000,
	DELAY_FIRST_MS = 20,    /* doubled with each short life, */
	DELAY_ENDED_MS = 250,   /* up to this for one that was ended, */
	DELAY_FAILED_MS = 5000, /* up to this for one that cannot start */
};

/* Gives back to the child what the supervisor set for itself. */
static void
reset_signals(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t none;

	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	/* A limit of file sizes ends a write, and not the hub. */
	sigaction(SIGXFSZ, &ignore, NULL);
	/* In a group of its own it may write to the terminal all the same. */
	sigaction(SIGTTOU, &ignore, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Closes what other processes need and this one does not. */
static void
close_foreign(const struct child *child, const struct heritage *heritage,
    const struct birth *birth)
{
	for (size_t i = 0; i < birth->foreign_count; i++) {
		if (birth->foreign[i] != -1)
			close(birth->foreign[i]);
	}
	if (child->page == BOARD_HUB) {
		close(heritage->vault_fd);
		for (size_t i = 0; i < heritage->http_count; i++)
			close(heritage->http_fds[i]);
		return;
	}
	close(heritage->publish_fd);
	for (size_t i = 0; i < heritage->workers; i++) {
		if (i != child->worker)
			close(heritage->worker_bells[i]);
	}
}

/* What goes to a whole group, a Ctrl-C or what timeout(1) sends, is for the
 * supervisor alone: it ends the workers before the hub. */
static void
leave_group(void)
{
	if (setpgid(0, 0) == -1)
		log_warn("leave the process group: %m");
}

/* When the supervisor dies, so does this process, at once. */
static void
die_with(pid_t supervisor)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		log_fatal(EX_OSERR, "PR_SET_PDEATHSIG: %m");
	if (getppid() != supervisor)
		_exit(EX_OSERR);
}

static void __attribute__((noreturn)) child_main(struct child *child,
    struct heritage *heritage, const struct birth *birth, pid_t supervisor)
{
	title_set(child->role);
	log_set_role(child->role);
	leave_group();
	reset_signals();
	close_foreign(child, heritage, birth);
	heritage->worker = child->worker;
	heritage->confine = child->confine;
	if (board_confine(&heritage->board, heritage->board_fd, child->page) ==
	    -1)
		log_fatal(EX_OSERR, "map the board: %m");
	if (census_confine(&heritage->census, heritage->census_fd,
		child->page == BOARD_HUB ? CENSUS_NO_REGION : child->worker) ==
	    -1)
		log_fatal(EX_OSERR, "map the census: %m");
	if (privileges_drop(birth->privileges) == -1)
		log_fatal(
		    EX_NOPERM, "become %s: %m", heritage->config->broker_user);
	/* After the change of user, which clears it. */
	die_with(supervisor);
	_exit(child->run(heritage));
}

/* The two ways to a child: what it says, and what it is sent. */
struct ways {
	int ready[2];   /* the supervisor reads from the first */
	int control[2]; /* the first is the supervisor's */
};

static int
make_ways(struct ways *ways)
{
	if (pipe2(ways->ready, O_CLOEXEC) == -1)
		return -1;
	if (link_make_control(ways->control) == 0)
		return 0;
	close(ways->ready[0]);
	close(ways->ready[1]);
	return -1;
}

int
child_start(
    struct child *child, struct heritage *heritage, const struct birth *birth)
{
	pid_t supervisor = getpid();
	struct ways ways;

	if (make_ways(&ways) == -1) {
		log_warn("start %s: %m", child->role);
		return -1;
	}
	child->pid = fork();
	if (child->pid == 0) {
		close(ways.ready[0]);
		close(ways.control[0]);
		heritage->ready_fd = ways.ready[1];
		heritage->control_fd = ways.control[1];
		child_main(child, heritage, birth, supervisor);
	}
	close(ways.ready[1]);
	close(ways.control[1]);
	if (child->pid == -1) {
		log_warn("start %s: %m", child->role);
		close(ways.ready[0]);
		close(ways.control[0]);
		return -1;
	}
	child->ready_fd = ways.ready[0];
	child->control_fd = ways.control[0];
	child->state = CHILD_STARTING;
	child->start_ms = birth->now_ms;
	return 0;
}

void
child_ready(struct child *child)
{
	close(child->ready_fd);
	child->ready_fd = -1;
	child->state = CHILD_SERVING;
}

static void
log_end(const struct child *child, int status)
{
	if (WIFSIGNALED(status))
		log_warn("%s (pid %d) was ended by signal %d (%s)", child->role,
		    (int)child->pid, WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		log_info("%s (pid %d) ended with status %d", child->role,
		    (int)child->pid, WEXITSTATUS(status));
}

static uint64_t
next_delay_ms(const struct child *child, int status)
{
	bool failed = child->state == CHILD_STARTING && WIFEXITED(status);
	uint64_t max = failed ? DELAY_FAILED_MS : DELAY_ENDED_MS;
	uint64_t delay = DELAY_FIRST_MS;

	for (unsigned i = 1; i < child->failures && delay < max; i++)
		delay *= 2;
	return delay < max ? delay : max;
}

void
child_ended(
    struct child *child, struct heritage *heritage, int status, uint64_t now_ms)
{
	uint64_t life_ms = now_ms - child->start_ms;

	log_end(child, status);
	board_owner_ended(&heritage->board, child->page);
	if (child->page != BOARD_HUB)
		census_owner_ended(&heritage->census, child->worker);
	if (child->ready_fd != -1)
		close(child->ready_fd);
	child->ready_fd = -1;
	close(child->control_fd);
	child->control_fd = -1;
	child->failures = life_ms < LIFE_MS ? child->failures + 1 : 0;
	child->start_ms =
	    now_ms + (child->failures > 0 ? next_delay_ms(child, status) : 0);
	child->state = CHILD_WAITING;
	child->pid = 0;
}
