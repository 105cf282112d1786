/*
 * fake broker: the other end of the publisher socket, as badly behaved as a
 * test wants it. Hears and says messages one by one, on one connection after
 * the other. While it waits, it lets a publisher work (the test is then one
 * thread and every step is certain), or just waits (in a thread of its own,
 * for the calls that wait themselves).
 */
#ifndef SSEMUX_TESTS_FAKE_BROKER_H
#define SSEMUX_TESTS_FAKE_BROKER_H

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <ssemux/pub.h>

#include "protocol/buf.h"
#include "protocol/message.h"

enum { FAKE_PATIENCE_MS = 20000, FAKE_MAX_EVENT = 65536 };

struct fake_broker {
	char folder[64];
	char path[80];
	int listener;
	int fd; /* -1: no connection */
	struct buf in;
	struct message_reader *reader;
	size_t heard; /* bytes of the last message, consumed by the next */
	struct ssemux_pub *pub; /* works while we wait; NULL: nobody */
};

static inline int64_t
fake_now_ms(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void
fake_listen(struct fake_broker *fake)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, fake->path, strlen(fake->path) + 1);
	fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fake->listener, 0);
	ck_assert_int_eq(
	    bind(fake->listener, (struct sockaddr *)&address, sizeof(address)),
	    0);
	ck_assert_int_eq(listen(fake->listener, 8), 0);
}

static inline void
fake_stop_listening(struct fake_broker *fake)
{
	close(fake->listener);
	unlink(fake->path);
	fake->listener = -1;
}

static inline void
fake_init(struct fake_broker *fake)
{
	*fake = (struct fake_broker){.listener = -1, .fd = -1};
	snprintf(fake->folder, sizeof(fake->folder), "/tmp/ssemux-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fake->folder));
	snprintf(fake->path, sizeof(fake->path), "%s/pub.sock", fake->folder);
	buf_init(&fake->in, 0);
	fake->reader = message_reader_create();
	ck_assert_ptr_nonnull(fake->reader);
	fake_listen(fake);
}

static inline void
fake_hang_up(struct fake_broker *fake)
{
	if (fake->fd >= 0)
		close(fake->fd);
	fake->fd = -1;
	fake->heard = 0;
	buf_clear(&fake->in);
}

static inline void
fake_finish(struct fake_broker *fake)
{
	fake_hang_up(fake);
	if (fake->listener >= 0)
		close(fake->listener);
	unlink(fake->path);
	rmdir(fake->folder);
	message_reader_destroy(fake->reader);
	buf_finish(&fake->in);
}

/* Lets the publisher work until fd (-1: none) can be read, or until nothing
 * happens for so long. True when fd can be read. */
static inline bool
fake_wait(struct fake_broker *fake, int fd, int timeout_ms)
{
	int64_t deadline_ms = fake_now_ms() + timeout_ms;

	for (;;) {
		struct pollfd fds[2] = {
		    {.fd = fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
		int64_t left_ms = deadline_ms - fake_now_ms();
		int due_ms;

		if (fake->pub != NULL) {
			(void)ssemux_pub_dispatch(fake->pub);
			fds[1].fd = ssemux_pub_fd(fake->pub);
			if (ssemux_pub_wants_write(fake->pub))
				fds[1].events |= POLLOUT;
			due_ms = ssemux_pub_timeout(fake->pub);
			if (due_ms >= 0 && due_ms < left_ms)
				left_ms = due_ms + 1;
		}
		if (poll(fds, 2, left_ms > 0 ? (int)left_ms : 0) < 0)
			ck_assert_int_eq(errno, EINTR);
		if (fds[0].revents != 0)
			return true;
		if (fake_now_ms() >= deadline_ms)
			return false;
	}
}

static inline void
fake_accept(struct fake_broker *fake)
{
	fake_hang_up(fake);
	ck_assert_msg(fake_wait(fake, fake->listener, FAKE_PATIENCE_MS),
	    "nobody connects");
	fake->fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(fake->fd, 0);
}

/* Reads once. False at the end. */
static inline bool
fake_read(struct fake_broker *fake)
{
	char *room = buf_reserve(&fake->in, 65536);
	ssize_t got;

	ck_assert_msg(fake_wait(fake, fake->fd, FAKE_PATIENCE_MS),
	    "the publisher says nothing");
	got = recv(fake->fd, room, 65536, 0);
	if (got <= 0)
		return false;
	buf_commit(&fake->in, (size_t)got);
	return true;
}

/* The next message; false when the publisher has hung up. Its slices are
 * valid until the next call. */
static inline bool
fake_hear_any(struct fake_broker *fake, struct message *message)
{
	enum refusal why;
	size_t size = 0;

	buf_consume(&fake->in, fake->heard);
	fake->heard = 0;
	while (buf_length(&fake->in) == 0 ||
	       message_scan(buf_bytes(&fake->in), buf_length(&fake->in),
		   1 << 24, &size, &why) != MESSAGE_WHOLE) {
		if (!fake_read(fake))
			return false;
	}
	fake->heard = size;
	ck_assert_int_eq(
	    message_read(fake->reader, buf_bytes(&fake->in), size, message)
		.refusal,
	    REFUSAL_NONE);
	return true;
}

static inline struct message
fake_hear(struct fake_broker *fake, enum message_type type)
{
	struct message message;

	ck_assert_msg(fake_hear_any(fake, &message), "hung up");
	ck_assert_int_eq(message.type, type);
	return message;
}

static inline struct message
fake_hear_event(struct fake_broker *fake, uint64_t seq, const char *data)
{
	struct message message = fake_hear(fake, MESSAGE_PUBLISH);

	ck_assert_uint_eq(message.seq, seq);
	ck_assert_msg(slice_is(message.event.data, data), "not %s but %.*s",
	    data, (int)message.event.data.len, message.event.data.bytes);
	return message;
}

/* Nothing more was said, and nothing is for a moment. */
static inline void
fake_hear_nothing(struct fake_broker *fake)
{
	ck_assert_uint_eq(buf_length(&fake->in), fake->heard);
	ck_assert(!fake_wait(fake, fake->fd, 20));
}

static inline void
fake_say_bytes(struct fake_broker *fake, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fake->fd, bytes, len, MSG_NOSIGNAL);

		ck_assert_int_gt(sent, 0);
		bytes += sent;
		len -= (size_t)sent;
	}
}

static inline void
fake_say(struct fake_broker *fake, const struct message *message)
{
	struct buf buf;

	buf_init(&buf, 0);
	message_write(&buf, message);
	fake_say_bytes(fake, buf_bytes(&buf), buf_length(&buf));
	buf_finish(&buf);
}

/* Accepts, hears the greeting, and answers it. */
static inline void
fake_greet_with(struct fake_broker *fake, const struct message *welcome)
{
	fake_accept(fake);
	fake_hear(fake, MESSAGE_HELLO);
	fake_say(fake, welcome);
}

static inline void
fake_greet(struct fake_broker *fake, uint64_t last_seq)
{
	fake_greet_with(fake, &(struct message){
				  .type = MESSAGE_WELCOME,
				  .version = MESSAGE_VERSION,
				  .last_seq = last_seq,
				  .max_event = FAKE_MAX_EVENT,
				  .window = MESSAGE_WINDOW,
			      });
}

/* The cursor that the fake broker gives to an event: MS-0 with MS = 1000 + seq.
 */
static inline void
fake_ack(struct fake_broker *fake, uint64_t seq)
{
	fake_say(fake,
	    &(struct message){
		.type = MESSAGE_ACK, .seq = seq, .cursor = (1000 + seq) << 20});
}

static inline void
fake_ack_duplicate(struct fake_broker *fake, uint64_t seq)
{
	fake_say(fake, &(struct message){
			   .type = MESSAGE_ACK,
			   .seq = seq,
			   .cursor = (1000 + seq) << 20,
			   .duplicate = true,
		       });
}

static inline void
fake_refuse(struct fake_broker *fake, uint64_t seq, enum refusal refusal,
    const char *field)
{
	fake_say(fake, &(struct message){
			   .type = MESSAGE_ERROR,
			   .seq = seq,
			   .code = slice_of_text(refusal_code(refusal)),
			   .field = slice_of_text(field),
			   .text = slice_of_text(refusal_sentence(refusal)),
		       });
}

#endif
