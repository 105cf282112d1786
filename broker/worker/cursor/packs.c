/* packs: what is compressed once. See packs.h. */
#include "broker/worker/cursor/packs.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "broker/shared/board.h"
#include "broker/shared/config_channel.h"
#include "broker/shared/log.h"
#include "broker/worker/cursor/packs_credit.h"

enum {
	WAYS = 4,   /* places that a pack may have */
	ASKS = 8,   /* before it is made beyond the credit */
	SHARE = 4,  /* of the memory of the window */
	BEFORE = 2, /* events of a context that are of use */
	/* What a pack costs beside its text, which is looked up and kept; and
	 * one that is not. Its context costs half of what a text does. */
	KEPT_COST = 700,
	LONE_COST = 300,
};

/* One for each coding that streams may have. */
static bool
create_coders(struct packs *packs)
{
	const struct config *config = packs->config;

	for (enum coding i = CODING_NONE + 1; i < CODING_COUNT; i++) {
		if ((config->http_compression & 1U << i) == 0)
			continue;
		packs->coders[i] =
		    coder_create(i, (int)config->http_compression_level);
		if (packs->coders[i] == NULL)
			return false;
	}
	return true;
}

struct packs *
packs_create(const struct config *config, const struct window *window,
    struct board *board)
{
	struct packs *packs = calloc(1, sizeof(*packs));

	if (packs == NULL)
		return NULL;
	packs->config = config;
	packs->pinned = UINT64_MAX;
	packs->window = window;
	packs->board = board;
	packs->credit = PACKS_CREDIT_KEPT;
	packs->places = calloc(PACKS_PLACES, sizeof(packs->places[0]));
	if (config->channels_secret) {
		packs->secrets_size = 2 * window->size / PACKS_SPAN;
		packs->secrets =
		    calloc(packs->secrets_size, sizeof(packs->secrets[0]));
	}
	if (!create_coders(packs) || packs->places == NULL ||
	    (config->channels_secret && packs->secrets == NULL) ||
	    arena_init(&packs->arena, config->broker_window / SHARE, 1) == -1) {
		packs_destroy(packs);
		return NULL;
	}
	return packs;
}

void
packs_destroy(struct packs *packs)
{
	if (packs == NULL)
		return;
	for (size_t i = 0; i < CODING_COUNT; i++)
		coder_destroy(packs->coders[i]);
	arena_finish(&packs->arena);
	free(packs->places);
	free(packs->secrets);
	buf_finish(&packs->text);
	buf_finish(&packs->before);
	buf_finish(&packs->piece);
	buf_finish(&packs->alone);
	free(packs);
}

uint64_t
packs_first_block(uint64_t bits)
{
	int first = __builtin_ctzll(bits);
	int last = 63 - __builtin_clzll(bits);
	int len = first == 0 ? PACKS_SPAN : first & -first;

	while (first + len - 1 > last)
		len /= 2;
	return len == PACKS_SPAN ? bits
				 : bits & (((UINT64_C(1) << len) - 1) << first);
}

/* --- secrets --- */

bool
packs_is_secret(const struct packs *packs, struct slice channel)
{
	const struct config_channel *block;

	if (packs->secrets == NULL)
		return false;
	block = config_channel_find(packs->config, channel);
	return block != NULL && block->secret;
}

static struct event
event_at(const struct packs *packs, uint64_t span, int bit)
{
	return window_event(packs->window,
	    window_entry(packs->window, span * PACKS_SPAN + (uint64_t)bit));
}

uint64_t
packs_secret_bits(struct packs *packs, uint64_t span, uint64_t bits)
{
	struct pack_secrets *secrets;

	if (packs->secrets == NULL)
		return 0;
	secrets = &packs->secrets[span & (packs->secrets_size - 1)];
	if (secrets->span != span)
		*secrets = (struct pack_secrets){.span = span};
	for (uint64_t left = bits & ~secrets->known; left != 0;
	     left &= left - 1) {
		int bit = __builtin_ctzll(left);

		if (packs_is_secret(packs, event_at(packs, span, bit).channel))
			secrets->secret |= UINT64_C(1) << bit;
	}
	secrets->known |= bits;
	return secrets->secret & bits;
}

/* --- packs --- */

static uint64_t
mix(uint64_t mixed, const struct pack_events *events)
{
	mixed = (mixed ^ events->span) * UINT64_C(0x9E3779B97F4A7C15);
	mixed =
	    (mixed ^ mixed >> 29 ^ events->bits) * UINT64_C(0xBF58476D1CE4E5B9);
	return mixed ^ mixed >> 32;
}

static bool
same_events(const struct pack_events *a, const struct pack_events *b)
{
	return a->span == b->span && a->bits == b->bits;
}

static bool
same_key(const struct pack_key *a, const struct pack_key *b)
{
	return same_events(&a->of, &b->of) &&
	       same_events(&a->after, &b->after) && a->shape == b->shape &&
	       a->coding == b->coding && a->stored == b->stored;
}

static bool
is_kept(const struct packs *packs, const struct pack *pack)
{
	return pack->len != 0 && pack->at >= packs->arena.tail;
}

/* Where it is, or comes to be in place of an older one. */
static struct pack *
find_place(struct packs *packs, const struct pack_key *key)
{
	uint64_t kind = (uint64_t)key->shape * CODING_COUNT + key->coding;
	uint64_t first =
	    mix(mix(2 * kind + key->stored, &key->of), &key->after);
	struct pack *oldest = NULL;

	for (uint64_t i = 0; i < WAYS; i++) {
		struct pack *pack = &packs->places[(first + i) % PACKS_PLACES];

		if (pack->key.of.bits != 0 && same_key(&pack->key, key))
			return pack;
		if (oldest == NULL || pack->at < oldest->at)
			oldest = pack;
	}
	*oldest = (struct pack){.key = *key};
	return oldest;
}

/* The end of a context that is of use, if the window has it. */
static struct pack_events
find_before(const struct packs *packs, const struct pack_events *after)
{
	struct pack_events last = *after;

	while (__builtin_popcountll(last.bits) > BEFORE)
		last.bits &= last.bits - 1;
	if (last.bits != 0 &&
	    last.span * PACKS_SPAN + (uint64_t)__builtin_ctzll(last.bits) <
		packs->window->first)
		last.bits = 0;
	return last;
}

static bool
may_make(struct packs *packs, struct pack *pack)
{
	struct pack_events before = find_before(packs, &pack->key.after);

	if (pack->key.stored || packs_pay(packs, pack->key.coding, KEPT_COST,
				    packs_cost(packs, &pack->key.of) +
					packs_cost(packs, &before) / 2))
		return true;
	if (++pack->asked < ASKS)
		return false;
	pack->asked = 0;
	return true;
}

static void
append_piece(struct packs *packs, enum coding coding, bool stored,
    struct slice text, struct slice before)
{
	buf_clear(&packs->piece);
	if (stored || text.len < packs->config->http_compression_min)
		coder_append_stored(coding, &packs->piece, text);
	else
		coder_append(
		    packs->coders[coding], &packs->piece, text, before);
	if (buf_failed(&packs->piece))
		log_fatal(EX_OSERR, "no memory for one event");
}

/* Appends the piece as a chunk. */
static struct frame
append_chunk(struct packs *packs, struct buf *out)
{
	size_t begin = buf_length(out), len;

	frame_append_chunk(out, &packs->piece);
	if (buf_failed(out))
		log_fatal(EX_OSERR, "no memory for one event");
	len = buf_length(out) - begin;
	return (struct frame){
	    .len = len,
	    .head_len = len - buf_length(&packs->piece) - FRAME_TAIL_BYTES,
	};
}

struct frame
packs_append(struct packs *packs, enum coding coding, struct buf *out,
    struct slice text, struct slice before)
{
	bool stored =
	    !packs_pay(packs, coding, LONE_COST, text.len + before.len / 2);

	append_piece(packs, coding, stored, text, before);
	return append_chunk(packs, out);
}

/* Makes the text of these events. */
static struct slice
make_text(const struct packs *packs, struct buf *text,
    const struct pack_events *events, unsigned shape)
{
	const struct sse_shape *shapes = packs->window->shapes;

	buf_clear(text);
	for (uint64_t left = events->bits; left != 0; left &= left - 1) {
		struct event event =
		    event_at(packs, events->span, __builtin_ctzll(left));

		sse_append_event(text, &event, &shapes[shape]);
	}
	if (buf_failed(text))
		log_fatal(EX_OSERR, "no memory for one event");
	return slice_of(buf_bytes(text), buf_length(text));
}

struct slice
packs_before(
    struct packs *packs, const struct pack_events *after, unsigned shape)
{
	struct pack_events before = find_before(packs, after);

	return make_text(packs, &packs->before, &before, shape);
}

static bool
wants_receipts(const struct packs *packs, const struct pack_events *events)
{
	const struct window *window = packs->window;

	for (uint64_t left = events->bits; left != 0; left &= left - 1) {
		uint64_t number =
		    events->span * PACKS_SPAN + (uint64_t)__builtin_ctzll(left);

		if (window_receipt(window, window_entry(window, number)) != 0)
			return true;
	}
	return false;
}

/* Makes it, as a chunk in packs->alone. */
static void
make(struct packs *packs, struct pack *pack)
{
	const struct pack_key *key = &pack->key;
	struct slice text =
	    make_text(packs, &packs->text, &key->of, key->shape);
	struct frame chunk;

	append_piece(packs, key->coding, key->stored, text,
	    packs_before(packs, &key->after, key->shape));
	buf_clear(&packs->alone);
	chunk = append_chunk(packs, &packs->alone);
	pack->len = (uint32_t)chunk.len;
	pack->head_len = (uint32_t)chunk.head_len;
	pack->receipts = wants_receipts(packs, &key->of);
	pack->sum = (struct coder_sum){.bytes = (uint32_t)text.len};
	pack->summed = false;
	board_add(packs->board, METRIC_PACKS_MADE, 1);
}

static enum packs_got
keep(struct packs *packs, struct pack *pack, uint64_t pin)
{
	uint64_t tail;

	if (pack->len > packs->arena.size / 4)
		return PACKS_ALONE;
	pack->at = arena_plan(&packs->arena, pack->len, &tail);
	if (tail > pin || tail > packs->pinned)
		return PACKS_WAIT;
	memcpy(arena_take(&packs->arena, pack->at, pack->len, tail),
	    buf_bytes(&packs->alone), pack->len);
	return PACKS_FRAME;
}

enum packs_got
packs_get(struct packs *packs, const struct pack_key *key, uint64_t *pin,
    const struct pack **pack, struct frame *frame)
{
	struct pack *found = find_place(packs, key);
	enum packs_got got = PACKS_FRAME;

	*pack = found;
	if (!is_kept(packs, found)) {
		found->len = 0;
		if (!may_make(packs, found))
			return PACKS_SPENT;
		make(packs, found);
		got = keep(packs, found, *pin);
	}
	*frame = (struct frame){
	    .bytes = got == PACKS_FRAME ? arena_at(&packs->arena, found->at)
					: buf_bytes(&packs->alone),
	    .len = found->len,
	    .head_len = found->head_len,
	};
	if (got != PACKS_FRAME)
		found->len = 0; /* it is not kept */
	else if (found->at < *pin)
		*pin = found->at;
	return got;
}

struct coder_sum
packs_sum(struct packs *packs, const struct pack *pack)
{
	const struct pack_key *key = &pack->key;
	struct pack *found = &packs->places[pack - packs->places];

	if (!found->summed) {
		found->sum = (struct coder_sum){.bytes = 0};
		coder_sum_add(key->coding, &found->sum,
		    make_text(packs, &packs->text, &key->of, key->shape));
		found->summed = true;
	}
	return found->sum;
}
