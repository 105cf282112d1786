/*
 * coder: streams that are compressed, put together from pieces which many of
 * them share. Pure.
 *
 *	head | piece | piece | ... | end
 *
 * A piece comes out at the other end without what follows it. It refers to
 * nothing before it; or, on purpose, to the text of what stands right before
 * it. An end is for a stream that is complete. All of a stream is of one
 *coding, which is not CODING_NONE anywhere in here.
 */
#ifndef SSEMUX_WORKER_CURSOR_CODER_H
#define SSEMUX_WORKER_CURSOR_CODER_H

#include <stdint.h>

#include "broker/shared/coding.h"
#include "protocol/slice.h"

struct buf;
struct coder;

enum {
	/* Longer text is not compressed: that would keep a worker for long. */
	CODER_TEXT_MAX = 262144,
	CODER_BEFORE_MAX = 4096, /* bytes of text before, at its end, of use */
};

/* What a stream holds so far; zeroed, nothing. */
struct coder_sum {
	uint32_t checksum; /* if the coding has one */
	uint32_t bytes;    /* modulo 2^32 */
};

/* A compressor, for any number of streams; level is 1 (least effort) to 9.
 * NULL: no memory. */
struct coder *coder_create(enum coding coding, int level);
void coder_destroy(struct coder *coder);

/* How much time a byte of text takes, behind little else, in multiples of the
 * least; as measured, and rounded up. */
unsigned coder_price(const struct coder *coder);

/* What is to be saved from here on: as many bytes as the level allows, which is
 * so at first, or, where there is a choice, rather time. */
enum coder_aim { CODER_SAVES_BYTES, CODER_SAVES_TIME };

void coder_aim(struct coder *coder, enum coder_aim aim);

/* Appends what a stream begins with. */
void coder_append_head(enum coding coding, struct buf *out);

/*
 * Appends a piece with this text, which is not empty: compressed when that
 * makes it shorter. The text that stands right before it in all streams that
 * get the piece is `before`, or its end; len 0: nothing that all have. The two
 * have no bytes in common.
 */
void coder_append(struct coder *coder, struct buf *out, struct slice text,
    struct slice before);

/* Appends a piece with this text as it is. */
void coder_append_stored(
    enum coding coding, struct buf *out, struct slice text);

/* Appends what ends a stream that holds this. */
void coder_append_end(
    enum coding coding, struct buf *out, const struct coder_sum *sum);

/* Adds a text, or what another stream holds, at the end of what one holds. */
void coder_sum_add(
    enum coding coding, struct coder_sum *sum, struct slice text);
void coder_sum_join(
    enum coding coding, struct coder_sum *sum, const struct coder_sum *next);

#endif
