/*
 * floor: the least that a server of event streams can do, to measure others
 * by: it answers the head, and for each event does one send() per subscriber
 * of its channel. No history, no buffer of its own: who does not read holds up
 * all the others.
 *
 *	floor PORT SOCKET WORKERS TOGETHER [EVENTS BYTES]
 *		WORKERS processes serve 127.0.0.1:PORT; each takes events at
 *		SOCKET.0, SOCKET.1 and so on: their length in 4 bytes, in this
 *		machine's order, then the data. TOGETHER: as many events at
 *		most, of those that have come, share a write. EVENTS: each
 *		subscriber gets so many of BYTES at once when it comes, in
 *		writes of 64 KiB.
 * Prints the workers' pids when it serves, and ends with its input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/groups.h"

enum {
	WORKERS_MAX = 16,
	INPUT_BYTES = 1 << 18,
	OUTPUT_BYTES = 1 << 19,
	WRITE_BYTES = 1 << 16,
	TURN_EVENTS = 256,
};

struct floor {
	int epoll;
	int listener;
	int door;      /* where a publisher connects */
	int publisher; /* -1: none */
	size_t together;
	size_t greeting_len;
	char *greeting; /* what a subscriber gets when it comes */
	struct groups *groups;
	size_t input_len;
	char input[INPUT_BYTES];
};

static __attribute__((noreturn)) void
fail(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static size_t
number_of(const char *text, size_t most)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || number > most) {
		fprintf(
		    stderr, "floor: %s is no number up to %zu\n", text, most);
		exit(64);
	}
	return number;
}

static void
watch(const struct floor *floor, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(floor->epoll, EPOLL_CTL_ADD, fd, &event) == -1)
		fail("epoll");
}

/* An event as a chunk of the stream, with an id as long as a broker's. */
static size_t
write_event(char *out, const char *data, size_t len)
{
	static const char start[] = "id: 1763700000000-0\ndata: ";
	size_t used =
	    (size_t)snprintf(out, 16, "%zx\r\n", sizeof(start) + 1 + len);

	memcpy(out + used, start, sizeof(start) - 1);
	used += sizeof(start) - 1;
	memcpy(out + used, data, len);
	used += len;
	memcpy(out + used, "\n\n\r\n", 4);
	return used + 4;
}

/* The channel that the data say they are of. */
static size_t
channel_of(const char *data, size_t len)
{
	size_t channel = 0;

	for (size_t i = 1; i < len && data[i] >= '0' && data[i] <= '9'; i++)
		channel = channel * 10 + (size_t)(data[i] - '0');
	return len > 0 && data[0] == '@' ? channel : 0;
}

/* Sends the whole events that are there, some of them together. */
static void
send_events(struct floor *floor)
{
	static char output[OUTPUT_BYTES];
	size_t used = 0, gathered = 0, at = 0, channel = 0;
	uint32_t len;

	while (floor->input_len - at >= sizeof(len)) {
		memcpy(&len, floor->input + at, sizeof(len));
		if (len > WRITE_BYTES)
			fail("an event is too long");
		if (floor->input_len - at - sizeof(len) < len)
			break;
		at += sizeof(len);
		if (used > 0 &&
		    (gathered == floor->together ||
			used > OUTPUT_BYTES - 2 * WRITE_BYTES ||
			channel_of(floor->input + at, len) != channel)) {
			groups_send(floor->groups, channel, output, used);
			used = gathered = 0;
		}
		channel = channel_of(floor->input + at, len);
		used += write_event(output + used, floor->input + at, len);
		gathered++;
		at += len;
	}
	if (used > 0)
		groups_send(floor->groups, channel, output, used);
	floor->input_len -= at;
	memmove(floor->input, floor->input + at, floor->input_len);
}

static void
read_publisher(struct floor *floor)
{
	ssize_t len = read(floor->publisher, floor->input + floor->input_len,
	    sizeof(floor->input) - floor->input_len);

	if (len <= 0) {
		close(floor->publisher);
		floor->publisher = -1;
		floor->input_len = 0;
		return;
	}
	floor->input_len += (size_t)len;
	send_events(floor);
}

/* A request, whole; or the end. */
static void
read_subscriber(struct floor *floor, int fd)
{
	char request[16384];
	ssize_t len = recv(fd, request, sizeof(request) - 1, 0);
	size_t sent = 0;

	if (len <= 0) {
		groups_remove(floor->groups, fd);
		close(fd);
		return;
	}
	while (sent < floor->greeting_len) {
		size_t left = floor->greeting_len - sent;
		size_t part = left < WRITE_BYTES ? left : WRITE_BYTES;

		groups_write(fd, floor->greeting + sent, part);
		sent += part;
	}
	request[len] = '\0';
	groups_add(floor->groups, fd, request);
}

static void
accept_subscribers(struct floor *floor)
{
	int fd, on = 1;

	while (
	    (fd = accept4(floor->listener, NULL, NULL, SOCK_CLOEXEC)) != -1) {
		/* As any broker does. */
		if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ==
		    -1)
			fail("TCP_NODELAY");
		watch(floor, fd);
	}
	if (errno != EAGAIN)
		fail("accept");
}

static void
act(struct floor *floor, int fd)
{
	if (fd == floor->listener) {
		accept_subscribers(floor);
	} else if (fd == floor->door) {
		floor->publisher = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (floor->publisher == -1)
			fail("accept");
		watch(floor, floor->publisher);
	} else if (fd == floor->publisher) {
		read_publisher(floor);
	} else {
		read_subscriber(floor, fd);
	}
}

static int
listen_tcp(size_t port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1,
	    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* The kernel shares connections out among the workers. */
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    listen(fd, 4096) == -1)
		fail("cannot listen");
	return fd;
}

/* The workers share the port with one another, and with nobody else. */
static void
check_port(size_t port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		fail("cannot listen");
	close(fd);
}

static int
listen_unix(const char *path, size_t worker)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int len = snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s.%zu", path, worker);

	if (len < 0 || (size_t)len >= sizeof(address.sun_path) || fd == -1 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    listen(fd, 16) == -1)
		fail("cannot listen for a publisher");
	return fd;
}

/* The head, and the events that everybody gets. */
static void
make_greeting(struct floor *floor, size_t events, size_t bytes)
{
	static const char head[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	    "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
	char *data = calloc(1, bytes + 64);

	floor->greeting = malloc(sizeof(head) + events * (bytes + 64));
	if (data == NULL || floor->greeting == NULL)
		fail("no memory");
	memcpy(floor->greeting, head, sizeof(head) - 1);
	floor->greeting_len = sizeof(head) - 1;
	for (size_t i = 1; i <= events; i++) {
		int len = snprintf(data, 48, "@0 %zu 0 ", i);

		if ((size_t)len < bytes)
			memset(data + len, 'x', bytes - (size_t)len);
		floor->greeting_len += write_event(
		    floor->greeting + floor->greeting_len, data, bytes);
	}
	free(data);
}

static __attribute__((noreturn)) void
serve(struct floor *floor)
{
	struct epoll_event events[TURN_EVENTS];

	floor->groups = groups_create();
	floor->epoll = epoll_create1(EPOLL_CLOEXEC);
	floor->publisher = -1;
	if (floor->epoll == -1)
		fail("epoll");
	watch(floor, floor->listener);
	watch(floor, floor->door);
	for (;;) {
		int count = epoll_wait(floor->epoll, events, TURN_EVENTS, -1);

		if (count == -1 && errno != EINTR)
			fail("epoll");
		for (int i = 0; i < count; i++)
			act(floor, events[i].data.fd);
	}
}

int
main(int argc, char **argv)
{
	static struct floor floor;
	size_t port, workers;
	pid_t children[WORKERS_MAX];

	if (argc != 5 && argc != 7) {
		fprintf(stderr, "usage: see tests/bench/floor.c\n");
		return 64;
	}
	port = number_of(argv[1], 65535);
	workers = number_of(argv[3], WORKERS_MAX);
	floor.together = number_of(argv[4], 4096);
	make_greeting(&floor, argc == 7 ? number_of(argv[5], 100000) : 0,
	    argc == 7 ? number_of(argv[6], WRITE_BYTES) : 0);
	check_port(port);
	for (size_t i = 0; i < workers; i++) {
		floor.listener = listen_tcp(port);
		floor.door = listen_unix(argv[2], i);
		children[i] = fork();
		if (children[i] == -1)
			fail("fork");
		if (children[i] == 0) {
			if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
				fail("prctl");
			serve(&floor);
		}
		close(floor.listener);
		close(floor.door);
	}
	for (size_t i = 0; i < workers; i++)
		printf("%s%d", i == 0 ? "" : " ", (int)children[i]);
	printf("\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
	for (size_t i = 0; i < workers; i++)
		kill(children[i], SIGTERM);
	return 0;
}
