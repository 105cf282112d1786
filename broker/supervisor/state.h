/* state: the folder of the store, used by one broker at a time. */
#ifndef SSEMUX_SUPERVISOR_STATE_H
#define SSEMUX_SUPERVISOR_STATE_H

#include <sys/types.h>

struct config;
struct privileges;

/* Makes a folder unless it is there; its parent must be. 0, or -1 (logged). */
int state_make_folder(const char *path, mode_t mode);

/* Makes the state folder and gives it to the user of the hub. 0, or -1
 * (logged). */
int state_prepare(
    const struct config *config, const struct privileges *privileges);

/*
 * The lock is held by the supervisor and, through inheritance, by its children:
 * it is free when the last of them is gone, however they went. The descriptor
 * stays open for good. Waits a few seconds for it. 0, or -1 (logged).
 */
int state_lock(const struct config *config);

#endif
