/*
 * command: what withdraws channels from users, and gives them back; and the
 * broker's end. See <ssemux/pub.h>.
 *
 * A command is asked anew after a lost connection, until it is answered: done
 * twice, it is the same as done once, later. Only a drain is not, see
 * lose_command().
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "libpub/failure.h"
#include "libpub/session.h"
#include "libpub/wait.h"

static struct slice
slice_of_optional(const char *text, size_t max)
{
	if (text == NULL)
		return slice_of(NULL, 0);
	return slice_of(text, strnlen(text, max + 1));
}

/* Checks the command and copies it. 0; or -1 with errno. */
static int
want_command(struct ssemux_pub *pub, const struct message *message)
{
	struct fault fault = message_check_command(message);
	struct command *command = &pub->command;

	if (fault.refusal != REFUSAL_NONE)
		return failure_set_fault(&pub->failure, EINVAL, &fault);
	command->state = COMMAND_WANTED;
	command->id++;
	command->what = message->command;
	command->user_len = message->user.len;
	if (message->user.len > 0)
		memcpy(command->user, message->user.bytes, message->user.len);
	command->pattern_len = message->pattern.len;
	if (message->pattern.len > 0)
		memcpy(command->pattern, message->pattern.bytes,
		    message->pattern.len);
	return 0;
}

/* Its answer names who has not answered. */
static bool
is_question(enum message_command command)
{
	return command == MESSAGE_TRACE || command == MESSAGE_EXPLAIN;
}

static long
settle_command(struct ssemux_pub *pub, enum wait_step step)
{
	struct command *command = &pub->command;
	enum command_state state = command->state;

	command->state = COMMAND_NONE;
	if (state == COMMAND_FAILED) {
		pub->failure = command->failure;
		errno = pub->failure.number;
		return -1;
	}
	if (state != COMMAND_DONE)
		return step == WAIT_FAILED
			   ? -1
			   : wait_fail_late(pub, ETIMEDOUT, "no answer");
	if (command->late > 0 && !is_question(command->what))
		return failure_set(&pub->failure, EINPROGRESS,
		    "stored, but not in force everywhere yet: workers that "
		    "have not answered: %" PRIu64,
		    command->late);
	return command->count > LONG_MAX ? LONG_MAX : (long)command->count;
}

static long
run_command(struct ssemux_pub *pub, struct message *message, int timeout_ms)
{
	int64_t deadline_ms = wait_deadline(timeout_ms);
	enum wait_step step = WAIT_DONE;

	if (wait_allowed(pub) < 0 || want_command(pub, message) < 0)
		return -1;
	if (session_turn(pub) < 0)
		step = WAIT_FAILED;
	while (step == WAIT_DONE && pub->command.state < COMMAND_DONE)
		step = wait_step(pub, deadline_ms);
	return settle_command(pub, step);
}

long
ssemux_pub_kick(struct ssemux_pub *pub, const char *user, int timeout_ms)
{
	struct message message = {
	    .command = MESSAGE_KICK,
	    .user = slice_of_optional(user, MESSAGE_USER_MAX),
	};

	return run_command(pub, &message, timeout_ms);
}

long
ssemux_pub_revoke(struct ssemux_pub *pub, const char *user,
    const char *channels, int timeout_ms)
{
	struct message message = {
	    .command = MESSAGE_REVOKE,
	    .user = slice_of_optional(user, MESSAGE_USER_MAX),
	    .pattern = slice_of_optional(channels, EVENT_CHANNEL_MAX + 1),
	};

	return run_command(pub, &message, timeout_ms);
}

long
ssemux_pub_restore(struct ssemux_pub *pub, const char *user,
    const char *channels, int timeout_ms)
{
	struct message message = {
	    .command = MESSAGE_RESTORE,
	    .user = slice_of_optional(user, MESSAGE_USER_MAX),
	    .pattern = slice_of_optional(channels, EVENT_CHANNEL_MAX + 1),
	};

	if (channels != NULL && message.pattern.len == 0)
		message.pattern = slice_of_text(" "); /* it names none */
	return run_command(pub, &message, timeout_ms);
}

/* Asks, and returns what is said. */
static const char *
run_question(struct ssemux_pub *pub, struct message *message,
    const char *cursor, int timeout_ms)
{
	message->pattern = slice_of_optional(cursor, EVENT_CHANNEL_MAX);
	if (run_command(pub, message, timeout_ms) < 0)
		return NULL;
	if (!buf_failed(&pub->report))
		return buf_bytes(&pub->report);
	failure_set(&pub->failure, ENOMEM, "no memory for the answer");
	return NULL;
}

const char *
ssemux_pub_trace(struct ssemux_pub *pub, const char *cursor, int timeout_ms)
{
	struct message message = {.command = MESSAGE_TRACE};

	return run_question(pub, &message, cursor, timeout_ms);
}

const char *
ssemux_pub_explain(struct ssemux_pub *pub, const char *user, const char *cursor,
    int timeout_ms)
{
	struct message message = {
	    .command = MESSAGE_EXPLAIN,
	    .user = slice_of_optional(user, MESSAGE_USER_MAX),
	};

	return run_question(pub, &message, cursor, timeout_ms);
}

long
ssemux_pub_drain(struct ssemux_pub *pub, int timeout_ms)
{
	struct message message = {.command = MESSAGE_DRAIN};

	return run_command(pub, &message, timeout_ms);
}
