/* link: descriptors over control sockets. See link.h. */
#include "broker/shared/link.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What comes with a descriptor. */
struct word {
	uint32_t worker;
};

/* Room for the one descriptor of a message, aligned as it must be. */
union ancillary {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int
link_make_control(int ends[2])
{
	/* Messages keep their bounds, and an end is noticed. */
	return socketpair(
	    AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

int
link_make(int ends[2])
{
	return socketpair(
	    AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

int
link_ask_end(int control)
{
	return send(control, "e", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -1;
}

bool
link_end_asked(int control)
{
	char word;

	return recv(control, &word, 1, MSG_DONTWAIT) == 1;
}

bool
link_can_send(int control)
{
	struct pollfd polled = {.fd = control, .events = POLLOUT};

	return poll(&polled, 1, 0) == 1 &&
	       (polled.revents & (POLLOUT | POLLHUP | POLLERR)) == POLLOUT;
}

int
link_send(int control, size_t worker, int fd)
{
	struct word word = {.worker = (uint32_t)worker};
	struct iovec piece = {.iov_base = &word, .iov_len = sizeof(word)};
	union ancillary ancillary = {.bytes = {0}};
	struct msghdr message = {
	    .msg_iov = &piece,
	    .msg_iovlen = 1,
	    .msg_control = &ancillary,
	    .msg_controllen = sizeof(ancillary.bytes),
	};

	ancillary.head.cmsg_level = SOL_SOCKET;
	ancillary.head.cmsg_type = SCM_RIGHTS;
	ancillary.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&ancillary.head), &fd, sizeof(int));
	return sendmsg(control, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == -1
		   ? -1
		   : 0;
}

/* The descriptor of a message; -1: it has none. */
static int
descriptor_of(struct msghdr *message)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(message);
	int fd;

	if (head == NULL || head->cmsg_level != SOL_SOCKET ||
	    head->cmsg_type != SCM_RIGHTS ||
	    head->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(head), sizeof(int));
	return fd;
}

enum link_received
link_receive(int control, size_t workers, size_t *worker, int *fd)
{
	struct word word = {.worker = UINT32_MAX};
	struct iovec piece = {.iov_base = &word, .iov_len = sizeof(word)};
	union ancillary ancillary;
	struct msghdr message = {
	    .msg_iov = &piece,
	    .msg_iovlen = 1,
	    .msg_control = &ancillary,
	    .msg_controllen = sizeof(ancillary.bytes),
	};
	ssize_t got;

	do {
		got =
		    recvmsg(control, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got == -1 && errno == EINTR);
	if (got == -1 && errno == EAGAIN)
		return LINK_NONE;
	if (got <= 0)
		return LINK_END;
	*fd = descriptor_of(&message);
	*worker = word.worker;
	if (got == sizeof(word) && *worker < workers && *fd != -1)
		return LINK_RECEIVED;
	/* The kernel had no descriptor left to give: there is no link. */
	if (*fd != -1)
		close(*fd);
	return LINK_NONE;
}
