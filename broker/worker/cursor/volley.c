/* volley: writes that go out together. See volley.h. */
#include "broker/worker/cursor/volley.h"

#include <stdlib.h>
#include <string.h>

#include "broker/shared/log.h"
#include "broker/worker/cursor/outgoing.h"
#include "broker/worker/cursor/packing_state.h"
#include "broker/worker/cursor/prefetch.h"
#include "broker/worker/cursor/progress.h"
#include "broker/worker/cursor/uring.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum {
	FRAMES = 8,    /* of a write; with more, the call is shared by them */
	COPIED = 4096, /* bytes of a write in several pieces */
	AHEAD = 4,     /* subscribers whose memory is fetched meanwhile */
};

/* What is left of worker->outgoing, to settle the write with. */
struct gathered {
	struct subscriber *subscriber;
	bool receipts;
	size_t frame_count;
	struct outgoing_frame frames[FRAMES];
	struct packing_frame packed; /* of a stream that is compressed */
};

struct volley {
	struct uring *uring;
	uint64_t pin; /* UINT64_MAX: no frame is in use */
	size_t count;
	struct uring_send sends[URING_SENDS];
	struct gathered gathered[URING_SENDS];
	char copies[URING_SENDS][COPIED];
};

struct volley *
volley_create(void)
{
	struct uring *uring = uring_create();
	struct volley *volley;

	if (uring == NULL)
		return NULL;
	volley = calloc(1, sizeof(*volley));
	if (volley == NULL) {
		uring_destroy(uring);
		return NULL;
	}
	volley->uring = uring;
	volley->pin = UINT64_MAX;
	return volley;
}

void
volley_destroy(struct volley *volley)
{
	if (volley == NULL)
		return;
	uring_destroy(volley->uring);
	free(volley);
}

uint64_t
volley_pin(const struct worker *worker)
{
	return worker->volley != NULL ? worker->volley->pin : UINT64_MAX;
}

bool
volley_blocks(const struct worker *worker, const struct subscriber *subscriber)
{
	return !subscriber->compressed && worker->outgoing.frame_count == 0;
}

/* Is the write a pack that is there for this write only? */
static bool
is_passing(const struct worker *worker, const struct subscriber *subscriber)
{
	return subscriber->compressed && worker->packing->alone;
}

/* The bytes of the next write, as one piece: streams with channels of their own
 * have frames that do not lie together, and to copy few is cheaper than a call.
 * Empty: they are too many. */
static struct slice
in_one_piece(struct worker *worker, const struct subscriber *subscriber)
{
	const struct outgoing *outgoing = &worker->outgoing;
	struct volley *volley = worker->volley;
	char *copy = volley->copies[volley->count];
	size_t used = 0;

	if (outgoing->piece_count == 1 && !is_passing(worker, subscriber))
		return slice_of(
		    outgoing->pieces[0].iov_base, outgoing->pieces[0].iov_len);
	if (outgoing->bytes > COPIED)
		return slice_of(NULL, 0);
	for (size_t i = 0; i < outgoing->piece_count; i++) {
		const struct iovec *piece = &outgoing->pieces[i];

		memcpy(copy + used, piece->iov_base, piece->iov_len);
		used += piece->iov_len;
	}
	return slice_of(copy, used);
}

bool
volley_add(struct worker *worker, struct subscriber *subscriber, uint64_t pin)
{
	const struct outgoing *outgoing = &worker->outgoing;
	struct volley *volley = worker->volley;
	struct gathered *gathered;
	struct slice bytes;

	if (volley == NULL ||
	    (subscriber->compressed &&
		!packing_gather(worker, subscriber,
		    &volley->gathered[volley->count].packed)) ||
	    outgoing->skipped > 0 || outgoing->frame_count > FRAMES)
		return false;
	bytes = in_one_piece(worker, subscriber);
	if (bytes.len == 0)
		return false;
	gathered = &volley->gathered[volley->count];
	gathered->subscriber = subscriber;
	if (is_passing(worker, subscriber))
		gathered->packed.bytes = bytes;
	gathered->receipts = outgoing->receipts;
	gathered->frame_count = outgoing->frame_count;
	memcpy(gathered->frames, outgoing->frames,
	    outgoing->frame_count * sizeof(gathered->frames[0]));
	volley->sends[volley->count++] = (struct uring_send){
	    .fd = subscriber->fd,
	    .bytes = bytes,
	};
	if (pin < volley->pin)
		volley->pin = pin;
	if (volley->count == URING_SENDS)
		volley_fire(worker);
	return true;
}

static void
settle(struct worker *worker, const struct gathered *gathered, ssize_t sent)
{
	struct outgoing *outgoing = &worker->outgoing;

	outgoing_begin(outgoing);
	outgoing->bytes = gathered->frames[gathered->frame_count - 1].end;
	outgoing->receipts = gathered->receipts;
	outgoing->frame_count = gathered->frame_count;
	memcpy(outgoing->frames, gathered->frames,
	    gathered->frame_count * sizeof(gathered->frames[0]));
	if (gathered->subscriber->compressed)
		packing_settle(
		    worker, gathered->subscriber, &gathered->packed, sent);
	else
		progress_settle(worker, gathered->subscriber, sent);
}

void
volley_fire(struct worker *worker)
{
	struct volley *volley = worker->volley;

	packing_release(worker);
	if (volley == NULL || volley->count == 0)
		return;
	if (uring_send(volley->uring, volley->sends, volley->count) == -1) {
		log_warn("io_uring: %m; writes go out one by one from now on");
		uring_destroy(volley->uring);
		volley->uring = NULL;
	}
	worker_count(worker, METRIC_VOLLEYS, 1);
	for (size_t i = 0; i < volley->count; i++) {
		if (i + AHEAD < volley->count)
			prefetch_object(volley->gathered[i + AHEAD].subscriber);
		settle(worker, &volley->gathered[i], volley->sends[i].sent);
	}
	volley->count = 0;
	volley->pin = UINT64_MAX;
}
