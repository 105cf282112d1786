/* credentials: SO_PEERCRED and SO_PEERGROUPS. See credentials.h. */
#include "broker/hub/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "broker/hub/rules.h"

/* The kernel says how much room it needs when there is none. */
static int
read_groups(int fd, struct rules_peer *peer)
{
	socklen_t bytes = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &bytes) == 0)
		return 0; /* it is in none */
	if (errno != ERANGE)
		return -1;
	peer->groups = malloc(bytes);
	if (peer->groups == NULL)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &bytes) ==
	    -1)
		return -1;
	peer->group_count = bytes / sizeof(peer->groups[0]);
	return 0;
}

int
credentials_read(int fd, struct rules_peer *peer)
{
	struct ucred found;
	socklen_t bytes = sizeof(found);

	*peer = (struct rules_peer){.group_count = 0};
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &found, &bytes) == -1)
		return -1;
	peer->uid = found.uid;
	peer->gid = found.gid;
	if (read_groups(fd, peer) == -1) {
		credentials_finish(peer);
		return -1;
	}
	return 0;
}

void
credentials_finish(struct rules_peer *peer)
{
	free(peer->groups);
	*peer = (struct rules_peer){.group_count = 0};
}
