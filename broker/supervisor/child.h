/*
 * child: one process of the broker, its birth and its death.
 *
 *	WAITING --its time has come--> STARTING --it says ready--> SERVING
 *	   ^                              |                          |
 *	   +------------ it ends ---------+--------------------------+
 */
#ifndef SSEMUX_SUPERVISOR_CHILD_H
#define SSEMUX_SUPERVISOR_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/shared/heritage.h"

struct privileges;

enum child_state {
	CHILD_WAITING, /* to be started at start_ms */
	CHILD_STARTING,
	CHILD_SERVING,
	CHILD_ENDED, /* and is not to be started again */
};

struct child {
	char role[32]; /* "hub", "worker 1" */
	int (*run)(struct heritage *heritage);
	int (*confine)(const struct heritage *heritage);
	size_t page;   /* of the board */
	size_t worker; /* 0-based; of a worker */
	enum child_state state;
	pid_t pid;
	int ready_fd;      /* reads the child's word; -1: none is awaited */
	int control_fd;    /* sends links to it; -1: it does not live */
	bool link_due;     /* worker: the link to the hub is to be made */
	uint64_t start_ms; /* when it is to be, or was, started */
	unsigned failures; /* short lives in a row */
};

/* What a child needs to know besides its heritage. */
struct birth {
	const struct privileges *privileges;
	const int *foreign; /* the supervisor's own descriptors; -1: none */
	size_t foreign_count;
	uint64_t now_ms;
};

/* Forks it. 0, or -1 (logged). In the child this never returns. */
int child_start(
    struct child *child, struct heritage *heritage, const struct birth *birth);

/* It said that it serves. */
void child_ready(struct child *child);

/*
 * It has ended: its numbers on the board fall, and it waits for its next start,
 * the longer the more often it died young.
 */
void child_ended(struct child *child, struct heritage *heritage, int status,
    uint64_t now_ms);

#endif
