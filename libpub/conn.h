/*
 * conn: one connection to the broker's socket, with bytes in and bytes out.
 * Knows nothing of what the bytes mean, but where one message ends.
 *
 * Every send is MSG_NOSIGNAL: the process gets no SIGPIPE from here.
 */
#ifndef SSEMUX_LIBPUB_CONN_H
#define SSEMUX_LIBPUB_CONN_H

#include <stdbool.h>

#include "protocol/buf.h"
#include "protocol/message.h"

enum {
	CONN_PATH_MAX = 107, /* bytes of a UNIX socket's path, without NUL */
	/* Longest message taken from a broker: a status report. */
	CONN_MESSAGE_MAX = 1024 * 1024,
};

struct conn {
	int fd; /* -1: none */
	struct buf in;
	struct buf out;
};

/* Makes a conn that is not connected. */
void conn_init(struct conn *conn);

/* Closes it and frees its memory. */
void conn_finish(struct conn *conn);

/* Connects without waiting; there is no connection yet, and the path is at
 * most CONN_PATH_MAX bytes. 0; or -1 with errno, and there is no connection
 * (EAGAIN: the broker's backlog is full). */
int conn_open(struct conn *conn, const char *path);

/* Closes it; what was not read or written is forgotten. */
void conn_close(struct conn *conn);

enum conn_io {
	CONN_MORE, /* done, and there may be more at once */
	CONN_SOME, /* done; if there is more, poll() says so at once */
	CONN_WAIT, /* nothing more for now */
	CONN_END,  /* the other side has closed, or errno says why not */
};

/* Reads once. CONN_END with errno 0 is a plain end. */
enum conn_io conn_read(struct conn *conn);

/* Writes all it can of what is held in out. */
enum conn_io conn_write(struct conn *conn);

/* The next whole message in the bytes that were read, to be taken away with
 * buf_consume(&conn->in, *size). */
enum message_scan conn_scan(const struct conn *conn, size_t *size);

#endif
