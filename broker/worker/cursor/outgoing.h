/*
 * outgoing: the frames of one write to one subscriber.
 *
 * Frames that lie one after the other in memory become one piece of the write.
 * After the write it tells how many frames went out whole, and how much of the
 * next one.
 */
#ifndef SSEMUX_WORKER_CURSOR_OUTGOING_H
#define SSEMUX_WORKER_CURSOR_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "protocol/slice.h"

enum {
	OUTGOING_PIECES = 256,
	OUTGOING_FRAMES = 1024,
	OUTGOING_BYTES = 524288,
};

struct outgoing_frame {
	uint64_t cursor;
	size_t end;       /* bytes of this write up to and with the frame */
	uint32_t receipt; /* that is wanted for it; 0: none */
};

struct outgoing {
	struct iovec pieces[OUTGOING_PIECES];
	size_t piece_count;
	struct outgoing_frame frames[OUTGOING_FRAMES];
	size_t frame_count;
	size_t bytes;
	size_t skipped; /* of the first frame: sent by an earlier write */
	bool receipts;  /* one is wanted for some frame */
	bool ahead;     /* more is written to the socket at once */
};

/* Empties it. */
void outgoing_begin(struct outgoing *outgoing);

/* Is there no room for one more frame? */
bool outgoing_full(const struct outgoing *outgoing);

/* Notes that a receipt is wanted for the frame added last. */
void outgoing_want_receipt(struct outgoing *outgoing, uint32_t receipt);

/*
 * Adds a frame, without its first `skip` bytes (only the first frame may have
 * any). The bytes must stay where they are until the write.
 */
void outgoing_add(struct outgoing *outgoing, uint64_t cursor,
    struct slice frame, size_t skip);

/* Fills it with the frames of another one above that cursor; should the first
 * of them have the cursor `begun`, without its first `begun_bytes` bytes. */
void outgoing_copy(struct outgoing *outgoing, const struct outgoing *from,
    uint64_t above, uint64_t begun, size_t begun_bytes);

enum outgoing_result {
	OUTGOING_ALL,  /* everything was written */
	OUTGOING_PART, /* the socket is full */
	OUTGOING_GONE, /* the connection is broken */
};

/* What a write did. */
struct outgoing_sent {
	size_t frames;    /* whole ones */
	uint64_t partial; /* cursor of the frame that went out in part; or 0 */
	size_t partial_bytes; /* how much of it is out, by all writes so far */
};

/* What a write of everything did that `written` bytes came of, or -errno. */
enum outgoing_result outgoing_settle(const struct outgoing *outgoing,
    ssize_t written, struct outgoing_sent *sent);

/* One write of everything. */
enum outgoing_result outgoing_write(
    const struct outgoing *outgoing, int fd, struct outgoing_sent *sent);

#endif
