/* privileges: giving up root. See privileges.h. */
#include "broker/supervisor/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "broker/shared/config.h"
#include "broker/shared/log.h"

int
privileges_find(const struct config *config, struct privileges *privileges)
{
	const struct passwd *user;

	*privileges = (struct privileges){.change = false};
	if (geteuid() != 0)
		return 0;
	if (*config->broker_user == '\0') {
		log_warn("broker.user is empty: hub and workers stay root");
		return 0;
	}
	user = getpwnam(config->broker_user);
	if (user != NULL) {
		*privileges = (struct privileges){
		    .change = true, .uid = user->pw_uid, .gid = user->pw_gid};
		return 0;
	}
	log_warn("there is no user %s%s", config->broker_user,
	    config->broker_user_given ? "" : ": hub and workers stay root");
	return config->broker_user_given ? -1 : 0;
}

int
privileges_drop(const struct privileges *privileges)
{
	if (!privileges->change)
		return 0;
	if (setgroups(0, NULL) == -1 || setgid(privileges->gid) == -1 ||
	    setuid(privileges->uid) == -1)
		return -1;
	/* It must not be possible to go back. */
	if (privileges->uid != 0 && setuid(0) == 0) {
		errno = EPERM;
		return -1;
	}
	return 0;
}
