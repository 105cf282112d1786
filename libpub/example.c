/*
 * example: both ways to use libssemux-pub.
 *
 *	cc example.c $(pkg-config --cflags --libs ssemux-pub) -o example
 *	./example send /run/ssemux/pub.sock
 *	./example loop /run/ssemux/pub.sock
 *
 * send	the simple way: each call returns when its event is stored.
 * loop	the way of a service with a loop of its own: many events are on their
 *	way at once, and nothing waits but poll().
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ssemux/pub.h>

enum { EVENTS = 10000, PATIENCE_MS = 5000 };

static struct ssemux_pub_event
order_updated(const char *json)
{
	return (struct ssemux_pub_event){
	    .size = sizeof(struct ssemux_pub_event),
	    .channel = "orders",
	    .type = "order.updated",
	    .key = "ord_42",
	    .data = json,
	    .data_bytes = strlen(json),
	    .data_is = SSEMUX_PUB_JSON,
	};
}

static int
complain(const struct ssemux_pub *pub)
{
	fprintf(stderr, "example: %s\n", ssemux_pub_error(pub));
	return -1;
}

static int
use_send(struct ssemux_pub *pub)
{
	struct ssemux_pub_event event =
	    order_updated("{\"status\":\"shipped\"}");
	char cursor[SSEMUX_PUB_CURSOR_SIZE];

	if (ssemux_pub_send(pub, &event, PATIENCE_MS, cursor) < 0)
		return complain(pub);
	printf("stored at %s\n", cursor);
	return 0;
}

/* What the loop counts. */
struct counts {
	int acked;
	int not_acked;
};

static void
on_result(const struct ssemux_pub_result *result, void *context)
{
	struct counts *counts = context;

	switch (result->outcome) {
	case SSEMUX_PUB_ACKED:
		counts->acked++;
		break;
	case SSEMUX_PUB_REFUSED:
	case SSEMUX_PUB_LOST:
		counts->not_acked++;
		fprintf(stderr, "example: event %d: %s\n",
		    (int)(intptr_t)result->ticket, result->text);
		break;
	case SSEMUX_PUB_RECEIPT:
		break;
	}
}

/* Publishes what there is room for. Returns how many events have been given
 * by now, or -1. */
static int
publish_some(struct ssemux_pub *pub, int given)
{
	for (; given < EVENTS; given++) {
		char json[64];
		struct ssemux_pub_event event;

		snprintf(json, sizeof(json), "{\"count\":%d}", given);
		event = order_updated(json);
		event.ticket = (void *)(intptr_t)given;
		if (ssemux_pub_publish(pub, &event) == 0)
			continue;
		/* No room: go on when some have been acknowledged. */
		return errno == EAGAIN ? given : complain(pub);
	}
	return given;
}

static int
use_loop(struct ssemux_pub *pub, const struct counts *counts)
{
	int given = 0;

	while (counts->acked + counts->not_acked < EVENTS) {
		struct pollfd fd;

		given = publish_some(pub, given);
		if (given < 0)
			return -1;
		/* Your own descriptors would stand beside this one. */
		fd.fd = ssemux_pub_fd(pub);
		fd.events = POLLIN;
		if (ssemux_pub_wants_write(pub))
			fd.events |= POLLOUT;
		if (poll(&fd, 1, ssemux_pub_timeout(pub)) < 0 && errno != EINTR)
			return -1;
		if (ssemux_pub_dispatch(pub) < 0)
			return complain(pub);
	}
	printf("%d events stored\n", counts->acked);
	return counts->not_acked == 0 ? 0 : -1;
}

int
main(int argc, char *argv[])
{
	struct counts counts = {0};
	struct ssemux_pub_options options = {
	    .size = sizeof(options),
	    .socket = argc > 2 ? argv[2] : NULL,
	    .on_result = on_result,
	    .context = &counts,
	};
	struct ssemux_pub *pub;
	long lost;
	int failed;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: example send|loop [SOCKET]\n");
		return EXIT_FAILURE;
	}
	pub = ssemux_pub_open(&options);
	if (pub == NULL) {
		perror("example: ssemux_pub_open");
		return EXIT_FAILURE;
	}
	failed = strcmp(argv[1], "send") == 0 ? use_send(pub)
					      : use_loop(pub, &counts);
	lost = ssemux_pub_close(pub);
	if (lost > 0)
		fprintf(stderr, "example: %ld events are lost\n", lost);
	return failed == 0 && lost == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
