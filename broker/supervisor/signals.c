/* signals: see signals.h. */
#include "broker/supervisor/signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { ECHO_MS = 50 };

void
signals_ignore(void)
{
	static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &ignore, NULL);
}

int
signals_take(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) == -1)
		return -1;
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* timeout(1) and others signal a process, and its group right after that: what
 * comes within a moment is the same request to end, and not a second one. */
static void
pass_over_echo(void)
{
	const struct timespec moment = {.tv_nsec = ECHO_MS * 1000000};
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigtimedwait(&signals, NULL, &moment);
}

int
signals_next(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
		pass_over_echo();
	return (int)info.ssi_signo;
}
