/* streams: many event streams in one loop. See streams.h. */
#include "tests/bench/streams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/answer.h"

enum {
	LINE_START = 40, /* bytes kept of a line: its field and number */
	READ_BYTES = 1 << 18,
	TURN_EVENTS = 256,
	REQUEST_BYTES = 16384,
};

struct stream {
	int fd;
	struct streams *streams; /* that it is one of */
	struct answer answer;
	char line[LINE_START];
	size_t line_len;
	uint64_t number; /* of the last event */
	bool live;
};

struct streams {
	int epoll;
	size_t count;
	size_t live;
	size_t there; /* streams that have received the awaited number */
	uint64_t awaited;
	struct streams_counts counts;
	struct stream *all;
	const char *query;
	void (*on_number)(uint64_t number, void *context);
	void *context;
};

static __attribute__((noreturn)) void
fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
connect_stream(struct streams *streams, struct stream *stream, uint64_t port)
{
	char request[REQUEST_BYTES];
	int len = snprintf(request, sizeof(request),
	    "GET /stream?%s&format=raw HTTP/1.1\r\n"
	    "Host: localhost\r\nAccept: text/event-stream\r\n\r\n",
	    streams->query);
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};

	stream->streams = streams;
	stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (stream->fd == -1 || connect(stream->fd, (struct sockaddr *)&address,
				    sizeof(address)) == -1)
		fail("cannot connect");
	if (len < 0 || (size_t)len >= sizeof(request) ||
	    send(stream->fd, request, (size_t)len, 0) != len)
		fail("cannot send");
	if (fcntl(stream->fd, F_SETFL, O_NONBLOCK) == -1 ||
	    epoll_ctl(streams->epoll, EPOLL_CTL_ADD, stream->fd, &event) == -1)
		fail("cannot watch");
}

struct streams *
streams_open(uint64_t port, size_t count, const char *query)
{
	struct streams *streams = calloc(1, sizeof(*streams));

	if (streams == NULL)
		fail("no memory");
	streams->count = count;
	streams->query = query;
	streams->awaited = UINT64_MAX;
	streams->epoll = epoll_create1(EPOLL_CLOEXEC);
	streams->all = calloc(count, sizeof(*streams->all));
	if (streams->all == NULL || streams->epoll == -1)
		fail("no memory");
	for (size_t i = 0; i < count; i++)
		connect_stream(streams, &streams->all[i], port);
	return streams;
}

static void
take_number(struct streams *streams, struct stream *stream, uint64_t number)
{
	struct streams_counts *counts = &streams->counts;

	counts->events++;
	if (number > stream->number + 1)
		counts->missing += number - stream->number - 1;
	else if (number == stream->number)
		counts->doubled++;
	else if (number < stream->number)
		counts->disordered++;
	stream->number = number;
	if (streams->on_number != NULL)
		streams->on_number(number, streams->context);
	if (number == streams->awaited)
		streams->there++;
}

static void
take_line(struct streams *streams, struct stream *stream)
{
	static const char live[] = "event: live", data[] = "data: ";
	const char *line = stream->line;
	size_t len = stream->line_len;

	if (len == sizeof(live) - 1 && memcmp(line, live, len) == 0) {
		streams->live += !stream->live;
		stream->live = true;
	} else if (len > sizeof(data) && memcmp(line, data, 6) == 0 &&
		   line[6] >= '0' && line[6] <= '9') {
		char digits[LINE_START + 1];

		memcpy(digits, line + 6, len - 6);
		digits[len - 6] = '\0';
		take_number(streams, stream, strtoull(digits, NULL, 10));
	}
	stream->line_len = 0;
}

/* Bytes of the body: keeps the start of each line, acts at its end. */
static void
take_body(const char *bytes, size_t len, void *context)
{
	struct stream *stream = context;

	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t part = end == NULL ? len : (size_t)(end - bytes);
		size_t room = LINE_START - stream->line_len;
		size_t kept = part < room ? part : room;

		memcpy(stream->line + stream->line_len, bytes, kept);
		stream->line_len += kept;
		if (end == NULL)
			return;
		take_line(stream->streams, stream);
		bytes += part + 1;
		len -= part + 1;
	}
}

void
streams_watch(struct streams *streams,
    void (*on_number)(uint64_t number, void *context), void *context)
{
	streams->on_number = on_number;
	streams->context = context;
}

int
streams_fd(const struct streams *streams)
{
	return streams->epoll;
}

void
streams_read(struct streams *streams, int timeout_ms)
{
	static char bytes[READ_BYTES];
	struct epoll_event events[TURN_EVENTS];
	int count = epoll_wait(streams->epoll, events, TURN_EVENTS, timeout_ms);

	if (count == -1 && errno != EINTR)
		fail("waiting for events");
	for (int i = 0; i < count; i++) {
		struct stream *stream = events[i].data.ptr;
		ssize_t len = read(stream->fd, bytes, sizeof(bytes));

		if (len > 0)
			answer_take(&stream->answer, bytes, (size_t)len,
			    take_body, stream);
		else if (len == 0 || errno != EAGAIN)
			fail("a stream has ended");
	}
}

static void
turn(struct streams *streams)
{
	struct pollfd polled = {.fd = streams->epoll, .events = POLLIN};

	if (poll(&polled, 1, 120000) == 0) {
		errno = ETIMEDOUT;
		fail("waiting for events");
	}
	streams_read(streams, 0);
}

void
streams_wait_live(struct streams *streams)
{
	while (streams->live < streams->count)
		turn(streams);
}

void
streams_wait_number(struct streams *streams, uint64_t number)
{
	streams->awaited = number;
	streams->there = 0;
	for (size_t i = 0; i < streams->count; i++)
		streams->there += streams->all[i].number >= number;
	while (streams->there < streams->count)
		turn(streams);
}

struct streams_counts
streams_counts(const struct streams *streams)
{
	return streams->counts;
}
