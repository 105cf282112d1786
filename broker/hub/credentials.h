/* credentials: who is at the other end of a UNIX socket, as the kernel says. */
#ifndef SSEMUX_HUB_CREDENTIALS_H
#define SSEMUX_HUB_CREDENTIALS_H

struct rules_peer;

/* User, group and supplementary groups, as they were when it connected. 0, or
 * -1 with errno. */
int credentials_read(int fd, struct rules_peer *peer);
void credentials_finish(struct rules_peer *peer);

#endif
