/*
 * gzip: streams of gzip (RFC 1952) that are put together from pieces which many
 * of them share. Pure; the only room that knows zlib.
 *
 *	head | piece | piece | ... | end
 *
 * A piece is raw deflate (RFC 1951) that ends at a byte, and so comes out at
 * the other end without what follows it. It refers to nothing before it; or,
 * on purpose, to the piece that stands right before it. An end is for a stream
 * that is complete.
 */
#ifndef SSEMUX_WORKER_CURSOR_GZIP_H
#define SSEMUX_WORKER_CURSOR_GZIP_H

#include <stdint.h>

#include "protocol/slice.h"

struct buf;
struct gzip;

enum {
	GZIP_LEVEL_MIN = 1,
	GZIP_LEVEL_MAX = 9,
	/* Longer text is not compressed: that would keep a worker for long. */
	GZIP_TEXT_MAX = 262144,
	GZIP_BEFORE_MAX = 4096, /* bytes of text before, at its end, of use */
};

/* What a stream holds so far; zeroed, nothing. */
struct gzip_sum {
	uint32_t crc;
	uint32_t bytes; /* modulo 2^32 */
};

/* A compressor, about 200 kB, for any number of streams. NULL: no memory. */
struct gzip *gzip_create(int level);
void gzip_destroy(struct gzip *gzip);

/* Appends what a stream begins with. */
void gzip_append_head(struct buf *out);

/*
 * Appends a piece with this text, which is not empty: compressed when that
 * makes it shorter. The text that stands right before it in all streams that
 * get the piece is `before`, or its end; len 0: nothing that all have.
 */
void gzip_append(
    struct gzip *gzip, struct buf *out, struct slice text, struct slice before);

/* Appends a piece with this text as it is. */
void gzip_append_stored(struct buf *out, struct slice text);

/* Appends what ends a stream that holds this. */
void gzip_append_end(struct buf *out, const struct gzip_sum *sum);

/* Adds a text, or what another stream holds, at the end of what one holds. */
void gzip_sum_add(struct gzip_sum *sum, struct slice text);
void gzip_sum_join(struct gzip_sum *sum, const struct gzip_sum *next);

#endif
