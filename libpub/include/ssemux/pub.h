/*
 * ssemux/pub.h: publish events to an ssemux broker.
 *
 * A publisher is a handle. It connects to the broker's UNIX socket, numbers
 * the events it is given, sends them, and keeps each one until the broker has
 * acknowledged it: until it is stored. When the connection breaks, or the
 * broker is restarted, the library connects again by itself and sends anew
 * what was not acknowledged; the broker recognises what it has already. So an
 * event is stored once, and events are stored in the order they were given.
 *
 * What the library does not do: it starts no thread, keeps no global state,
 * changes no signal's disposition, writes nothing to any log, and never ends
 * the process. All work happens inside the calls below, so a service that
 * makes no call gets no acknowledgement either.
 *
 * Two ways to use it:
 *	simple		ssemux_pub_send() returns when the event is stored.
 *	own loop	ssemux_pub_publish() takes the event and returns at
 *			once; poll ssemux_pub_fd(), call ssemux_pub_dispatch(),
 *			and the result of each event comes to your function.
 *
 * A handle belongs to one thread at a time. After fork(), only one of the two
 * processes may go on using it.
 *
 * Unless said otherwise, a function returns 0 when it did what it says, and
 * -1 with errno set when not; then ssemux_pub_error() says more. A handle that
 * is NULL is EINVAL, but where NULL is said to be allowed.
 * Times are in milliseconds. A timeout of 0 does not wait, a negative one
 * waits for ever. Interrupted by a signal, the functions go on waiting.
 */
#ifndef SSEMUX_PUB_H
#define SSEMUX_PUB_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SSEMUX_PUB_API __attribute__((visibility("default")))
#else
#define SSEMUX_PUB_API
#endif

/* Where the broker listens when nothing else is configured. */
#define SSEMUX_PUB_SOCKET "/run/ssemux/pub.sock"

enum {
	/* Bytes that hold any cursor as text, with its NUL. */
	SSEMUX_PUB_CURSOR_SIZE = 24,
};

/* A publisher; made by ssemux_pub_open(). */
struct ssemux_pub;

/* ---- Results ---------------------------------------------------------- */
/*
 * What became of an event. Each event that was taken gets exactly one of
 * ACKED, REFUSED and LOST, in the order in which the events were given.
 */
enum ssemux_pub_outcome {
	/* Stored; subscribers get it. */
	SSEMUX_PUB_ACKED = 0,
	/* Not stored, and will not be: the broker does not take it. Events
	 * after it are not touched by that. */
	SSEMUX_PUB_REFUSED = 1,
	/* The library has given it up: the handle was closed, or has failed,
	 * or the broker was restarted and takes no event so long any more. If
	 * it was on its way just then, it may have been stored. */
	SSEMUX_PUB_LOST = 2,
	/* How many clients it was handed to; follows ACKED if it was asked for.
	 * Receipts come in order too, but ACKED of later events may be first.
	 */
	SSEMUX_PUB_RECEIPT = 3,
};

/* The texts are valid during the call of the result function only, and are
 * never NULL: what does not apply is "". */
struct ssemux_pub_result {
	enum ssemux_pub_outcome outcome;
	void *ticket;       /* as given with the event */
	const char *cursor; /* ACKED, RECEIPT: its place in the log, MS-SEQ */
	int duplicate;      /* ACKED: 1 when an earlier try had stored it */
	int64_t notified;   /* RECEIPT: clients; -1 when nobody knows, as the
			     * connection broke between ACKED and RECEIPT */
	const char *code;   /* REFUSED, LOST: a stable word, for programs; the
			     * codes are listed in ssemux-protocol(7) */
	const char *field;  /* REFUSED: "channel", "type", "key", "data" */
	const char *text;   /* REFUSED, LOST: a sentence, for people */
	/* RECEIPT, with SSEMUX_PUB_WANT_COUNTS; -1 when nobody knows, or it was
	 * not asked for. Later versions add members behind these. */
	int64_t matched;  /* streams subscribed to its channel: notified, */
	int64_t lagging;  /* those that had not got it yet, and */
	int64_t filtered; /* those that do not take its type */
	int64_t late;     /* workers too busy to say that in time */
};

/*
 * Your function for results. It may call ssemux_pub_publish(),
 * ssemux_pub_resync() and everything that only looks at the handle; the
 * functions that wait, dispatch or close are refused with EDEADLK inside it.
 */
typedef void ssemux_pub_on_result(
    const struct ssemux_pub_result *result, void *context);

/* ---- Opening and closing ---------------------------------------------- */
/*
 * Set size to sizeof(struct ssemux_pub_options), and all else to zero or to
 * what you want; 0 and NULL mean the default. Later versions add members at
 * the end only; the size tells the library which ones you know.
 */
struct ssemux_pub_options {
	size_t size;
	/* Path of the broker's socket. Default: SSEMUX_PUB_SOCKET. */
	const char *socket;
	/*
	 * The publisher's id: 1 to 64 characters of A-Z a-z 0-9 _ . : ~ @ / -.
	 * Default: a random one, right for nearly everybody. A fixed id is
	 * recognised in the broker's log, and only one process can use it at
	 * a time: who connects with it ends the one before.
	 */
	const char *id;
	/* Unacknowledged events kept at most. Default: 8192. */
	size_t max_events;
	/* Bytes they may take at most: channel, type, key and data, and about
	 * 100 bytes for each event. Default: 16 MiB. */
	size_t max_bytes;
	/* The wait before connecting again: a random time of up to
	 * retry_min_ms, doubled with each failure in a row up to
	 * retry_max_ms. Defaults: 50 and 2000. */
	unsigned retry_min_ms;
	unsigned retry_max_ms;
	/* Gets the result of each event; NULL when you do not want them. */
	ssemux_pub_on_result *on_result;
	/* Given to on_result as it is. */
	void *context;
};

/*
 * Makes a publisher. Does not connect yet: a broker that is not there is no
 * error here. options may be NULL for the defaults; the struct and the texts
 * in it are copied.
 *
 * Returns the handle, which ssemux_pub_close() frees; or NULL with errno:
 *	EINVAL		size is too small, a bad id, or
 *			retry_min_ms above retry_max_ms
 *	ENAMETOOLONG	the socket's path is longer than a socket's may be
 *	ENOMEM		no memory
 *	others		no random numbers, see getrandom(2)
 */
SSEMUX_PUB_API struct ssemux_pub *ssemux_pub_open(
    const struct ssemux_pub_options *options);

/*
 * Closes the connection and frees the handle. Does not wait: call
 * ssemux_pub_flush() before to get everything acknowledged. If everything is,
 * the broker is told that this publisher id is done with.
 *
 * Returns how many events are given up: those not acknowledged, each of which
 * gets the result LOST first. 0: every event has been acknowledged or refused.
 * -1 with EDEADLK inside the result function; then nothing is closed.
 * NULL is allowed, and 0.
 */
SSEMUX_PUB_API long ssemux_pub_close(struct ssemux_pub *pub);

/* ---- Events ----------------------------------------------------------- */
/* What the data are. */
enum ssemux_pub_data {
	/* Text; a JSON object or array is passed on as such, and any other
	 * text as text. */
	SSEMUX_PUB_GUESS = 0,
	/* Text that stays text, also when it looks like JSON. */
	SSEMUX_PUB_TEXT = 1,
	/* Text that is one JSON value, of any type. */
	SSEMUX_PUB_JSON = 2,
	/* Any bytes. */
	SSEMUX_PUB_BYTES = 3,
	/* Exactly one msgpack value, packed by you; it becomes JSON. */
	SSEMUX_PUB_MSGPACK = 4,
};

/* Flags of an event. */
enum {
	/* Tell me how many clients it was handed to. */
	SSEMUX_PUB_WANT_RECEIPT = 1,
	/* And how many not, and why. An older broker refuses it ("flags"). */
	SSEMUX_PUB_WANT_COUNTS = 2,
};

/*
 * An event. Set size to sizeof(struct ssemux_pub_event), and all else to zero
 * or to what you want. Everything is copied before the call returns.
 */
struct ssemux_pub_event {
	size_t size;
	/* 1 to 200 characters of A-Z a-z 0-9 _ . : ~ @ / -; required. */
	const char *channel;
	/* One line of UTF-8 without control characters, at most 200 bytes.
	 * NULL or "": none. Not the name of a control event: connected, live,
	 * resync, subscribed, token-expiring, revoked, bye, ping. */
	const char *type;
	/* The id of the thing that changed: one line, as long, any name. */
	const char *key;
	/* May be NULL when data_bytes is 0. Texts need no NUL at the end; they
	 * must be valid UTF-8. At most ssemux_pub_max_event() bytes. */
	const void *data;
	size_t data_bytes;
	enum ssemux_pub_data data_is;
	/* 0, SSEMUX_PUB_WANT_RECEIPT or SSEMUX_PUB_WANT_COUNTS. */
	unsigned flags;
	/* Yours; comes back with the result. */
	void *ticket;
};

/*
 * Takes an event, and returns without waiting and without any input or output
 * (see ssemux_pub_wants_write()). Errors; the event was not taken, gets no
 * result, and harms nothing:
 *	EINVAL		something in it is not allowed; ssemux_pub_error_code()
 *			and ssemux_pub_error_field() tell what
 *	EMSGSIZE	the data are longer than the broker takes, or than
 *			max_bytes
 *	EAGAIN		max_events or max_bytes is reached; try again when
 *			results have come
 *	ENOMEM		no memory
 *	EPROTO, EACCES	the handle has failed, see ssemux_pub_state()
 */
SSEMUX_PUB_API int ssemux_pub_publish(
    struct ssemux_pub *pub, const struct ssemux_pub_event *event);

/* Tells the subscribers of a channel to load what it is about anew: they get
 * the control event `resync`. Takes its place among the events and is
 * acknowledged like one; all said of ssemux_pub_publish() holds. */
SSEMUX_PUB_API int ssemux_pub_resync(
    struct ssemux_pub *pub, const char *channel, void *ticket);

/*
 * Publishes one event and waits until it is stored. Events taken before are
 * stored before it. Its result is what this call returns; the result function
 * gets those of other events meanwhile (and its RECEIPT, if you want one).
 *
 * cursor, when not NULL, gets the event's place in the log as text. Errors:
 * all of ssemux_pub_publish(), but instead of EAGAIN it waits for room; and
 *	EINVAL, EMSGSIZE, EACCES	the broker refused it, as
 *			ssemux_pub_error_code() says; EACCES for "not-allowed"
 *	EAGAIN		timeout_ms are over, and the event was never taken:
 *			there was no room for it
 *	ETIMEDOUT	timeout_ms are over. The event stays with the library,
 *			which goes on trying in later calls, so do not give it
 *			again; its result goes to the result function
 *	EDEADLK		called inside the result function
 */
SSEMUX_PUB_API int ssemux_pub_send(struct ssemux_pub *pub,
    const struct ssemux_pub_event *event, int timeout_ms,
    char cursor[SSEMUX_PUB_CURSOR_SIZE]);

/*
 * Sends what there is to send and waits until every event has its result (and
 * every receipt that was asked for). With timeout_ms 0: sends what can be sent
 * at once.
 *
 * Returns 0 when nothing is left; 1 when something is left and timeout_ms are
 * over; -1 when the handle has failed, or EDEADLK inside the result function.
 */
SSEMUX_PUB_API int ssemux_pub_flush(struct ssemux_pub *pub, int timeout_ms);

/* ---- For a loop of your own ------------------------------------------- */
/*
 * The descriptor to poll for POLLIN, and for POLLOUT too while
 * ssemux_pub_wants_write(). -1 while there is no connection (poll() ignores
 * it). It changes with every new connection: ask again before each poll().
 * Never read, write or close it.
 */
SSEMUX_PUB_API int ssemux_pub_fd(const struct ssemux_pub *pub);

/* 1 when there is something to send on that descriptor; else 0. */
SSEMUX_PUB_API int ssemux_pub_wants_write(const struct ssemux_pub *pub);

/*
 * Call ssemux_pub_dispatch() after so many milliseconds at the latest, even
 * when the descriptor is silent: it is time to connect, or to give up waiting
 * for the broker's greeting. 0: at once. -1: not needed. Fits poll().
 */
SSEMUX_PUB_API int ssemux_pub_timeout(const struct ssemux_pub *pub);

/*
 * Does what can be done now without waiting: connects, reads, tells results,
 * writes. Harmless when there is nothing to do. A broker that is not there is
 * no error. Returns 0; or -1 when the handle has failed for good, or EDEADLK
 * inside the result function.
 */
SSEMUX_PUB_API int ssemux_pub_dispatch(struct ssemux_pub *pub);

/* ---- Looking at it ---------------------------------------------------- */
enum ssemux_pub_state {
	/* No broker has been reached since ssemux_pub_open(). */
	SSEMUX_PUB_CONNECTING = 0,
	SSEMUX_PUB_CONNECTED = 1,
	/* The connection was lost; a new one is being tried. */
	SSEMUX_PUB_RECONNECTING = 2,
	/* The broker does not want this publisher, and trying again would not
	 * help: another process took over its id, it is not allowed to
	 * publish, or the two do not speak the same protocol. Every event had
	 * the result LOST. Only ssemux_pub_close() is left. */
	SSEMUX_PUB_FAILED = 3,
};

SSEMUX_PUB_API enum ssemux_pub_state ssemux_pub_state(
    const struct ssemux_pub *pub);

/* Events taken that have neither ACKED, REFUSED nor LOST yet. */
SSEMUX_PUB_API size_t ssemux_pub_unacked(const struct ssemux_pub *pub);

/* The longest data the broker takes, in bytes; 0 until it has said so. */
SSEMUX_PUB_API size_t ssemux_pub_max_event(const struct ssemux_pub *pub);

/*
 * The broker's report on itself: a JSON object as text. Waits for it.
 * Returns the text, valid until the next call with this handle; or NULL:
 *	ETIMEDOUT	timeout_ms are over
 *	ENOMEM, EDEADLK, EPROTO, EACCES as above
 */
SSEMUX_PUB_API const char *ssemux_pub_status(
    struct ssemux_pub *pub, int timeout_ms);

/* ---- What users may see ------------------------------------------------ */
/*
 * These withdraw channels from a user of the broker's streams, and give them
 * back. A user is named as in its tokens, by 1 to 256 bytes of UTF-8 without
 * control characters; channels by one channel, by a prefix that ends in ":*",
 * or by "*", which is all.
 *	kick	withdraws everything and ends the user's streams
 *	revoke	withdraws channels: of live streams they are taken away
 *	restore	takes back what was withdrawn within channels (NULL: all); what
 *		was withdrawn by a wider pattern stays
 * What is withdrawn counts for tokens issued until now: one that is issued a
 * second later is good again. It is stored, and holds across restarts. The
 * publisher must be an administrator, see ssemuxd.conf(5).
 * They wait until it holds in the whole broker: no event published afterwards
 * reaches the user on those channels. They return how many streams were told,
 * and ssemux_pub_restore() how many revocations were taken back; or -1:
 *	EINVAL		a user or channels that cannot be
 *	EACCES		not allowed
 *	EAGAIN		the broker cannot do it now: its store cannot be
 *			written ("store"), or is full of revocations ("full")
 *	EINPROGRESS	it is stored and will hold, but a part of the broker
 *			is busy, and has not said yet that it holds there
 *	ETIMEDOUT	timeout_ms are over; it may be done or not
 *	EDEADLK, EPROTO	as above */
SSEMUX_PUB_API long ssemux_pub_kick(
    struct ssemux_pub *pub, const char *user, int timeout_ms);
SSEMUX_PUB_API long ssemux_pub_revoke(struct ssemux_pub *pub, const char *user,
    const char *channels, int timeout_ms);
SSEMUX_PUB_API long ssemux_pub_restore(struct ssemux_pub *pub, const char *user,
    const char *channels, int timeout_ms);

/* On which streams the event of a cursor (MS-SEQ) was written, and why not on
 * others: on all, or on those of a user. The publisher must be an
 * administrator. Returns a JSON object, see ssemux-protocol(7), valid until the
 * next call with this handle; or NULL with errno: EINVAL, a bad user or cursor,
 * or one to come; others as above. */
SSEMUX_PUB_API const char *ssemux_pub_trace(
    struct ssemux_pub *pub, const char *cursor, int timeout_ms);
SSEMUX_PUB_API const char *ssemux_pub_explain(struct ssemux_pub *pub,
    const char *user, const char *cursor, int timeout_ms);

/* ---- The broker's end -------------------------------------------------- */
/*
 * Makes the broker drain and end, as SIGTERM does. The publisher must be an
 * administrator. Waits until it has begun, and returns how many streams are
 * open then; or -1:
 *	EACCES		not allowed
 *	EAGAIN		it cannot be done now
 *	ECONNRESET, ETIMEDOUT	the connection or the time ended before the
 *			answer: it may be done or not, and is not asked again
 *	EDEADLK, EPROTO	as above
 */
SSEMUX_PUB_API long ssemux_pub_drain(struct ssemux_pub *pub, int timeout_ms);

/* ---- Failures ---------------------------------------------------------- */
/*
 * The last failure: of a call, or of the connection ("cannot connect to ...").
 * The text is one sentence without a full stop, "" when nothing has failed;
 * the code is the broker's or library's stable word for it or "", the field
 * what it is about or "", and the number an errno or 0. The texts are valid
 * until the next call with this handle. Never NULL, also for a NULL handle.
 */
SSEMUX_PUB_API const char *ssemux_pub_error(const struct ssemux_pub *pub);
SSEMUX_PUB_API const char *ssemux_pub_error_code(const struct ssemux_pub *pub);
SSEMUX_PUB_API const char *ssemux_pub_error_field(const struct ssemux_pub *pub);
SSEMUX_PUB_API int ssemux_pub_error_number(const struct ssemux_pub *pub);

#ifdef __cplusplus
}
#endif

#endif
