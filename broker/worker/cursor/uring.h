/*
 * uring: writes to many sockets with one system call, by the kernel's io_uring.
 *
 * Whoever is added is written to in that order, once, as by send(2) to a socket
 * that does not block; when uring_send() returns, all of it is done, and
 * nothing is left with the kernel. The ring is made so that it can send and do
 * nothing else, for a system call filter does not see what passes through it.
 */
#ifndef SSEMUX_WORKER_CURSOR_URING_H
#define SSEMUX_WORKER_CURSOR_URING_H

#include <stddef.h>
#include <sys/types.h>

#include "protocol/slice.h"

enum { URING_SENDS = 32 }; /* at once */

struct uring;

/* NULL with errno: the kernel has none that will do (that takes Linux 6.1), it
 * is not allowed, or it was left out of this build (ENOSYS). */
struct uring *uring_create(void);
void uring_destroy(struct uring *uring);

/* One of them. */
struct uring_send {
	int fd;
	struct slice bytes; /* not empty */
	ssize_t sent;       /* what uring_send() did: so many bytes, or -errno;
			     * -EAGAIN: the socket is full */
};

/*
 * Sends them, URING_SENDS at most. With NULL, or few, each is a call of its
 * own. Should the kernel refuse the ring, the rest are sent one by one: -1 with
 * errno, and the ring is not to be used any more. Else 0.
 */
int uring_send(struct uring *uring, struct uring_send *sends, size_t count);

#endif
