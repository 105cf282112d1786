/* conn: a non-blocking UNIX stream socket. See conn.h. */
#include "libpub/conn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

_Static_assert(CONN_PATH_MAX < sizeof(((struct sockaddr_un *)NULL)->sun_path),
    "a path fits with its NUL");

void
conn_init(struct conn *conn)
{
	conn->fd = -1;
	buf_init(&conn->in, CONN_MESSAGE_MAX + READ_BYTES);
	buf_init(&conn->out, 0);
}

void
conn_finish(struct conn *conn)
{
	conn_close(conn);
	buf_finish(&conn->in);
	buf_finish(&conn->out);
}

int
conn_open(struct conn *conn, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int saved_errno;

	memcpy(address.sun_path, path, strlen(path) + 1);
	conn->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->fd < 0)
		return -1;
	if (connect(conn->fd, (struct sockaddr *)&address, sizeof(address)) <
	    0) {
		saved_errno = errno;
		conn_close(conn);
		errno = saved_errno;
		return -1;
	}
	return 0;
}

void
conn_close(struct conn *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
	buf_clear(&conn->in);
	buf_clear(&conn->out);
}

static enum conn_io
io_failed(void)
{
	return errno == EAGAIN || errno == EINTR ? CONN_WAIT : CONN_END;
}

enum conn_io
conn_read(struct conn *conn)
{
	char *room = buf_reserve(&conn->in, READ_BYTES);
	ssize_t got;

	if (room == NULL) {
		errno = ENOMEM;
		return CONN_END;
	}
	got = recv(conn->fd, room, READ_BYTES, 0);
	if (got < 0)
		return io_failed();
	if (got == 0) {
		errno = 0;
		return CONN_END;
	}
	buf_commit(&conn->in, (size_t)got);
	return got < READ_BYTES ? CONN_SOME : CONN_MORE;
}

enum conn_io
conn_write(struct conn *conn)
{
	while (buf_length(&conn->out) > 0) {
		ssize_t sent = send(conn->fd, buf_bytes(&conn->out),
		    buf_length(&conn->out), MSG_NOSIGNAL);

		if (sent < 0)
			return io_failed();
		buf_consume(&conn->out, (size_t)sent);
	}
	return CONN_MORE;
}

enum message_scan
conn_scan(const struct conn *conn, size_t *size)
{
	enum refusal why;

	if (buf_length(&conn->in) == 0)
		return MESSAGE_PART;
	return message_scan(buf_bytes(&conn->in), buf_length(&conn->in),
	    CONN_MESSAGE_MAX, size, &why);
}
