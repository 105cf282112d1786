/* feed: the loop of ssemux-pub. See feed.h. */
#include "publisher-cli/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "publisher-cli/exits.h"
#include "publisher-cli/output.h"
#include "publisher-cli/progress.h"
#include "publisher-cli/source.h"
#include "publisher-cli/words.h"

enum { NO_PERMISSION_MS = 1000 };

struct feed {
	const struct options *options;
	struct ssemux_pub *pub;
	struct source source;
	struct progress progress;
	struct ssemux_pub_event held; /* read, and not taken yet */
	bool is_held;
	bool must_read;    /* the source waits for input */
	bool input_over;   /* no more is read, for whatever reason */
	int exit_code;     /* of the first failure */
	uint64_t acked;    /* events */
	uint64_t skipped;  /* lines that were not published */
	uint64_t receipts; /* asked for, and not in yet */
	uint64_t lost;     /* given up */
	uint64_t first_lost_line;
	int64_t sign_ms; /* when the broker last gave a sign, or was not
			  * waited for */
};

static volatile sig_atomic_t signal_caught;

static void
catch_signal(int number)
{
	signal_caught = number;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return 0;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
note_exit(struct feed *feed, int exit_code)
{
	if (feed->exit_code == EX_OK)
		feed->exit_code = exit_code;
}

/* Something cannot be published: the end of the input, or of a line only. */
static void
note_bad(struct feed *feed, int exit_code)
{
	note_exit(feed, exit_code);
	feed->skipped++;
	if (!feed->options->skip_bad)
		feed->input_over = true;
}

static void
on_result(const struct ssemux_pub_result *result, void *context)
{
	struct feed *feed = context;
	uint64_t line = (uint64_t)(uintptr_t)result->ticket;

	feed->sign_ms = now_ms();
	switch (result->outcome) {
	case SSEMUX_PUB_ACKED:
		feed->acked++;
		feed->receipts += options_receipts(feed->options) != 0;
		output_print(feed->options, result);
		break;
	case SSEMUX_PUB_REFUSED:
		if (*result->field != '\0')
			output_complain(&feed->progress, line, "%s: %s",
			    result->field, result->text);
		else
			output_complain(
			    &feed->progress, line, "%s", result->text);
		note_bad(feed, exits_of_refusal(result->code));
		break;
	case SSEMUX_PUB_LOST:
		feed->lost++;
		if (feed->first_lost_line == 0)
			feed->first_lost_line = line;
		/* Only this event: the broker takes less than it did. */
		if (ssemux_pub_state(feed->pub) == SSEMUX_PUB_CONNECTED)
			note_bad(feed, exits_of_refusal(result->code));
		break;
	case SSEMUX_PUB_RECEIPT:
		feed->receipts--;
		output_print(feed->options, result);
		break;
	}
}

/* Gives the held event to the publisher. False when there is no room now. */
static bool
publish_held(struct feed *feed)
{
	uint64_t line = source_line(&feed->source);
	void *ticket = (void *)(uintptr_t)line;
	int failed;

	feed->held.ticket = ticket;
	if (feed->options->input == INPUT_RESYNC)
		failed =
		    ssemux_pub_resync(feed->pub, feed->held.channel, ticket);
	else
		failed = ssemux_pub_publish(feed->pub, &feed->held);
	if (failed != 0 && errno == EAGAIN)
		return false;
	feed->is_held = false;
	if (failed == 0)
		return true;
	if (ssemux_pub_state(feed->pub) == SSEMUX_PUB_FAILED)
		return false;
	if (errno == ENOMEM) {
		output_complain(&feed->progress, line, "no memory");
		note_exit(feed, EX_OSERR);
		feed->input_over = true;
		return false;
	}
	output_complain(&feed->progress, line, "%s%s%s",
	    ssemux_pub_error_field(feed->pub),
	    *ssemux_pub_error_field(feed->pub) != '\0' ? ": " : "",
	    ssemux_pub_error(feed->pub));
	note_bad(feed, EX_DATAERR);
	return true;
}

/* Gets the next event from the source. False when there is none now. */
static bool
hold_next(struct feed *feed)
{
	switch (source_next(
	    &feed->source, ssemux_pub_max_event(feed->pub), &feed->held)) {
	case SOURCE_EVENT:
		feed->is_held = true;
		return true;
	case SOURCE_BAD:
		output_complain(&feed->progress, source_line(&feed->source),
		    "%s", feed->source.error);
		note_bad(feed, EX_DATAERR);
		return true;
	case SOURCE_WAIT:
		feed->must_read = true;
		return false;
	case SOURCE_END:
		feed->input_over = true;
		return false;
	case SOURCE_BROKEN:
		output_complain(&feed->progress, 0, "%s", feed->source.error);
		note_exit(feed, feed->source.exit_code);
		feed->input_over = true;
		return false;
	}
	return false;
}

/* Publishes what the input has and the publisher takes. The broker is there
 * before anything is read: only it knows how long an event may be. */
static void
take_input(struct feed *feed)
{
	if (ssemux_pub_max_event(feed->pub) == 0)
		return;
	while (!feed->input_over && !feed->must_read) {
		if (!feed->is_held && !hold_next(feed))
			return;
		if (feed->is_held && !publish_held(feed))
			return;
	}
}

static bool
waits_for_broker(const struct feed *feed)
{
	return ssemux_pub_unacked(feed->pub) > 0 || feed->receipts > 0 ||
	       ssemux_pub_state(feed->pub) == SSEMUX_PUB_CONNECTING;
}

static bool
is_over(const struct feed *feed)
{
	return feed->input_over && ssemux_pub_unacked(feed->pub) == 0 &&
	       feed->receipts == 0;
}

/* A socket that we may not open will not open later: but right after its
 * start, the broker needs a moment to set its mode. */
static int
patience_ms(const struct feed *feed)
{
	int timeout_ms = feed->options->timeout_ms;

	if (ssemux_pub_state(feed->pub) == SSEMUX_PUB_CONNECTING &&
	    ssemux_pub_error_number(feed->pub) == EACCES &&
	    (timeout_ms == 0 || timeout_ms > NO_PERMISSION_MS))
		return NO_PERMISSION_MS;
	return timeout_ms;
}

static int64_t
ms_until_late(const struct feed *feed)
{
	int wait_ms = patience_ms(feed);

	if (wait_ms == 0 || !waits_for_broker(feed))
		return INT64_MAX;
	return feed->sign_ms + wait_ms - now_ms();
}

/* Waits until the input, the broker or the clock gives something to do. */
static void
wait_for_something(struct feed *feed)
{
	struct pollfd fds[2] = {
	    {.fd = ssemux_pub_fd(feed->pub), .events = POLLIN},
	    {.fd = -1, .events = POLLIN},
	};
	struct timespec wait;
	int64_t ms = ms_until_late(feed);
	int due_ms = ssemux_pub_timeout(feed->pub);
	sigset_t none;

	if (ssemux_pub_wants_write(feed->pub))
		fds[0].events |= POLLOUT;
	if (feed->must_read && !feed->input_over)
		fds[1].fd = source_fd(&feed->source);
	if (due_ms >= 0 && due_ms < ms)
		ms = due_ms;
	if (ms < 0)
		ms = 0;
	wait = (struct timespec){ms / 1000, ms % 1000 * 1000000};
	sigemptyset(&none);
	if (ppoll(fds, 2, ms == INT64_MAX ? NULL : &wait, &none) <= 0)
		return;
	if (fds[1].revents != 0) {
		feed->must_read = false;
		if (source_read(&feed->source) < 0) {
			output_complain(
			    &feed->progress, 0, "%s", feed->source.error);
			note_exit(feed, EX_IOERR);
			feed->input_over = true;
		}
	}
}

/* What was printed goes out with each batch of answers. */
static void
flush_output(struct feed *feed)
{
	if (output_flush() == 0)
		return;
	output_complain(
	    &feed->progress, 0, "standard output: %s", strerror(errno));
	note_exit(feed, EX_IOERR);
	feed->input_over = true;
}

static void
give_up(struct feed *feed)
{
	double seconds = patience_ms(feed) / 1000.0;

	if (ssemux_pub_state(feed->pub) == SSEMUX_PUB_CONNECTED)
		output_complain(&feed->progress, 0,
		    "the broker has acknowledged nothing for %g s", seconds);
	else
		output_complain(&feed->progress, 0, "no broker for %g s: %s",
		    seconds, ssemux_pub_error(feed->pub));
	note_exit(feed, exits_of_handle(feed->pub));
}

/* One turn; false when there is no use in another. */
static bool
turn(struct feed *feed)
{
	int failed;

	failed = ssemux_pub_dispatch(feed->pub);
	flush_output(feed);
	if (failed != 0) {
		output_complain(
		    &feed->progress, 0, "%s", ssemux_pub_error(feed->pub));
		note_exit(feed, exits_of_handle(feed->pub));
		return false;
	}
	/* Before new input: what is published now has waited no time yet. */
	if (!waits_for_broker(feed))
		feed->sign_ms = now_ms();
	take_input(feed);
	if (ms_until_late(feed) <= 0) {
		give_up(feed);
		return false;
	}
	progress_draw(
	    &feed->progress, feed->source.lines.taken, feed->acked, now_ms());
	return !is_over(feed) && signal_caught == 0;
}

static void
report_end(struct feed *feed)
{
	if (feed->options->skip_bad && feed->skipped > 0)
		output_complain(&feed->progress, 0,
		    "%" PRIu64 " line%s not published", feed->skipped,
		    feed->skipped == 1 ? " was" : "s were");
	if (feed->first_lost_line > 0)
		output_complain(&feed->progress, feed->first_lost_line,
		    "this and %" PRIu64 " more are not acknowledged",
		    feed->lost - 1);
	else if (feed->lost > 0)
		output_complain(
		    &feed->progress, 0, "the event is not acknowledged");
}

/* SIGINT and SIGTERM end the loop, and only while it waits in ppoll(). */
static void
prepare_signals(void)
{
	struct sigaction action = {.sa_handler = catch_signal};
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &held, NULL) < 0 ||
	    sigaction(SIGINT, &action, NULL) < 0 ||
	    sigaction(SIGTERM, &action, NULL) < 0)
		abort(); /* only a wrong argument can do that */
}

int
feed_run(const struct options *options)
{
	struct feed feed = {.options = options, .sign_ms = now_ms()};
	struct ssemux_pub_options pub_options = {
	    .size = sizeof(pub_options),
	    .socket = options->socket,
	    .on_result = on_result,
	    .context = &feed,
	};

	feed.exit_code = words_check(options);
	if (feed.exit_code != EX_OK)
		return feed.exit_code;
	feed.pub = ssemux_pub_open(&pub_options);
	if (feed.pub == NULL) {
		output_complain(&feed.progress, 0, "%s: %s", options->socket,
		    strerror(errno));
		return exits_of_errno(errno);
	}
	prepare_signals();
	source_init(&feed.source, options);
	if (!feed.source.is_single)
		progress_init(&feed.progress, source_fd(&feed.source),
		    options->print_cursors || options_receipts(options) != 0
			? PROGRESS_WITH_OUTPUT
			: PROGRESS_ALONE,
		    now_ms());
	while (turn(&feed))
		wait_for_something(&feed);
	progress_finish(
	    &feed.progress, feed.source.lines.taken, feed.acked, now_ms());
	(void)ssemux_pub_close(feed.pub); /* on_result() counts what is lost */
	report_end(&feed);
	source_finish(&feed.source);
	return signal_caught != 0 ? -signal_caught : feed.exit_code;
}
