/*
 * handle: what a publisher is made of; shared by the rooms of this library.
 *
 *	pub		what the caller calls, and what it may not ask for
 *	wait		the calls that wait
 *	command		those of them that withdraw channels from users
 *	session		the talk with the broker: greeting, acks, resending
 *	result		telling the caller what became of an event
 *	failure		the last thing that went wrong
 *	queue conn backoff	its parts; they do not know the handle
 */
#ifndef SSEMUX_LIBPUB_HANDLE_H
#define SSEMUX_LIBPUB_HANDLE_H

#include <ssemux/pub.h>

#include "libpub/backoff.h"
#include "libpub/conn.h"
#include "libpub/queue.h"
#include "protocol/cursor_id.h"

enum { FAILURE_TEXT_SIZE = 320, FAILURE_WORD_SIZE = 32 };

struct failure {
	int number; /* an errno */
	char code[FAILURE_WORD_SIZE];
	char field[FAILURE_WORD_SIZE];
	char text[FAILURE_TEXT_SIZE];
};

/* The result of the one event for which ssemux_pub_send() waits. */
struct watch {
	uint64_t number; /* of the event; 0: nobody waits */
	bool settled;
	enum ssemux_pub_outcome outcome;
	char cursor[SSEMUX_PUB_CURSOR_SIZE];
	struct failure failure;
};

enum report_state { REPORT_NONE, REPORT_WANTED, REPORT_ASKED, REPORT_HERE };

enum command_state {
	COMMAND_NONE,
	COMMAND_WANTED,
	COMMAND_ASKED,
	COMMAND_DONE,
	COMMAND_FAILED,
};

/* The one command that is waited for; and what became of it. */
struct command {
	enum command_state state;
	uint64_t id; /* the last one given */
	enum message_command what;
	char user[MESSAGE_USER_MAX];
	size_t user_len;
	char pattern[EVENT_CHANNEL_MAX + 1];
	size_t pattern_len;
	uint64_t count;         /* DONE */
	uint64_t late;          /* DONE */
	struct failure failure; /* FAILED */
};

struct ssemux_pub {
	char socket[CONN_PATH_MAX + 1];
	char id[MESSAGE_PUBLISHER_MAX + 1];
	ssemux_pub_on_result *on_result;
	void *context;
	bool telling; /* inside on_result */

	enum ssemux_pub_state state;
	int failed_number; /* in state FAILED: the errno of every call */
	struct conn conn;
	struct message_reader *reader;
	struct backoff backoff;
	/* Without a connection: when to make one. Before the greeting: when to
	 * give up waiting for it. */
	int64_t due_ms;
	int64_t welcomed_ms; /* when this connection was greeted; 0: not yet */

	struct queue queue;
	uint64_t last_seq; /* the highest number an event has */
	uint64_t window;   /* of the broker: events sent without an ack */
	size_t max_event;  /* 0: not known yet */

	struct watch watch;
	enum report_state report_state;
	struct buf report;
	struct command command;
	struct failure failure;
};

/* Milliseconds of a clock that only goes forward. */
int64_t handle_now_ms(void);

#endif
