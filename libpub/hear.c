/*
 * hear: the broker's messages. See hear.h.
 *
 * The broker is trusted to tell the truth, but not to be a broker: a wrong
 * program behind the socket must not do more harm than a broken connection.
 */
#include "libpub/hear.h"

#include <errno.h>
#include <stdio.h>

#include "libpub/failure.h"
#include "libpub/result.h"
#include "libpub/session.h"

/* What it said makes no sense here. */
static bool
drop_nonsense(struct ssemux_pub *pub, const char *what)
{
	failure_set(&pub->failure, EPROTO, "not understood from %s: %s",
	    pub->socket, what);
	session_drop(pub);
	return false;
}

static bool
fail_by_fault(struct ssemux_pub *pub, enum refusal refusal)
{
	struct fault fault = {refusal, NULL};

	failure_set_fault(&pub->failure, EPROTO, &fault);
	session_fail(pub);
	return false;
}

static bool
hear_welcome(struct ssemux_pub *pub, const struct message *message)
{
	if (pub->welcomed_ms > 0)
		return drop_nonsense(pub, "a second greeting");
	if (message->version != MESSAGE_VERSION)
		return fail_by_fault(pub, REFUSAL_VERSION);
	/*
	 * Numbers that we did not give: before our first connection, those of
	 * an earlier process with this id. Later, another process publishes
	 * under it now, and acks could not be believed any more.
	 */
	if (pub->state == SSEMUX_PUB_CONNECTING)
		pub->last_seq = message->last_seq;
	else if (message->last_seq > pub->last_seq)
		return fail_by_fault(pub, REFUSAL_REPLACED);
	pub->max_event = message->max_event;
	pub->window = message->window > 0 ? message->window : 1;
	pub->welcomed_ms = handle_now_ms();
	pub->state = SSEMUX_PUB_CONNECTED;
	return true;
}

/* Is this about the event that has waited longest? Answers come in order. */
static bool
is_about_front(const struct ssemux_pub *pub, const struct message *message)
{
	const struct entry *front = queue_front_sent(&pub->queue);

	return front != NULL && front->seq == message->seq;
}

static bool
hear_ack(struct ssemux_pub *pub, const struct message *message)
{
	if (!is_about_front(pub, message))
		return drop_nonsense(pub, "an ack out of order");
	backoff_reset(&pub->backoff);
	result_tell_acked(pub, message);
	result_tell_own_refusals(pub);
	result_tell_receipts(pub);
	return true;
}

/* An error that ends the connection. */
static bool
hear_final_error(struct ssemux_pub *pub, const struct message *message)
{
	enum refusal refusal = refusal_of_code(message->code);

	failure_set_words(&pub->failure,
	    refusal == REFUSAL_NOT_ALLOWED ? EACCES : EPROTO, message->code,
	    message->field, message->text);
	/* A code we do not know comes from a later version: take it for
	 * final, rather than try the same for ever. */
	if (refusal != REFUSAL_NONE && refusal_is_temporary(refusal))
		session_drop(pub);
	else
		session_fail(pub);
	return false;
}

/* Of many channels, the caller wants to know which. */
static void
name_channel(const struct ssemux_pub *pub, struct failure *failure)
{
	size_t len = strlen(failure->text);
	struct message message;

	entry_message(queue_front_sent(&pub->queue), &message);
	(void)snprintf(failure->text + len, sizeof(failure->text) - len,
	    ": %.*s", (int)message.event.channel.len,
	    message.event.channel.bytes);
}

static bool
hear_error(struct ssemux_pub *pub, const struct message *message)
{
	struct failure failure;

	if (message->seq == 0)
		return hear_final_error(pub, message);
	if (!is_about_front(pub, message))
		return drop_nonsense(pub, "an error out of order");
	backoff_reset(&pub->backoff);
	failure_set_words(&failure,
	    failure_number_of(refusal_of_code(message->code)), message->code,
	    message->field, message->text);
	if (failure.number == EACCES)
		name_channel(pub, &failure);
	result_tell_refused(pub, &failure);
	result_tell_own_refusals(pub);
	return true;
}

static void
keep_report(struct ssemux_pub *pub, const struct message *message)
{
	buf_clear(&pub->report);
	buf_append(&pub->report, message->text.bytes, message->text.len);
	buf_append_char(&pub->report, '\0');
}

static bool
hear_report(struct ssemux_pub *pub, const struct message *message)
{
	if (pub->report_state != REPORT_ASKED)
		return drop_nonsense(pub, "a report nobody asked for");
	keep_report(pub, message);
	pub->report_state = REPORT_HERE;
	return true;
}

/* DONE or FAILED. One that is not waited for any more is of no interest. */
static bool
hear_command(struct ssemux_pub *pub, const struct message *message)
{
	struct command *command = &pub->command;
	enum refusal refusal = refusal_of_code(message->code);

	if (message->id > command->id)
		return drop_nonsense(pub, "an answer nobody asked for");
	if (message->id < command->id || command->state != COMMAND_ASKED)
		return true;
	backoff_reset(&pub->backoff);
	if (message->type == MESSAGE_DONE) {
		command->state = COMMAND_DONE;
		command->count = message->count;
		command->late = message->late;
		keep_report(pub, message);
		return true;
	}
	command->state = COMMAND_FAILED;
	failure_set_words(&command->failure,
	    refusal != REFUSAL_NONE && refusal_is_temporary(refusal)
		? EAGAIN
		: failure_number_of(refusal),
	    message->code, message->field, message->text);
	return true;
}

static bool
hear_message(struct ssemux_pub *pub, const struct message *message)
{
	bool greeting = message->type == MESSAGE_WELCOME ||
			(message->type == MESSAGE_ERROR && message->seq == 0);

	if (pub->welcomed_ms == 0 && !greeting)
		return drop_nonsense(pub, "no greeting");
	switch (message->type) {
	case MESSAGE_WELCOME:
		return hear_welcome(pub, message);
	case MESSAGE_ACK:
		return hear_ack(pub, message);
	case MESSAGE_ERROR:
		return hear_error(pub, message);
	case MESSAGE_RECEIPT:
		queue_note_receipt(&pub->queue, message);
		result_tell_receipts(pub);
		return true;
	case MESSAGE_REPORT:
		return hear_report(pub, message);
	case MESSAGE_DONE:
	case MESSAGE_FAILED:
		return hear_command(pub, message);
	case MESSAGE_HELLO:
	case MESSAGE_PUBLISH:
	case MESSAGE_RESYNC:
	case MESSAGE_BYE:
	case MESSAGE_STATUS:
	case MESSAGE_COMMAND:
	case MESSAGE_AS:
	case MESSAGE_ASK:
	case MESSAGE_ANSWER:
		break;
	}
	return drop_nonsense(pub, "a publisher's message");
}

bool
hear_messages(struct ssemux_pub *pub)
{
	for (;;) {
		struct message message;
		size_t size;

		switch (conn_scan(&pub->conn, &size)) {
		case MESSAGE_PART:
			return true;
		case MESSAGE_BAD:
			return drop_nonsense(pub, "not a message");
		case MESSAGE_WHOLE:
			break;
		}
		if (message_read(
			pub->reader, buf_bytes(&pub->conn.in), size, &message)
			.refusal != REFUSAL_NONE)
			return drop_nonsense(pub, "a message with a fault");
		if (!hear_message(pub, &message))
			return false;
		buf_consume(&pub->conn.in, size);
	}
}
