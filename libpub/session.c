/* session: connecting, greeting, sending, and what to do when it breaks. The
 * broker's messages are handled in hear.c. See session.h. */
#include "libpub/session.h"

#include <errno.h>
#include <limits.h>

#include "libpub/failure.h"
#include "libpub/hear.h"
#include "libpub/result.h"

enum {
	/* A broker that has taken the connection greets within this time. */
	GREETING_MS = 10000,
	/* Bytes put into words ahead of the socket. */
	OUT_AHEAD_BYTES = 256 * 1024,
	/* Reads in one turn: the caller's loop has other things to do too. */
	READS_PER_TURN = 16,
};

/* The answer to a command will not come. What is done twice is done once; but
 * a broker that was started after the drain is not to be drained, too. */
static void
lose_command(struct command *command)
{
	command->state = COMMAND_WANTED;
	if (command->what != MESSAGE_DRAIN)
		return;
	command->state = COMMAND_FAILED;
	failure_set(&command->failure, ECONNRESET,
	    "the connection ended before the answer: it may be done or not");
}

void
session_drop(struct ssemux_pub *pub)
{
	int64_t now_ms = handle_now_ms();

	conn_close(&pub->conn);
	if (pub->welcomed_ms > 0) {
		pub->state = SSEMUX_PUB_RECONNECTING;
		if (now_ms - pub->welcomed_ms >= pub->backoff.max_ms)
			backoff_reset(&pub->backoff);
	}
	pub->welcomed_ms = 0;
	pub->due_ms = now_ms + backoff_next(&pub->backoff);
	if (pub->report_state == REPORT_ASKED)
		pub->report_state = REPORT_WANTED;
	if (pub->command.state == COMMAND_ASKED)
		lose_command(&pub->command);
	queue_rewind(&pub->queue);
	queue_note_receipts_lost(&pub->queue);
	result_tell_receipts(pub);
}

void
session_fail(struct ssemux_pub *pub)
{
	conn_close(&pub->conn);
	pub->welcomed_ms = 0;
	pub->state = SSEMUX_PUB_FAILED;
	pub->failed_number = pub->failure.number;
	result_tell_lost(pub);
	queue_note_receipts_lost(&pub->queue);
	result_tell_receipts(pub);
}

static void
session_connect(struct ssemux_pub *pub)
{
	struct message hello = {
	    .type = MESSAGE_HELLO,
	    .version = MESSAGE_VERSION,
	    .publisher = slice_of_text(pub->id),
	};

	if (conn_open(&pub->conn, pub->socket) < 0) {
		failure_set(&pub->failure, errno, "cannot connect to %s: %s",
		    pub->socket, strerrordesc_np(errno));
		session_drop(pub);
		return;
	}
	message_write(&pub->conn.out, &hello);
	pub->due_ms = handle_now_ms() + GREETING_MS;
}

static bool
may_send_next(const struct ssemux_pub *pub)
{
	return pub->welcomed_ms > 0 && pub->queue.next != NULL &&
	       pub->queue.sent_events < pub->window;
}

bool
session_wants_write(const struct ssemux_pub *pub)
{
	if (pub->conn.fd < 0)
		return false;
	return buf_length(&pub->conn.out) > 0 || may_send_next(pub) ||
	       (pub->welcomed_ms > 0 &&
		   (pub->report_state == REPORT_WANTED ||
		       pub->command.state == COMMAND_WANTED));
}

/* Puts the next event into words, or passes it when it is too large. The
 * broker would end the connection for one that is far too large. */
static void
send_next(struct ssemux_pub *pub)
{
	struct entry *entry = pub->queue.next;
	struct message message;

	if (entry->data_len > pub->max_event) {
		queue_pass_refused(&pub->queue, REFUSAL_TOO_LARGE);
		return;
	}
	if (entry->seq == 0)
		entry->seq = ++pub->last_seq;
	entry_message(entry, &message);
	message_write(&pub->conn.out, &message);
	queue_pass_sent(&pub->queue);
}

static void
send_command(struct ssemux_pub *pub)
{
	struct command *command = &pub->command;

	message_write(&pub->conn.out,
	    &(struct message){
		.type = MESSAGE_COMMAND,
		.id = command->id,
		.command = command->what,
		.user = slice_of(command->user, command->user_len),
		.pattern = slice_of(command->pattern, command->pattern_len),
	    });
	command->state = COMMAND_ASKED;
}

/* Puts into words what may be sent now; 0, or -1 when there is no memory. */
static int
fill_out(struct ssemux_pub *pub)
{
	static const struct message status = {.type = MESSAGE_STATUS};

	if (pub->welcomed_ms > 0 && pub->report_state == REPORT_WANTED) {
		message_write(&pub->conn.out, &status);
		pub->report_state = REPORT_ASKED;
	}
	if (pub->welcomed_ms > 0 && pub->command.state == COMMAND_WANTED)
		send_command(pub);
	while (
	    may_send_next(pub) && buf_length(&pub->conn.out) < OUT_AHEAD_BYTES)
		send_next(pub);
	if (!buf_failed(&pub->conn.out))
		return 0;
	/* Half a message may stand there: only a new connection helps. */
	return failure_set(&pub->failure, ENOMEM, "no memory");
}

static void
drop_broken(struct ssemux_pub *pub, int number)
{
	failure_set(&pub->failure, number != 0 ? number : ECONNRESET,
	    "the connection to %s was lost: %s", pub->socket,
	    number != 0 ? strerrordesc_np(number) : "closed by the broker");
	session_drop(pub);
}

/* False when there is no connection any more. */
static bool
session_read(struct ssemux_pub *pub)
{
	for (int reads = 0; reads < READS_PER_TURN; reads++) {
		enum conn_io io = conn_read(&pub->conn);
		int number = errno;

		if (!hear_messages(pub))
			return false;
		if (io == CONN_END) {
			drop_broken(pub, number);
			return false;
		}
		if (io != CONN_MORE)
			break;
	}
	return true;
}

/* The broker has hung up: but what it said last still counts. */
static void
read_last_words(struct ssemux_pub *pub, int number)
{
	while (pub->conn.fd >= 0) {
		enum conn_io io = conn_read(&pub->conn);

		if (!hear_messages(pub))
			return;
		if (io != CONN_MORE && io != CONN_SOME)
			drop_broken(pub, number);
	}
}

static void
session_write(struct ssemux_pub *pub)
{
	while (session_wants_write(pub)) {
		enum conn_io io;

		if (fill_out(pub) < 0) {
			session_drop(pub);
			return;
		}
		result_tell_own_refusals(pub);
		io = conn_write(&pub->conn);
		if (io == CONN_END)
			read_last_words(pub, errno);
		if (io != CONN_MORE)
			return;
	}
}

int
session_turn(struct ssemux_pub *pub)
{
	if (pub->state == SSEMUX_PUB_FAILED) {
		errno = pub->failed_number;
		return -1;
	}
	if (pub->conn.fd < 0) {
		if (handle_now_ms() < pub->due_ms)
			return 0;
		session_connect(pub);
		if (pub->conn.fd < 0)
			return 0;
	}
	if (session_read(pub))
		session_write(pub);
	if (pub->conn.fd >= 0 && pub->welcomed_ms == 0 &&
	    handle_now_ms() >= pub->due_ms) {
		failure_set(&pub->failure, ETIMEDOUT,
		    "no greeting from the broker at %s", pub->socket);
		session_drop(pub);
	}
	return pub->state == SSEMUX_PUB_FAILED ? session_turn(pub) : 0;
}

int
session_push(struct ssemux_pub *pub)
{
	if (pub->welcomed_ms == 0)
		return session_turn(pub);
	session_write(pub);
	return pub->state == SSEMUX_PUB_FAILED ? session_turn(pub) : 0;
}

int
session_due_in_ms(const struct ssemux_pub *pub)
{
	int64_t left_ms;

	if (pub->state == SSEMUX_PUB_FAILED || pub->welcomed_ms > 0)
		return -1;
	left_ms = pub->due_ms - handle_now_ms();
	if (left_ms < 0)
		return 0;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

void
session_end(struct ssemux_pub *pub)
{
	static const struct message bye = {.type = MESSAGE_BYE};

	if (pub->welcomed_ms == 0 || pub->queue.unacked_events > 0)
		return;
	message_write(&pub->conn.out, &bye);
	/* When it does not get through, the broker keeps the numbers of this
	 * id for a while longer: no harm. */
	if (!buf_failed(&pub->conn.out))
		(void)conn_write(&pub->conn);
}
