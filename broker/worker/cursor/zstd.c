/*
 * zstd: streams of zstd (RFC 8878). With zstd_check.c the only room that knows
 * libzstd.
 *
 * A stream is one frame, of a size that is not known and without a checksum,
 * and a piece is some of its blocks, which are made by a compressor that begins
 * anew, behind the text before if there is one. What does not come out right
 * behind whatever a stream has had, see zstd_check.h, goes out as it is. A
 * compressor takes up to 2 MB, for texts of 64 KiB: longer ones are several
 * texts, each behind the one before.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "broker/worker/cursor/coder.h"
#include "broker/worker/cursor/coder_form.h"
#include "broker/worker/cursor/zstd_block.h"
#include "broker/worker/cursor/zstd_check.h"
#include "protocol/buf.h"

enum {
	/* All that a piece refers to is in it; clients take up to 8 MiB. */
	WINDOW_128_KIB = (17 - 10) << 3,
	PART_MAX = ZSTD_CHECK_TEXT_MAX,
	/* Of orders, levels 2 and 3 save less than 1, and cost more. */
	SAME_LEVELS = 3,
	HEAD_BYTES = 6, /* of a frame that has no size and no dictionary */
	PRICE = 3,
	MADE_MAX = HEAD_BYTES + PART_MAX + 1024,
};

_Static_assert((int)CODER_BEFORE_MAX <= (int)ZSTD_CHECK_BEFORE_MAX &&
		   (int)CODER_BEFORE_MAX + (int)PART_MAX <= 131072,
    "no offset is longer than the window");
_Static_assert(
    ZSTD_COMPRESSBOUND(PART_MAX) <= MADE_MAX, "there is room for all");

struct zstd {
	ZSTD_CCtx *compressor;
	struct zstd_check *check;
	char made[MADE_MAX]; /* a frame */
};

static void
destroy(void *compressor)
{
	struct zstd *zstd = compressor;

	ZSTD_freeCCtx(zstd->compressor);
	zstd_check_destroy(zstd->check);
	free(zstd);
}

static bool
set(struct zstd *zstd, ZSTD_cParameter parameter, int value)
{
	return ZSTD_isError(ZSTD_CCtx_setParameter(
		   zstd->compressor, parameter, value)) == 0;
}

static void *
create(int level)
{
	struct zstd *zstd = calloc(1, sizeof(*zstd));

	if (zstd == NULL)
		return NULL;
	zstd->compressor = ZSTD_createCCtx();
	zstd->check = zstd_check_create();
	if (zstd->compressor == NULL || zstd->check == NULL ||
	    !set(zstd, ZSTD_c_compressionLevel,
		level > SAME_LEVELS ? level - SAME_LEVELS + 1 : 1) ||
	    !set(zstd, ZSTD_c_contentSizeFlag, 0)) {
		destroy(zstd);
		return NULL;
	}
	return zstd;
}

static void
append_head(struct buf *out)
{
	static const unsigned char head[HEAD_BYTES] = {
	    0x28, 0xB5, 0x2F, 0xFD, 0, WINDOW_128_KIB};

	buf_append(out, head, sizeof(head));
}

static void
append_end(struct buf *out, const struct coder_sum *sum)
{
	(void)sum;
	/* A last block with nothing in it. */
	buf_append(out, "\x01\0\0", ZSTD_BLOCK_HEAD_BYTES);
}

static void
append_stored(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		size_t len =
		    text.len < ZSTD_BLOCK_MAX ? text.len : ZSTD_BLOCK_MAX;
		char head[ZSTD_BLOCK_HEAD_BYTES];

		zstd_block_write_head(head, ZSTD_BLOCK_RAW, len);
		buf_append(out, head, sizeof(head));
		buf_append(out, text.bytes, len);
		text = slice_of(text.bytes + len, text.len - len);
	}
}

static size_t
stored_len(size_t len)
{
	size_t blocks = (len + ZSTD_BLOCK_MAX - 1) / ZSTD_BLOCK_MAX;

	return len + blocks * ZSTD_BLOCK_HEAD_BYTES;
}

/* The blocks of the frame that was made go on. */
static void
clear_last(char *blocks, size_t len)
{
	struct slice left = slice_of(blocks, len);
	struct zstd_block block;
	char *head;

	do {
		head = blocks + (len - left.len);
		zstd_block_next(&left, &block);
	} while (!block.last);
	zstd_block_write_head(head, block.type, block.size);
}

/* Makes the blocks of a part, in zstd->made; their length, or 0: it is better
 * stored. */
static size_t
make_blocks(struct zstd *zstd, struct slice text, struct slice before)
{
	char *blocks = zstd->made + HEAD_BYTES;
	size_t len;

	if (ZSTD_isError(ZSTD_CCtx_refPrefix(
		zstd->compressor, before.bytes, before.len)))
		return 0;
	len = ZSTD_compress2(zstd->compressor, zstd->made, sizeof(zstd->made),
	    text.bytes, text.len);
	if (ZSTD_isError(len)) { /* no memory */
		ZSTD_CCtx_reset(zstd->compressor, ZSTD_reset_session_only);
		return 0;
	}
	len -= HEAD_BYTES;
	if (len > stored_len(text.len) ||
	    !zstd_check_sound(zstd->check, slice_of(blocks, len), text, before))
		return 0;
	clear_last(blocks, len);
	return len;
}

/* Puts a part of the text into room for size bytes; 0: it needs more. */
static size_t
put_part(struct zstd *zstd, char *room, size_t size, struct slice text,
    struct slice before)
{
	size_t len = make_blocks(zstd, text, before);

	if (len > 0) {
		if (len > size)
			return 0;
		memcpy(room, zstd->made + HEAD_BYTES, len);
		return len;
	}
	if (stored_len(text.len) > size)
		return 0;
	zstd_block_write_head(room, ZSTD_BLOCK_RAW, text.len);
	memcpy(room + ZSTD_BLOCK_HEAD_BYTES, text.bytes, text.len);
	return stored_len(text.len);
}

static size_t
compress_piece(void *compressor, char *room, size_t size, struct slice text,
    struct slice before)
{
	size_t out = 0;

	for (size_t at = 0; at < text.len; at += PART_MAX) {
		size_t left = text.len - at, len;

		if (at > 0)
			before = slice_of(text.bytes + at - CODER_BEFORE_MAX,
			    CODER_BEFORE_MAX);
		len = put_part(compressor, room + out, size - out,
		    slice_of(
			text.bytes + at, left < PART_MAX ? left : PART_MAX),
		    before);
		if (len == 0)
			return 0;
		out += len;
	}
	return out;
}

static unsigned
price_of(const void *compressor)
{
	(void)compressor;
	return PRICE;
}

const struct coder_form zstd_form = {
    .create = create,
    .destroy = destroy,
    .append_head = append_head,
    .append_end = append_end,
    .append_stored = append_stored,
    .stored_len = stored_len,
    .compress = compress_piece,
    .price = price_of,
};
