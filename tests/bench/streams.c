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
#include "tests/bench/sse_parser.h"
#include "tests/bench/tally.h"

enum {
	READ_BYTES = 1 << 18,
	TURN_EVENTS = 256,
	REQUEST_BYTES = 16384,
};

struct stream {
	int fd;
	struct streams *streams; /* that it is one of */
	struct answer answer;
	struct sse_parser parser;
	struct tally_slot slot;
	bool live;
};

struct streams {
	int epoll;
	size_t count;
	size_t live;
	size_t there; /* streams that have received the awaited number */
	uint64_t awaited;
	struct tally tally;
	struct stream *all;
	const char *query;
	void (*on_number)(uint64_t number, void *context);
	void *context;
};

static __attribute__((noreturn)) void
fail(const char *what)
{
	if (errno != 0)
		fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	else
		fprintf(stderr, "load: %s\n", what);
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

void
streams_close(struct streams *streams)
{
	for (size_t i = 0; i < streams->count; i++)
		close(streams->all[i].fd);
	close(streams->epoll);
	free(streams->all);
	free(streams);
}

static void
take_number(struct streams *streams, struct stream *stream, uint64_t number)
{
	bool was_there = stream->slot.last >= streams->awaited;

	tally_take(&streams->tally, &stream->slot, number);
	if (streams->on_number != NULL)
		streams->on_number(number, streams->context);
	if (!was_there && stream->slot.last >= streams->awaited)
		streams->there++;
}

static void
take_event(const char *type, const char *data, void *context)
{
	struct stream *stream = context;
	struct streams *streams = stream->streams;

	if (strcmp(type, "live") == 0) {
		streams->live += !stream->live;
		stream->live = true;
	} else if (*data >= '0' && *data <= '9') {
		take_number(streams, stream, strtoull(data, NULL, 10));
	}
}

static void
take_body(const char *bytes, size_t len, void *context)
{
	struct stream *stream = context;

	sse_parser_take(&stream->parser, bytes, len, take_event, stream);
}

static void
read_stream(struct stream *stream)
{
	static char bytes[READ_BYTES];
	struct answer *answer = &stream->answer;
	ssize_t len = read(stream->fd, bytes, sizeof(bytes));

	if (len == -1 && errno == EAGAIN)
		return;
	errno = len == -1 ? errno : 0;
	if (len <= 0)
		fail("a stream has ended");
	answer_take(answer, bytes, (size_t)len, take_body, stream);
	if (answer->place != ANSWER_HEAD &&
	    (answer->status != 200 || answer->place == ANSWER_ENDED ||
		answer->place == ANSWER_BROKEN))
		fail("a stream is answered with something else");
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
	struct epoll_event events[TURN_EVENTS];
	int count = epoll_wait(streams->epoll, events, TURN_EVENTS, timeout_ms);

	if (count == -1 && errno != EINTR)
		fail("waiting for events");
	for (int i = 0; i < count; i++)
		read_stream(events[i].data.ptr);
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
		streams->there += streams->all[i].slot.last >= number;
	while (streams->there < streams->count)
		turn(streams);
}

struct streams_counts
streams_counts(const struct streams *streams)
{
	const struct tally *tally = &streams->tally;

	return (struct streams_counts){
	    .events = tally->events,
	    .missing = tally->missing,
	    .doubled = tally->doubled,
	    .disordered = tally->swapped,
	};
}
