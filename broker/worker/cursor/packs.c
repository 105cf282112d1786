/* packs: what is compressed once. See packs.h. */
#include "broker/worker/cursor/packs.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "broker/shared/board.h"
#include "broker/shared/config_channel.h"
#include "broker/shared/log.h"

enum {
	WAYS = 4,  /* places that a pack may have */
	ASKS = 8,  /* before it is made beyond the budget */
	SHARE = 4, /* of the memory of the window */
};

struct packs *
packs_create(const struct config *config, const struct window *window,
    struct board *board)
{
	struct packs *packs = calloc(1, sizeof(*packs));

	if (packs == NULL)
		return NULL;
	packs->config = config;
	packs->window = window;
	packs->board = board;
	packs->gzip = gzip_create((int)config->http_compression_level);
	packs->places = calloc(PACKS_PLACES, sizeof(packs->places[0]));
	packs->contexts = calloc(PACKS_CONTEXTS, sizeof(packs->contexts[0]));
	if (config->channels_secret) {
		packs->secrets_size = 2 * window->size / PACKS_SPAN;
		packs->secrets =
		    calloc(packs->secrets_size, sizeof(packs->secrets[0]));
	}
	if (packs->gzip == NULL || packs->places == NULL ||
	    packs->contexts == NULL ||
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
	gzip_destroy(packs->gzip);
	arena_finish(&packs->arena);
	free(packs->places);
	free(packs->contexts);
	free(packs->secrets);
	buf_finish(&packs->text);
	buf_finish(&packs->piece);
	buf_finish(&packs->alone);
	free(packs);
}

void
packs_begin_turn(struct packs *packs, uint64_t events)
{
	packs->budget = events;
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

/* --- contexts --- */

static uint64_t
hash(const struct pack_key *key)
{
	uint64_t mixed = key->span * UINT64_C(0x9E3779B97F4A7C15);

	mixed = (mixed ^ key->bits) * UINT64_C(0xBF58476D1CE4E5B9);
	mixed =
	    (mixed ^ mixed >> 29 ^ key->after) * UINT64_C(0x94D049BB133111EB);
	mixed =
	    (mixed ^ mixed >> 31 ^ key->shape) * UINT64_C(0x9E3779B97F4A7C15);
	return mixed ^ mixed >> 32;
}

static bool
same_key(const struct pack_key *a, const struct pack_key *b)
{
	return a->span == b->span && a->bits == b->bits &&
	       a->after == b->after && a->shape == b->shape;
}

/* Its text; len 0: it is not remembered. A context's number says where. */
static struct slice
context_text(const struct packs *packs, uint64_t number)
{
	const struct pack_context *context =
	    &packs->contexts[number % PACKS_CONTEXTS];

	if (number == 0 || context->context != number)
		return slice_of(NULL, 0);
	return slice_of(context->text, context->len);
}

/* Remembers the text of which a pack is made; returns its number, which is the
 * same however the pack was made. */
static uint64_t
note_context(struct packs *packs, const struct pack_key *key, struct slice text)
{
	struct pack_key plain = *key;
	struct pack_context *context;
	uint64_t place;

	if (packs_secret_bits(packs, key->span, key->bits) != 0)
		return 0;
	plain.after = 0;
	place = hash(&plain) % PACKS_CONTEXTS;
	context = &packs->contexts[place];
	if (context->context != 0 && same_key(&context->key, &plain))
		return context->context;
	context->context = ++packs->contexts_made * PACKS_CONTEXTS + place;
	context->key = plain;
	context->len =
	    text.len < GZIP_BEFORE_MAX ? text.len : (size_t)GZIP_BEFORE_MAX;
	memcpy(
	    context->text, text.bytes + text.len - context->len, context->len);
	return context->context;
}

/* --- packs --- */

static bool
is_kept(const struct packs *packs, const struct pack *pack)
{
	return pack->len != 0 && pack->at >= packs->arena.tail;
}

/* Where it is, or comes to be in place of an older one. */
static struct pack *
find_place(struct packs *packs, const struct pack_key *key)
{
	uint64_t first = hash(key);
	struct pack *oldest = NULL;

	for (uint64_t i = 0; i < WAYS; i++) {
		struct pack *pack = &packs->places[(first + i) % PACKS_PLACES];

		if (pack->key.bits != 0 && same_key(&pack->key, key))
			return pack;
		if (oldest == NULL || pack->at < oldest->at)
			oldest = pack;
	}
	*oldest = (struct pack){.key = *key};
	return oldest;
}

static bool
may_make(struct packs *packs, struct pack *pack)
{
	uint64_t events = (uint64_t)__builtin_popcountll(pack->key.bits);

	if (packs->budget >= events) {
		packs->budget -= events;
		return true;
	}
	if (events == 1 && pack->key.after == 0)
		return true;
	if (++pack->asked < ASKS)
		return false;
	pack->asked = 0;
	return true;
}

static void
append_piece(struct packs *packs, struct slice text, struct slice before)
{
	buf_clear(&packs->piece);
	if (text.len < packs->config->http_compression_min)
		gzip_append_stored(&packs->piece, text);
	else
		gzip_append(packs->gzip, &packs->piece, text, before);
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
packs_append(struct packs *packs, struct buf *out, struct slice text)
{
	append_piece(packs, text, slice_of(NULL, 0));
	return append_chunk(packs, out);
}

/* Makes its text; notes whether a receipt is wanted. */
static struct slice
make_text(struct packs *packs, struct pack *pack)
{
	const struct window *window = packs->window;

	buf_clear(&packs->text);
	for (uint64_t left = pack->key.bits; left != 0; left &= left - 1) {
		const struct window_entry *entry =
		    window_entry(window, pack->key.span * PACKS_SPAN +
					     (uint64_t)__builtin_ctzll(left));
		struct event event = window_event(window, entry);

		pack->receipts |= window_receipt(window, entry) != 0;
		sse_append_event(
		    &packs->text, &event, &window->shapes[pack->key.shape]);
	}
	if (buf_failed(&packs->text))
		log_fatal(EX_OSERR, "no memory for one event");
	return slice_of(buf_bytes(&packs->text), buf_length(&packs->text));
}

/* Makes it, as a chunk in packs->alone. */
static void
make(struct packs *packs, struct pack *pack)
{
	struct frame chunk;
	struct slice text;

	pack->receipts = false;
	text = make_text(packs, pack);
	append_piece(packs, text, context_text(packs, pack->key.after));
	buf_clear(&packs->alone);
	chunk = append_chunk(packs, &packs->alone);
	pack->len = (uint32_t)chunk.len;
	pack->head_len = (uint32_t)chunk.head_len;
	pack->sum = (struct gzip_sum){.crc = 0};
	gzip_sum_add(&pack->sum, text);
	pack->context = note_context(packs, &pack->key, text);
	board_add(packs->board, METRIC_PACKS_MADE, 1);
}

static enum packs_got
keep(struct packs *packs, struct pack *pack, uint64_t pin)
{
	uint64_t tail;

	if (pack->len > packs->arena.size / 4)
		return PACKS_ALONE;
	pack->at = arena_plan(&packs->arena, pack->len, &tail);
	if (tail > pin)
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
