/* target_bare: publishing to the floor, and by HTTP. See target.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/plan.h"
#include "tests/bench/target_state.h"
#include "tests/bench/wire.h"

static int
connect_floor(const char *path, size_t path_len, size_t worker)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int len = snprintf(address.sun_path, sizeof(address.sun_path),
	    "%.*s.%zu", (int)path_len, path, worker);

	if (len < 0 || (size_t)len >= sizeof(address.sun_path))
		plan_fail("the floor's path is too long");
	if (fd == -1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		plan_fail("cannot connect to the floor");
	return fd;
}

void
target_open_floor(struct target *target, const char *where)
{
	const char *comma = strrchr(where, ',');

	if (comma == NULL)
		plan_fail("the floor's workers are missing");
	target->floor_count = strtoul(comma + 1, NULL, 10);
	if (target->floor_count == 0 || target->floor_count > TARGET_FLOORS_MAX)
		plan_fail("the floor's workers are too many or none");
	for (size_t i = 0; i < target->floor_count; i++)
		target->floors[i] =
		    connect_floor(where, (size_t)(comma - where), i);
}

/* Its length, then the data; waits where the floor is behind. */
int
target_publish_floor(struct target *target, const char *data, size_t len)
{
	uint32_t head = (uint32_t)len;

	memcpy(target->buffer, &head, sizeof(head));
	memcpy(target->buffer + sizeof(head), data, len);
	len += sizeof(head);
	for (size_t i = 0; i < target->floor_count; i++)
		if (send(target->floors[i], target->buffer, len,
			MSG_NOSIGNAL) != (ssize_t)len)
			plan_fail("the floor is gone");
	return 0;
}

static void
connect_http(struct target *target)
{
	int on = 1;

	target->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (target->fd == -1 ||
	    connect(target->fd, (struct sockaddr *)&target->address,
		sizeof(target->address)) == -1)
		plan_fail("cannot connect to publish");
	if (setsockopt(target->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ==
		-1 ||
	    fcntl(target->fd, F_SETFL, O_NONBLOCK) == -1)
		plan_fail("cannot publish");
}

void
target_open_http(struct target *target, const char *url)
{
	target->path = wire_address(url, &target->address);
	connect_http(target);
}

static void
connect_http_anew(struct target *target)
{
	close(target->fd);
	connect_http(target);
}

/* A server may end a connection that nobody waits at. */
static void
connect_again_if_closed(struct target *target)
{
	char byte;

	if (target->outstanding > 0 ||
	    recv(target->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
		return;
	connect_http_anew(target);
}

static void
send_buffer(struct target *target)
{
	ssize_t sent =
	    send(target->fd, target->buffer, target->used, MSG_NOSIGNAL);

	if (sent == -1 && errno != EAGAIN)
		plan_fail("publishing");
	if (sent <= 0)
		return;
	target->used -= (size_t)sent;
	memmove(target->buffer, target->buffer + sent, target->used);
}

int
target_publish_http(
    struct target *target, size_t channel, const char *data, size_t len)
{
	char name[WIRE_CHANNEL + 8];
	const char *where = strstr(target->path, "%s");
	size_t before = where == NULL ? strlen(target->path)
				      : (size_t)(where - target->path);
	size_t room = sizeof(target->buffer) - target->used;
	int head;

	if (target->outstanding == TARGET_OUTSTANDING_MAX || room < len + 512)
		return -1;
	connect_again_if_closed(target);
	snprintf(name, sizeof(name), "b%zu", channel);
	head = snprintf(target->buffer + target->used, room,
	    "POST %.*s%s%s HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
	    (int)before, target->path, where == NULL ? "" : name,
	    where == NULL ? "" : where + 2, len);
	if (head < 0 || (size_t)head >= room - len)
		plan_fail("the path to publish to is too long");
	memcpy(target->buffer + target->used + head, data, len);
	target->used += (size_t)head + len;
	target->outstanding++;
	send_buffer(target);
	return 0;
}

/* Each answer begins with a version and a 2; no body has that. */
static void
count_answers(struct target *target, const char *bytes, size_t len)
{
	static const char start[] = "HTTP/1.1 2";

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != start[target->matched]) {
			if (target->matched == sizeof(start) - 2) {
				fprintf(stderr,
				    "crowd: publishing was "
				    "answered: %.200s\n",
				    bytes);
				exit(1);
			}
			target->matched = bytes[i] == start[0];
			continue;
		}
		target->matched++;
		if (target->matched == sizeof(start) - 1) {
			target->matched = 0;
			target->outstanding--;
		}
	}
}

void
target_dispatch_http(struct target *target)
{
	static char bytes[65536];
	ssize_t len = recv(target->fd, bytes, sizeof(bytes) - 1, 0);

	if (len == 0 && target->outstanding == 0)
		connect_http_anew(target);
	else if (len == 0 || (len == -1 && errno != EAGAIN))
		plan_fail("who is published to has gone");
	if (len > 0) {
		bytes[len] = '\0';
		count_answers(target, bytes, (size_t)len);
	}
	if (target->used > 0)
		send_buffer(target);
}
