/* outgoing: one write for many frames. See outgoing.h. */
#include "broker/worker/cursor/outgoing.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

void
outgoing_begin(struct outgoing *outgoing)
{
	outgoing->piece_count = outgoing->frame_count = 0;
	outgoing->bytes = outgoing->skipped = 0;
	outgoing->receipts = outgoing->ahead = false;
}

bool
outgoing_full(const struct outgoing *outgoing)
{
	return outgoing->piece_count == OUTGOING_PIECES ||
	       outgoing->frame_count == OUTGOING_FRAMES ||
	       outgoing->bytes >= OUTGOING_BYTES;
}

static void
add_piece(struct outgoing *outgoing, struct slice bytes)
{
	struct iovec *last = outgoing->piece_count > 0
				 ? &outgoing->pieces[outgoing->piece_count - 1]
				 : NULL;

	if (last != NULL &&
	    (const char *)last->iov_base + last->iov_len == bytes.bytes) {
		last->iov_len += bytes.len;
		return;
	}
	outgoing->pieces[outgoing->piece_count++] = (struct iovec){
	    .iov_base = (void *)(uintptr_t)bytes.bytes,
	    .iov_len = bytes.len,
	};
}

void
outgoing_add(
    struct outgoing *outgoing, uint64_t cursor, struct slice frame, size_t skip)
{
	assert(!outgoing_full(outgoing));
	assert(skip == 0 || outgoing->frame_count == 0);
	assert(skip < frame.len);
	outgoing->skipped += skip;
	add_piece(outgoing, slice_of(frame.bytes + skip, frame.len - skip));
	outgoing->bytes += frame.len - skip;
	outgoing->frames[outgoing->frame_count++] =
	    (struct outgoing_frame){.cursor = cursor, .end = outgoing->bytes};
}

void
outgoing_want_receipt(struct outgoing *outgoing, uint32_t receipt)
{
	assert(outgoing->frame_count > 0);
	outgoing->frames[outgoing->frame_count - 1].receipt = receipt;
	outgoing->receipts = true;
}

/* How many of the frames are not above that cursor. */
static size_t
count_below(const struct outgoing *outgoing, uint64_t cursor)
{
	size_t low = 0, high = outgoing->frame_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (outgoing->frames[middle].cursor <= cursor)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The pieces, without the first bytes of all. */
static void
copy_pieces(
    struct outgoing *outgoing, const struct outgoing *from, size_t without)
{
	for (size_t i = 0; i < from->piece_count; i++) {
		struct iovec piece = from->pieces[i];

		if (without >= piece.iov_len) {
			without -= piece.iov_len;
			continue;
		}
		piece.iov_base = (char *)piece.iov_base + without;
		piece.iov_len -= without;
		without = 0;
		outgoing->pieces[outgoing->piece_count++] = piece;
	}
}

void
outgoing_copy(struct outgoing *outgoing, const struct outgoing *from,
    uint64_t above, uint64_t begun, size_t begun_bytes)
{
	size_t first = count_below(from, above);
	size_t without = first > 0 ? from->frames[first - 1].end : 0;
	size_t skip = 0;

	if (first < from->frame_count && from->frames[first].cursor == begun)
		skip = begun_bytes;
	without += skip;
	assert(from->skipped == 0);
	assert(skip == 0 || without < from->frames[first].end);
	outgoing_begin(outgoing);
	copy_pieces(outgoing, from, without);
	outgoing->skipped = skip;
	outgoing->bytes = from->bytes - without;
	outgoing->receipts = from->receipts;
	for (size_t i = first; i < from->frame_count; i++) {
		struct outgoing_frame frame = from->frames[i];

		frame.end -= without;
		outgoing->frames[outgoing->frame_count++] = frame;
	}
}

/* Finds out where among the frames a write of `bytes` ended. */
static void
locate(
    const struct outgoing *outgoing, size_t bytes, struct outgoing_sent *sent)
{
	size_t start, frames = 0;

	if (bytes == outgoing->bytes)
		frames = outgoing->frame_count;
	while (frames < outgoing->frame_count &&
	       outgoing->frames[frames].end <= bytes)
		frames++;
	*sent = (struct outgoing_sent){.frames = frames};
	if (frames == outgoing->frame_count)
		return;
	start = frames > 0 ? outgoing->frames[frames - 1].end : 0;
	sent->partial_bytes = bytes - start;
	if (frames == 0)
		sent->partial_bytes += outgoing->skipped;
	if (sent->partial_bytes > 0)
		sent->partial = outgoing->frames[frames].cursor;
}

/* One piece, the common case, is spared the copying of a message's head. */
static ssize_t
write_pieces(const struct outgoing *outgoing, int fd)
{
	struct msghdr message = {
	    .msg_iov = (struct iovec *)(uintptr_t)outgoing->pieces,
	    .msg_iovlen = outgoing->piece_count,
	};
	int flags = MSG_NOSIGNAL | (outgoing->ahead ? MSG_MORE : 0);
	ssize_t written;

	do {
		written = outgoing->piece_count == 1
			      ? send(fd, outgoing->pieces[0].iov_base,
				    outgoing->pieces[0].iov_len, flags)
			      : sendmsg(fd, &message, flags);
	} while (written == -1 && errno == EINTR);
	return written != -1 ? written : -errno;
}

enum outgoing_result
outgoing_write(
    const struct outgoing *outgoing, int fd, struct outgoing_sent *sent)
{
	return outgoing_settle(outgoing, write_pieces(outgoing, fd), sent);
}

enum outgoing_result
outgoing_settle(const struct outgoing *outgoing, ssize_t written,
    struct outgoing_sent *sent)
{
	if (written < 0 && written != -EAGAIN && written != -ENOBUFS &&
	    written != -EINTR) {
		*sent = (struct outgoing_sent){.frames = 0};
		return OUTGOING_GONE;
	}
	locate(outgoing, written > 0 ? (size_t)written : 0, sent);
	return sent->frames == outgoing->frame_count ? OUTGOING_ALL
						     : OUTGOING_PART;
}
