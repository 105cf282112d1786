/* pub: opening, closing and looking at a publisher. See <ssemux/pub.h>. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "libpub/failure.h"
#include "libpub/handle.h"
#include "libpub/result.h"
#include "libpub/session.h"
#include "libpub/sized.h"

enum {
	DEFAULT_MAX_EVENTS = MESSAGE_WINDOW,
	DEFAULT_MAX_BYTES = 16 * 1024 * 1024,
	DEFAULT_RETRY_MIN_MS = 50,
	DEFAULT_RETRY_MAX_MS = 2000,
	RANDOM_ID_BYTES = 16,
};

_Static_assert((int)SSEMUX_PUB_CURSOR_SIZE == (int)CURSOR_ID_TEXT_SIZE,
    "the header promises room for a cursor");

int64_t
handle_now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return 0; /* cannot be: Linux always has this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The caller's options with the defaults filled in. 0, or -1 with errno. */
static int
settle_options(
    struct ssemux_pub_options *options, const struct ssemux_pub_options *given)
{
	*options = (struct ssemux_pub_options){.size = sizeof(*options)};
	if (given != NULL &&
	    sized_copy(options, sizeof(*options), given, given->size) < 0)
		return -1;
	if (options->socket == NULL)
		options->socket = SSEMUX_PUB_SOCKET;
	if (options->max_events == 0)
		options->max_events = DEFAULT_MAX_EVENTS;
	if (options->max_bytes == 0)
		options->max_bytes = DEFAULT_MAX_BYTES;
	if (options->retry_min_ms == 0)
		options->retry_min_ms = DEFAULT_RETRY_MIN_MS;
	if (options->retry_max_ms == 0)
		options->retry_max_ms =
		    options->retry_min_ms > DEFAULT_RETRY_MAX_MS
			? options->retry_min_ms
			: DEFAULT_RETRY_MAX_MS;
	if (options->retry_min_ms > options->retry_max_ms ||
	    options->retry_max_ms > INT_MAX ||
	    (options->id != NULL &&
		!message_publisher_valid(slice_of_text(options->id)))) {
		errno = EINVAL;
		return -1;
	}
	if (strlen(options->socket) > CONN_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* 0, or -1 with errno. */
static int
get_random(void *bytes, size_t len)
{
	ssize_t got;

	do {
		got = getrandom(bytes, len, 0);
	} while (got < 0 && errno == EINTR);
	/* So few bytes come whole, or not at all: getrandom(2). */
	return got == (ssize_t)len ? 0 : -1;
}

static int
choose_id(struct ssemux_pub *pub, const char *given)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[RANDOM_ID_BYTES];

	if (given != NULL) {
		memcpy(pub->id, given, strlen(given) + 1);
		return 0;
	}
	if (get_random(bytes, sizeof(bytes)) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		pub->id[2 * i] = digits[bytes[i] >> 4];
		pub->id[2 * i + 1] = digits[bytes[i] & 15];
	}
	pub->id[sizeof(bytes) * 2] = '\0';
	return 0;
}

static void
handle_destroy(struct ssemux_pub *pub)
{
	conn_finish(&pub->conn);
	queue_finish(&pub->queue);
	buf_finish(&pub->report);
	message_reader_destroy(pub->reader);
	free(pub);
}

struct ssemux_pub *
ssemux_pub_open(const struct ssemux_pub_options *given)
{
	struct ssemux_pub_options options;
	struct ssemux_pub *pub;
	uint64_t seed;

	if (settle_options(&options, given) < 0 ||
	    get_random(&seed, sizeof(seed)) < 0)
		return NULL;
	pub = calloc(1, sizeof(*pub));
	if (pub == NULL)
		return NULL;
	conn_init(&pub->conn);
	queue_init(&pub->queue, options.max_events, options.max_bytes);
	backoff_init(
	    &pub->backoff, options.retry_min_ms, options.retry_max_ms, seed);
	buf_init(&pub->report, 0);
	memcpy(pub->socket, options.socket, strlen(options.socket) + 1);
	pub->on_result = options.on_result;
	pub->context = options.context;
	pub->reader = message_reader_create();
	if (pub->reader == NULL || choose_id(pub, options.id) < 0) {
		handle_destroy(pub);
		return NULL;
	}
	return pub;
}

long
ssemux_pub_close(struct ssemux_pub *pub)
{
	size_t lost;

	if (pub == NULL)
		return 0;
	if (pub->telling)
		return failure_set(&pub->failure, EDEADLK,
		    "cannot close inside the result function");
	session_end(pub);
	lost = pub->queue.unacked_events;
	if (pub->state != SSEMUX_PUB_FAILED)
		failure_set(&pub->failure, ECANCELED,
		    "the publisher was closed before it was acknowledged");
	session_fail(pub);
	handle_destroy(pub);
	return lost > LONG_MAX ? LONG_MAX : (long)lost;
}

int
ssemux_pub_fd(const struct ssemux_pub *pub)
{
	return pub != NULL ? pub->conn.fd : -1;
}

int
ssemux_pub_wants_write(const struct ssemux_pub *pub)
{
	return pub != NULL && session_wants_write(pub);
}

int
ssemux_pub_timeout(const struct ssemux_pub *pub)
{
	return pub != NULL ? session_due_in_ms(pub) : -1;
}

enum ssemux_pub_state
ssemux_pub_state(const struct ssemux_pub *pub)
{
	return pub != NULL ? pub->state : SSEMUX_PUB_FAILED;
}

size_t
ssemux_pub_unacked(const struct ssemux_pub *pub)
{
	return pub != NULL ? pub->queue.unacked_events : 0;
}

size_t
ssemux_pub_max_event(const struct ssemux_pub *pub)
{
	return pub != NULL ? pub->max_event : 0;
}

const char *
ssemux_pub_error(const struct ssemux_pub *pub)
{
	return pub != NULL ? pub->failure.text : "no publisher was given";
}

const char *
ssemux_pub_error_code(const struct ssemux_pub *pub)
{
	return pub != NULL ? pub->failure.code : "";
}

const char *
ssemux_pub_error_field(const struct ssemux_pub *pub)
{
	return pub != NULL ? pub->failure.field : "";
}

int
ssemux_pub_error_number(const struct ssemux_pub *pub)
{
	return pub != NULL ? pub->failure.number : EINVAL;
}
