/*
 * steady: a service that publishes without end, for tests that kill things.
 *
 *	steady SOCKET CHANNEL send|loop PER_SECOND
 *
 * Publishes the events "1", "2", ... at that pace until its standard input
 * ends, then waits until all are acknowledged. `send` uses the blocking call,
 * `loop` a poll loop with many events on their way. Each result is a line
 * "NUMBER CURSOR DUPLICATE" or "NUMBER refused|lost CODE", as it comes.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ssemux/pub.h>

struct steady {
	struct ssemux_pub *pub;
	const char *channel;
	uintptr_t given;
	uint64_t start_ms;
	uint64_t per_second;
};

static uint64_t
now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) == -1)
		abort();
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
print_result(const struct ssemux_pub_result *result, void *context)
{
	uintptr_t number = (uintptr_t)result->ticket;

	(void)context;
	if (result->outcome == SSEMUX_PUB_ACKED)
		printf("%" PRIuPTR " %s %d\n", number, result->cursor,
		    result->duplicate);
	else
		printf("%" PRIuPTR " %s %s\n", number,
		    result->outcome == SSEMUX_PUB_LOST ? "lost" : "refused",
		    result->code);
	fflush(stdout);
}

/* How many events are due by now. */
static uint64_t
due(const struct steady *steady)
{
	return (now_ms() - steady->start_ms) * steady->per_second / 1000;
}

static struct ssemux_pub_event
next_event(struct steady *steady, char text[24])
{
	int len = snprintf(text, 24, "%" PRIuPTR, steady->given + 1);

	return (struct ssemux_pub_event){
	    .size = sizeof(struct ssemux_pub_event),
	    .channel = steady->channel,
	    .data = text,
	    .data_bytes = (size_t)len,
	    .ticket = (void *)(steady->given + 1),
	};
}

/* False when the input has ended; waits up to timeout_ms for anything. */
static bool
wait_input(struct steady *steady, int timeout_ms)
{
	struct pollfd polled[2] = {
	    {.fd = 0, .events = POLLIN},
	    {.fd = ssemux_pub_fd(steady->pub),
		.events = (short)(POLLIN |
				  (ssemux_pub_wants_write(steady->pub) ? POLLOUT
								       : 0))},
	};
	int own_ms = ssemux_pub_timeout(steady->pub);
	char bytes[64];

	if (own_ms >= 0 && own_ms < timeout_ms)
		timeout_ms = own_ms;
	if (poll(polled, 2, timeout_ms) == -1 && errno != EINTR)
		abort();
	if (polled[0].revents == 0)
		return true;
	return fgets(bytes, sizeof(bytes), stdin) != NULL;
}

static int
run_loop(struct steady *steady)
{
	char text[24];

	while (wait_input(steady, 5)) {
		while (steady->given < due(steady)) {
			struct ssemux_pub_event event =
			    next_event(steady, text);

			if (ssemux_pub_publish(steady->pub, &event) == -1) {
				if (errno == EAGAIN)
					break;
				return -1;
			}
			steady->given++;
		}
		if (ssemux_pub_dispatch(steady->pub) == -1)
			return -1;
	}
	return ssemux_pub_flush(steady->pub, 60000);
}

static int
run_send(struct steady *steady)
{
	char text[24], cursor[SSEMUX_PUB_CURSOR_SIZE];

	while (wait_input(steady, 5)) {
		while (steady->given < due(steady)) {
			struct ssemux_pub_event event =
			    next_event(steady, text);

			if (ssemux_pub_send(
				steady->pub, &event, 60000, cursor) == -1)
				return -1;
			steady->given++;
			printf("%" PRIuPTR " %s 0\n", steady->given, cursor);
			fflush(stdout);
		}
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct steady steady = {.start_ms = now_ms()};
	struct ssemux_pub_options options = {
	    .size = sizeof(options),
	    .on_result = print_result,
	};
	int result;

	if (argc != 5)
		return 64;
	options.socket = argv[1];
	steady.channel = argv[2];
	steady.per_second = strtoull(argv[4], NULL, 10);
	steady.pub = ssemux_pub_open(&options);
	if (steady.pub == NULL) {
		perror("steady");
		return 1;
	}
	result = strcmp(argv[3], "send") == 0 ? run_send(&steady)
					      : run_loop(&steady);
	if (result != 0)
		fprintf(stderr, "steady: %s\n", ssemux_pub_error(steady.pub));
	return ssemux_pub_close(steady.pub) != 0 || result != 0;
}
