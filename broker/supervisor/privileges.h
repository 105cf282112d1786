/* privileges: which user hub and workers become. */
#ifndef SSEMUX_SUPERVISOR_PRIVILEGES_H
#define SSEMUX_SUPERVISOR_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

struct config;

struct privileges {
	bool change; /* false: stay who we are */
	uid_t uid;
	gid_t gid;
};

/*
 * Finds the user of broker.user. Only root changes users. When the user was
 * named in the configuration it must exist; the preset one may be missing,
 * which is warned of. 0, or -1 (logged).
 */
int privileges_find(const struct config *config, struct privileges *privileges);

/* Becomes that user, for good. 0, or -1 with errno. */
int privileges_drop(const struct privileges *privileges);

#endif
