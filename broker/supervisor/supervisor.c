/*
 * supervisor: the loop of the parent process. See supervisor.h.
 *
 * Start: the hub; when it serves, the workers; when all serve, the broker is
 * ready. End: the workers first, while the hub still serves them; then the hub.
 */
#include "broker/supervisor/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "broker/hub/hub.h"
#include "broker/shared/bell.h"
#include "broker/shared/link.h"
#include "broker/shared/log.h"
#include "broker/supervisor/child.h"
#include "broker/supervisor/keys.h"
#include "broker/supervisor/links.h"
#include "broker/supervisor/notify.h"
#include "broker/supervisor/sandbox.h"
#include "broker/supervisor/signals.h"
#include "broker/worker/worker.h"

enum supervisor_state {
	STARTING, /* not all have served yet */
	SERVING,
	DRAINING_WORKERS,
	DRAINING_HUB,
};

/* What is polled. */
enum { POLL_SIGNALS, POLL_HUB, POLL_WORDS };

struct supervisor {
	struct heritage *heritage;
	const struct privileges *privileges; /* of the children */
	enum supervisor_state state;
	struct child *children; /* the hub first, then the workers */
	size_t count;
	struct pollfd *polled; /* the signals, the hub's asking, and one for
				* each child's word */
	int *own;              /* descriptors that no child may have */
	bool links_due;        /* some could not be made yet */
	struct keys *keys;
	uint64_t deadline_ms; /* of the drain */
	bool hastened;        /* streams are not let go one by one any more */
	int exit_code;
};

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- children --- */

/* What the processes of the broker are. */
static const struct child hub = {
    .role = "hub",
    .run = hub_run,
    .confine = sandbox_hub,
    .page = BOARD_HUB,
    .ready_fd = -1,
    .control_fd = -1,
};
static const struct child worker = {
    .role = "worker",
    .run = worker_run,
    .confine = sandbox_worker,
    .page = BOARD_FIRST_WORKER,
    .ready_fd = -1,
    .control_fd = -1,
};

static int
make_children(struct supervisor *supervisor)
{
	supervisor->count = 1 + supervisor->heritage->workers;
	supervisor->children =
	    calloc(supervisor->count, sizeof(supervisor->children[0]));
	supervisor->polled =
	    calloc(POLL_WORDS + supervisor->count, sizeof(struct pollfd));
	supervisor->own = calloc(1 + 2 * supervisor->count, sizeof(int));
	if (supervisor->children == NULL || supervisor->polled == NULL ||
	    supervisor->own == NULL)
		return -1;
	supervisor->children[0] = hub;
	for (size_t i = 1; i < supervisor->count; i++) {
		struct child *child = &supervisor->children[i];

		*child = worker;
		snprintf(child->role, sizeof(child->role), "worker %zu", i);
		child->worker = i - 1;
		child->page += i - 1;
	}
	return 0;
}

static bool
all_in(const struct supervisor *supervisor, size_t from, enum child_state state)
{
	for (size_t i = from; i < supervisor->count; i++) {
		if (supervisor->children[i].state != state)
			return false;
	}
	return true;
}

/* May it be started now? Workers need the store, which the hub makes. */
static bool
may_start(const struct supervisor *supervisor, size_t i, uint64_t now)
{
	if (supervisor->state >= DRAINING_WORKERS ||
	    supervisor->children[i].state != CHILD_WAITING ||
	    supervisor->children[i].start_ms > now)
		return false;
	return supervisor->state == SERVING || i == 0 ||
	       supervisor->children[0].state == CHILD_SERVING;
}

/* Starts one child; when that fails, it is tried again in a second. */
static void
start(struct supervisor *supervisor, struct child *child, uint64_t now)
{
	struct birth birth = {
	    .privileges = supervisor->privileges,
	    .foreign = supervisor->own,
	    .foreign_count = 1 + 2 * supervisor->count,
	    .now_ms = now,
	};

	supervisor->own[0] = supervisor->polled[POLL_SIGNALS].fd;
	for (size_t i = 0; i < supervisor->count; i++) {
		supervisor->own[1 + 2 * i] = supervisor->children[i].ready_fd;
		supervisor->own[2 + 2 * i] = supervisor->children[i].control_fd;
	}
	if (child_start(child, supervisor->heritage, &birth) == -1)
		child->start_ms = now + 1000;
	else
		links_note_birth(
		    supervisor->children, supervisor->count, child);
}

static void
start_due(struct supervisor *supervisor)
{
	uint64_t now = now_ms();

	for (size_t i = 0; i < supervisor->count; i++) {
		if (may_start(supervisor, i, now))
			start(supervisor, &supervisor->children[i], now);
	}
	supervisor->links_due =
	    links_make(supervisor->children, supervisor->count);
}

static void
signal_all(const struct supervisor *supervisor, size_t from, size_t to, int sig)
{
	for (size_t i = from; i < to; i++) {
		const struct child *child = &supervisor->children[i];

		if (child->pid > 0 && kill(child->pid, sig) == -1)
			log_warn("signal %s: %m", child->role);
	}
}

/* --- the end --- */

/* The next stage of the end, when the one before is over. */
static void
go_on_draining(struct supervisor *supervisor)
{
	if (supervisor->state == DRAINING_WORKERS &&
	    all_in(supervisor, 1, CHILD_ENDED)) {
		supervisor->state = DRAINING_HUB;
		signal_all(supervisor, 0, 1, SIGTERM);
	}
}

static void
begin_to_end(struct supervisor *supervisor)
{
	const struct config *config = supervisor->heritage->config;

	notify_systemd("STOPPING=1");
	log_info("draining");
	supervisor->state = DRAINING_WORKERS;
	supervisor->deadline_ms = now_ms() + config->broker_drain_timeout;
	supervisor->hastened = config->broker_drain_spread == 0;
	for (size_t i = 0; i < supervisor->count; i++) {
		if (supervisor->children[i].state == CHILD_WAITING)
			supervisor->children[i].state = CHILD_ENDED;
	}
	signal_all(supervisor, 1, supervisor->count, SIGTERM);
	go_on_draining(supervisor);
}

static void
end_by_force(struct supervisor *supervisor, const char *why)
{
	log_warn("%s: ending what is left by force", why);
	signal_all(supervisor, 0, supervisor->count, SIGKILL);
}

/* Asked to end once more: first the workers let all go at once, then all are
 * ended by force. */
static void
hasten(struct supervisor *supervisor)
{
	if (supervisor->hastened) {
		end_by_force(supervisor, "asked to end again");
		return;
	}
	log_info("asked to end again: streams are let go at once");
	supervisor->hastened = true;
	signal_all(supervisor, 1, supervisor->count, SIGTERM);
}

/* --- what happens --- */

static void
on_ready(struct supervisor *supervisor, struct child *child)
{
	char word;

	if (read(child->ready_fd, &word, 1) != 1)
		return; /* it ended; its status will say how */
	child_ready(child);
	if (supervisor->state != STARTING ||
	    !all_in(supervisor, 0, CHILD_SERVING))
		return;
	supervisor->state = SERVING;
	log_info("ready, with %zu workers", supervisor->heritage->workers);
	notify_systemd("READY=1");
	notify_fd((int)supervisor->heritage->config->broker_ready_fd);
}

static void
on_child_ended(struct supervisor *supervisor, pid_t pid, int status)
{
	for (size_t i = 0; i < supervisor->count; i++) {
		struct child *child = &supervisor->children[i];

		if (child->pid != pid)
			continue;
		child_ended(child, supervisor->heritage, status, now_ms());
		/* Its count of clients is not to be waited for. */
		bell_ring(supervisor->heritage->hub_bell);
		if (supervisor->state >= DRAINING_WORKERS) {
			child->state = CHILD_ENDED;
		} else if (supervisor->state == STARTING && WIFEXITED(status)) {
			/* It cannot start: trying again would not help. */
			supervisor->exit_code = WEXITSTATUS(status);
			begin_to_end(supervisor);
		}
	}
	go_on_draining(supervisor);
}

static void
reap(struct supervisor *supervisor)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (!keys_child_ended(supervisor->keys, pid, status))
			on_child_ended(supervisor, pid, status);
	}
}

static void
on_signal(struct supervisor *supervisor, int fd)
{
	switch (signals_next(fd)) {
	case 0:
		break;
	case SIGCHLD:
		reap(supervisor);
		break;
	case SIGHUP:
		log_warn("SIGHUP: a changed configuration needs a restart");
		break;
	default: /* SIGTERM, SIGINT */
		if (supervisor->state >= DRAINING_WORKERS)
			hasten(supervisor);
		else
			begin_to_end(supervisor);
	}
}

/* Milliseconds until something is to be done; -1: nothing is. */
static int
next_timeout(const struct supervisor *supervisor)
{
	uint64_t now = now_ms();
	uint64_t next = keys_due_ms(supervisor->keys);

	if (supervisor->state >= DRAINING_WORKERS &&
	    supervisor->deadline_ms < next)
		next = supervisor->deadline_ms;
	if (supervisor->links_due && now + LINKS_RETRY_MS < next)
		next = now + LINKS_RETRY_MS;
	for (size_t i = 0; i < supervisor->count; i++) {
		const struct child *child = &supervisor->children[i];

		if (child->state == CHILD_WAITING && child->start_ms > now &&
		    child->start_ms < next)
			next = child->start_ms;
	}
	if (next == UINT64_MAX)
		return -1;
	return next > now ? (int)(next - now) : 0;
}

static void
wait_and_act(struct supervisor *supervisor)
{
	struct pollfd *polled = supervisor->polled;
	struct pollfd *words = polled + POLL_WORDS;

	polled[POLL_HUB] = (struct pollfd){
	    .fd = supervisor->children[0].control_fd,
	    .events = POLLIN,
	};
	for (size_t i = 0; i < supervisor->count; i++)
		words[i] = (struct pollfd){
		    .fd = supervisor->children[i].ready_fd,
		    .events = POLLIN,
		};
	if (poll(polled, POLL_WORDS + supervisor->count,
		next_timeout(supervisor)) == -1 &&
	    errno != EINTR)
		log_panic("poll: %m");
	for (size_t i = 0; i < supervisor->count; i++) {
		if ((words[i].revents & POLLIN) != 0)
			on_ready(supervisor, &supervisor->children[i]);
		else if (words[i].revents != 0) {
			close(supervisor->children[i].ready_fd);
			supervisor->children[i].ready_fd = -1;
		}
	}
	if (link_end_asked(polled[POLL_HUB].fd) &&
	    supervisor->state < DRAINING_WORKERS)
		begin_to_end(supervisor);
	if ((polled[POLL_SIGNALS].revents & POLLIN) != 0)
		on_signal(supervisor, polled[POLL_SIGNALS].fd);
	if (supervisor->state >= DRAINING_WORKERS &&
	    now_ms() >= supervisor->deadline_ms) {
		end_by_force(supervisor, "broker.drain_timeout is over");
		supervisor->deadline_ms = now_ms() + 1000;
	}
}

int
supervisor_run(struct heritage *heritage, const struct privileges *privileges)
{
	struct supervisor supervisor = {
	    .heritage = heritage, .privileges = privileges};
	int signals;

	supervisor.keys = keys_create(heritage, privileges);
	if (supervisor.keys == NULL)
		return EX_CONFIG;
	signals = signals_take();
	if (signals == -1 || make_children(&supervisor) == -1) {
		log_warn("start: %m");
		return EX_OSERR;
	}
	supervisor.polled[POLL_SIGNALS] =
	    (struct pollfd){.fd = signals, .events = POLLIN};
	while (!all_in(&supervisor, 0, CHILD_ENDED)) {
		start_due(&supervisor);
		wait_and_act(&supervisor);
		keys_look(supervisor.keys, now_ms());
	}
	keys_destroy(supervisor.keys);
	free(supervisor.children);
	free(supervisor.polled);
	free(supervisor.own);
	close(signals);
	return supervisor.exit_code;
}
