/* commit: from the batch into the store and the ring, and the answers. */
#ifndef SSEMUX_HUB_COMMIT_H
#define SSEMUX_HUB_COMMIT_H

struct hub;

/*
 * Commits what is staged, puts it into the ring, rings for the workers that
 * sleep, and answers; nothing happens when nothing is staged. When the store
 * cannot be written, nothing of it is stored, and every publisher of the batch
 * is told to come back later.
 */
void hub_commit(struct hub *hub);

#endif
