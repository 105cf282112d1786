/*
 * message: the words of the publisher socket, to and from bytes.
 *
 * Each message is one msgpack array whose first element says its type; what
 * the others are is said with the type below and, normatively, in
 * ssemux-protocol(7). Elements after the known ones are ignored. This is the
 * only room that knows msgpack.
 */
#ifndef SSEMUX_PROTOCOL_MESSAGE_H
#define SSEMUX_PROTOCOL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/event.h"
#include "protocol/refusal.h"

struct buf;

enum {
	MESSAGE_VERSION = 1,
	/* Events a publisher may have sent without an ack at most; so far
	 * back the broker recognises a resend. */
	MESSAGE_WINDOW = 8192,
	MESSAGE_PUBLISHER_MAX = 64, /* bytes of a publisher id */
	MESSAGE_DEPTH_MAX = 30,     /* nesting, with the message's own array */
	/* What a message may be longer than its data. */
	MESSAGE_OVERHEAD_MAX = 1024,
	MESSAGE_USER_MAX = 256,    /* bytes of a user's name */
	MESSAGE_TALK_MAX = 262144, /* bytes of text of an ASK or an ANSWER */
};

#define MESSAGE_SEQ_MAX ((uint64_t)INT64_MAX)

enum message_type {
	/* publisher to broker */
	MESSAGE_HELLO = 0,   /* [0, version, publisher] */
	MESSAGE_PUBLISH = 1, /* [1, seq, channel, type|nil, key|nil, data,
			      *  flags] (flags may be left out: 0) */
	MESSAGE_RESYNC = 2,  /* [2, seq, channel] */
	MESSAGE_BYE = 3,     /* [3] every ack has arrived; forget my numbers */
	MESSAGE_STATUS = 4,  /* [4] */
	MESSAGE_COMMAND = 5, /* [5, id, command, user|nil, channel|nil]; the
			      * channel of TRACE, EXPLAIN is a cursor */
	/* broker to publisher */
	MESSAGE_WELCOME = 16, /* [16, version, last seq, max_event, window] */
	MESSAGE_ACK = 17,     /* [17, seq, cursor|nil, duplicate] */
	MESSAGE_ERROR = 18,   /* [18, seq|nil, code, field|nil, text] */
	MESSAGE_RECEIPT = 19, /* [19, seq, notified], and with FLAG_COUNTS:
			       *  matched, lagging, filtered, late */
	MESSAGE_REPORT = 20,  /* [20, text]: status, as JSON */
	MESSAGE_DONE = 21,    /* [21, id, count, late] of a command, and of
			       *  TRACE, EXPLAIN: text */
	MESSAGE_FAILED = 22,  /* [22, id, code, field|nil, text] */
	/*
	 * Between workers and the hub alone, on their own links; malformed on
	 * the publisher socket. `peer` is a worker, from 0 on.
	 *
	 * AS: what follows is of that publisher, which counts its own events
	 * (from 1, in each AS anew); nil: of the one who said HELLO. Its id,
	 * like that of a HELLO on a link, begins with '+', which no id of the
	 * publisher socket does.
	 * ASK: from a worker, to the peer named, or to all others (nil); the
	 * hub passes it on with the asker as peer.
	 * ANSWER: from a worker, to the peer that asked; the hub passes it on
	 * with the answering worker as peer. text nil: no answer will come;
	 * id 0: to none of the questions that the peer was asked, it is gone.
	 */
	MESSAGE_AS = 32,     /* [32, publisher|nil] */
	MESSAGE_ASK = 33,    /* [33, id, peer|nil, text] */
	MESSAGE_ANSWER = 34, /* [34, id, peer, text|nil] */
};

#define MESSAGE_PEER_ALL UINT32_MAX
#define MESSAGE_PEER_HUB (UINT32_MAX - 1) /* it asks for itself */

/* Flags of a MESSAGE_PUBLISH. */
enum {
	MESSAGE_FLAG_JSON = 1,    /* data is text that is JSON */
	MESSAGE_FLAG_TEXT = 2,    /* data is text, whatever it looks like */
	MESSAGE_FLAG_RECEIPT = 4, /* say how many clients it was handed to */
	MESSAGE_FLAG_COUNTS = 8,  /* that, and how many were not, and why */
	/* Either of these. */
	MESSAGE_FLAGS_RECEIPT = MESSAGE_FLAG_RECEIPT | MESSAGE_FLAG_COUNTS,
};

/* What a MESSAGE_COMMAND asks for; in the message by name, as "kick". */
enum message_command {
	MESSAGE_KICK,    /* withdraw everything from the user; channel is nil */
	MESSAGE_REVOKE,  /* withdraw channels: channel is a pattern */
	MESSAGE_RESTORE, /* take back what lies within a pattern; nil: all */
	MESSAGE_TRACE,   /* what became of an event; user is nil */
	MESSAGE_EXPLAIN, /* the same, on streams of the user */
	MESSAGE_DRAIN,   /* end, after a drain; user and channel are nil */
};

/* How the data of a MESSAGE_PUBLISH stands in the message. */
enum message_data {
	MESSAGE_DATA_TEXT,   /* msgpack str */
	MESSAGE_DATA_BYTES,  /* msgpack bin */
	MESSAGE_DATA_PACKED, /* any other msgpack value, as it is */
};

/* What a MESSAGE_RECEIPT says besides `notified`, in streams. */
struct message_counts {
	uint64_t matched;
	uint64_t lagging;
	uint64_t filtered;
};

/* One message; only the members that belong to its type mean something. */
struct message {
	enum message_type type;
	enum message_data data; /* PUBLISH */
	uint64_t seq;    /* PUBLISH RESYNC ACK ERROR RECEIPT; ERROR: 0 is nil */
	uint64_t cursor; /* ACK: 0 is nil */
	uint64_t last_seq;            /* WELCOME */
	uint64_t max_event;           /* WELCOME, bytes */
	uint64_t window;              /* WELCOME, events */
	uint64_t notified;            /* RECEIPT, streams; so are these: */
	struct message_counts counts; /* RECEIPT, if `counted` */
	uint64_t id;                  /* COMMAND DONE FAILED ASK ANSWER */
	uint64_t count; /* DONE: streams told or open, or taken back */
	uint64_t late;  /* DONE RECEIPT: workers that have not said */
	enum message_command command; /* COMMAND */
	uint32_t peer;                /* ASK ANSWER; MESSAGE_PEER_ALL is nil */
	uint32_t version;             /* HELLO WELCOME */
	uint32_t flags;               /* PUBLISH */
	bool duplicate;               /* ACK */
	bool counted;                 /* RECEIPT: it has all counts */
	struct slice publisher;       /* HELLO AS; AS: len 0 is nil */
	struct event event;   /* PUBLISH RESYNC: channel type key data */
	struct slice user;    /* COMMAND */
	struct slice pattern; /* COMMAND: its channel; len 0 is nil */
	struct slice code;    /* ERROR FAILED */
	struct slice field;   /* ERROR FAILED; len 0 is nil */
	struct slice text;    /* ERROR FAILED REPORT ASK; ANSWER DONE: len 0 is
			       * nil, and of DONE not there */
};

enum message_scan {
	MESSAGE_WHOLE, /* a whole message; *size is its length */
	MESSAGE_PART,  /* more is needed; *size bytes from its start at least */
	MESSAGE_BAD,   /* cannot become one; *why says why */
};

/*
 * Looks whether a whole message stands at the start of the bytes, without
 * allocating and before anything is unpacked: every count is held against
 * the bytes that are left, nesting against MESSAGE_DEPTH_MAX, and the length
 * against max_bytes.
 */
enum message_scan message_scan(const char *bytes, size_t len, size_t max_bytes,
    size_t *size, enum refusal *why);

/* Unpacks messages; keeps the memory of the last one. NULL: no memory. */
struct message_reader *message_reader_create(void);
void message_reader_destroy(struct message_reader *reader); /* NULL allowed */

/*
 * Unpacks one whole message (as message_scan() found it). Slices in *message
 * point into the bytes or into the reader, and are valid until either goes or
 * the next call. A PUBLISH whose data is neither text nor bytes gets its JSON
 * form as event.data; its data member still says PACKED.
 *
 * The answer's refusal is REFUSAL_NONE when the message could be read. What an
 * event may contain is not checked here: see event_check(). *message->seq is
 * set also for a refused message, when it could be read (else 0).
 */
struct fault message_read(struct message_reader *reader, const char *bytes,
    size_t len, struct message *message);

/* Appends one message. For MESSAGE_DATA_PACKED, event.data must be exactly
 * one msgpack value. Failure to get memory shows in buf_failed(). */
void message_write(struct buf *buf, const struct message *message);

/* How a PUBLISH that was read means its data; for event_check(). -1 when the
 * flags are unknown or contradict each other. */
int message_meaning(const struct message *message, enum event_meaning *meaning);

/* Is this one whole msgpack value, nested no deeper than the data of a PUBLISH
 * may be (MESSAGE_DEPTH_MAX with the message's own array)? */
bool message_value_valid(const char *bytes, size_t len);

/* Publisher ids: of the publisher socket; and of links, with their '+'. */
bool message_publisher_valid(struct slice publisher);
bool message_link_publisher_valid(struct slice publisher);

/* What a broker has against a COMMAND that was read, whoever sends it. */
struct fault message_check_command(const struct message *command);

/* The name of a command on the wire. */
const char *message_command_name(enum message_command command);

#endif
