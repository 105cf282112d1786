/* state: the state folder and its lock. See state.h. */
#include "broker/supervisor/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/shared/config.h"
#include "broker/shared/log.h"
#include "broker/supervisor/privileges.h"

enum { LOCK_WAIT_S = 5 };

int
state_make_folder(const char *path, mode_t mode)
{
	/* With this mode, whatever the umask is. */
	if (mkdir(path, mode) == 0 && chmod(path, mode) == 0)
		return 0;
	if (errno == EEXIST)
		return 0;
	log_warn("make folder %s: %m", path);
	return -1;
}

/* Is there nothing in the folder that is not the broker's? */
static bool
is_free(const char *path)
{
	static const char *const ours[] = {"lock", "ssemux.db"};
	DIR *folder = opendir(path);
	const struct dirent *entry;
	bool others = false, own = false;

	if (folder == NULL)
		return false;
	while ((entry = readdir(folder)) != NULL && !own) {
		for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
			own |= strcmp(entry->d_name, ours[i]) == 0;
		others |= entry->d_name[0] != '.';
	}
	closedir(folder);
	return own || !others;
}

/* Makes it the user's, unless it holds what is somebody else's: "/var/lib",
 * where "/var/lib/ssemux" was meant. */
static int
give_folder(const char *path, const struct privileges *privileges)
{
	struct stat status;

	if (stat(path, &status) == 0 && status.st_uid == privileges->uid &&
	    status.st_gid == privileges->gid)
		return 0;
	if (!is_free(path)) {
		log_warn("broker.state_dir %s holds other things: name a "
			 "folder for the broker alone",
		    path);
		return -1;
	}
	if (chown(path, privileges->uid, privileges->gid) == 0)
		return 0;
	log_warn("give %s to the user of broker.user: %m", path);
	return -1;
}

int
state_prepare(const struct config *config, const struct privileges *privileges)
{
	const char *path = config->broker_state_dir;

	/* What is made in it is for its user and group. */
	umask(0027);
	if (state_make_folder(path, 0750) == -1)
		return -1;
	return privileges->change ? give_folder(path, privileges) : 0;
}

static void
on_alarm(int sig)
{
	(void)sig; /* it is only to interrupt the wait */
}

/* Waits for the lock, a few seconds at most. 0, or -1 with errno. */
static int
wait_for_lock(int fd)
{
	struct sigaction alarmed = {.sa_handler = on_alarm}, before;
	int result;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK || sigaction(SIGALRM, &alarmed, &before) == -1)
		return -1;
	log_info("waiting for another ssemuxd to end");
	alarm(LOCK_WAIT_S);
	result = flock(fd, LOCK_EX);
	alarm(0);
	sigaction(SIGALRM, &before, NULL);
	return result;
}

int
state_lock(const struct config *config)
{
	char path[4096];
	int fd;

	if (snprintf(path, sizeof(path), "%s/lock", config->broker_state_dir) >=
	    (int)sizeof(path)) {
		log_warn("broker.state_dir is too long");
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd == -1) {
		log_warn("open %s: %m", path);
		return -1;
	}
	if (wait_for_lock(fd) == 0)
		return 0;
	if (errno == EINTR)
		log_warn("%s is in use by another ssemuxd",
		    config->broker_state_dir);
	else
		log_warn("lock %s: %m", path);
	close(fd);
	return -1;
}
