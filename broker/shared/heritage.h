/*
 * heritage: everything that the hub and the workers inherit from the
 * supervisor, and nothing else crosses the fork.
 */
#ifndef SSEMUX_SHARED_HERITAGE_H
#define SSEMUX_SHARED_HERITAGE_H

#include <stddef.h>

#include "broker/shared/board.h"
#include "broker/shared/census.h"
#include "broker/shared/config.h"
#include "broker/shared/ring.h"

struct heritage {
	const struct config *config;
	struct ring ring; /* mapped for writing; workers map it anew */
	int ring_fd;
	struct board board;
	int board_fd;
	struct census census;
	int census_fd;
	int hub_bell;
	int *worker_bells; /* one per worker */
	size_t workers;
	int vault_fd;              /* keys for tokens; see vault.h */
	size_t worker_connections; /* that each worker has descriptors for */
	size_t connections;        /* of all workers at most */
	int publish_fd;            /* listening UNIX socket */
	int *http_fds;             /* listening TCP sockets */
	size_t http_count;

	/* Set per child, after the fork. */
	size_t worker;  /* 0-based; which worker this is */
	int ready_fd;   /* gets a byte when the child serves; then closed */
	int control_fd; /* brings the links between hub and workers: link.h */
	/* Gives up what the role does not need; called when every file is
	 * open. 0, or -1 (logged). */
	int (*confine)(const struct heritage *heritage);
};

/* Tells the supervisor that this child serves. */
void heritage_say_ready(struct heritage *heritage);

#endif
