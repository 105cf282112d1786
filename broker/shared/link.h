/*
 * link: how a descriptor gets from the supervisor to a process that runs.
 *
 * Each child has a control socket, whose other end the supervisor keeps. What
 * comes over it are the ends of links: a link is a pair of connected stream
 * sockets between the hub and a worker. Whoever ends, the supervisor makes a
 * new link for its successor; the newest is the one that counts. The other way
 * goes one word: that the broker is to end.
 */
#ifndef SSEMUX_SHARED_LINK_H
#define SSEMUX_SHARED_LINK_H

#include <stdbool.h>
#include <stddef.h>

/* Makes a control socket, or a link: two ends that neither block nor cross an
 * exec. 0, or -1 with errno. */
int link_make_control(int ends[2]);
int link_make(int ends[2]);

/* In a child: asks the supervisor to drain and end the broker. 0, or -1 with
 * errno. */
int link_ask_end(int control);

/* In the supervisor: was that asked for? */
bool link_end_asked(int control);

/* Can one end of a link be sent now? */
bool link_can_send(int control);

/* Sends one end of the link of that worker; the descriptor stays open here. 0,
 * or -1 with errno. Never blocks. */
int link_send(int control, size_t worker, int fd);

enum link_received {
	LINK_RECEIVED, /* *fd is the receiver's to close */
	LINK_NONE,     /* nothing is there now */
	LINK_END,      /* nothing will come any more */
};

/* Receives one. *worker is below `workers`. */
enum link_received link_receive(
    int control, size_t workers, size_t *worker, int *fd);

#endif
