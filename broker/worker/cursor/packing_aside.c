/*
 * packing_aside: events of one stream that lie far apart in the window, as
 * those of a stream with channels of its own among many. Nobody else has just
 * these of each span; so they become one pack, for this stream alone, and not
 * one for each span. See packing.h.
 */
#include <sysexits.h>

#include "broker/shared/log.h"
#include "broker/worker/cursor/packed.h"
#include "broker/worker/cursor/packing.h"
#include "broker/worker/cursor/packing_state.h"
#include "broker/worker/cursor/packs.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

enum {
	FEW = 2,  /* events of a span */
	FAR = 16, /* entries for each event */
};

bool
packing_set_aside(struct worker *worker)
{
	struct packing *packing = worker->packing;
	size_t count = (size_t)__builtin_popcountll(packing->bits);

	if (count == 0 || count > FEW || packing->cuts ||
	    worker->outgoing.frame_count > 0 ||
	    packing->aside_count + count > ASIDE_MAX ||
	    (packing->aside_count > 0 &&
		packing->aside_bytes + packing->bytes > PACKS_TEXT_MAX) ||
	    packs_secret_bits(packing->packs, packing->span, packing->bits) !=
		0)
		return false;
	if (packing->aside_count == 0)
		packing->aside_bytes = 0;
	packing->aside_bytes += packing->bytes;
	for (; packing->bits != 0; packing->bits &= packing->bits - 1)
		packing->aside[packing->aside_count++] =
		    packing->span * PACKS_SPAN +
		    (uint64_t)__builtin_ctzll(packing->bits);
	return true;
}

bool
packing_is_far_apart(const struct packing *packing)
{
	size_t count = packing->aside_count;

	return count > 1 &&
	       packing->aside[count - 1] - packing->aside[0] >= FAR * count;
}

/* The text of all of them, in packing->text. */
static struct slice
make_text(struct worker *worker, unsigned shape)
{
	const struct window *window = &worker->window;
	struct packing *packing = worker->packing;

	buf_clear(&packing->text);
	for (size_t i = 0; i < packing->aside_count; i++) {
		struct event event = window_event(
		    window, window_entry(window, packing->aside[i]));

		sse_append_event(
		    &packing->text, &event, &window->shapes[shape]);
	}
	if (buf_failed(&packing->text))
		log_fatal(EX_OSERR, "no memory for one event");
	return slice_of(buf_bytes(&packing->text), buf_length(&packing->text));
}

static struct pack_events
event_of(uint64_t entry)
{
	return (struct pack_events){
	    .span = entry / PACKS_SPAN,
	    .bits = UINT64_C(1) << entry % PACKS_SPAN,
	};
}

void
packing_add_aside(struct worker *worker, const struct subscriber *subscriber)
{
	struct packing *packing = worker->packing;
	const struct window *window = &worker->window;
	uint64_t last = packing->aside[packing->aside_count - 1];
	enum coding coding = subscriber->packed->coding;
	struct slice text = make_text(worker, subscriber->shape);
	struct packing_frame *frame = &packing->frames[0];
	struct frame chunk;

	for (size_t i = 0; i < packing->aside_count; i++) {
		struct pack_events of = event_of(packing->aside[i]);

		packing_add_receipts(worker, &of);
	}
	buf_clear(&packing->pieces);
	chunk = packs_append(packing->packs, coding, &packing->pieces, text,
	    packs_before(packing->packs, &packing->last, subscriber->shape));
	chunk.bytes = buf_bytes(&packing->pieces);
	packing->last = event_of(last);
	*frame = (struct packing_frame){
	    .bytes = frame_part(&chunk, subscriber->http_minor),
	    .first = window_entry(window, packing->aside[0])->cursor,
	    .of = packing->last,
	    .events = (uint32_t)packing->aside_count,
	    .receipts_end = packing->receipt_count,
	    .sum.bytes = (uint32_t)text.len,
	};
	if (subscriber->packed->sums) {
		frame->sum.bytes = 0;
		coder_sum_add(coding, &frame->sum, text);
	}
	outgoing_add(&worker->outgoing, window_entry(window, last)->cursor,
	    frame->bytes, 0);
	packing->aside_count = 0;
	packing->alone = true;
}
