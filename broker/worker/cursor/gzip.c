/*
 * gzip: streams of gzip (RFC 1952). The only room that knows zlib. Lower
 * levels are for gzip_quick.h, if it is there.
 *
 * A piece is raw deflate (RFC 1951) that ends at a byte, and so comes out at
 * the other end without what follows it. A compressor takes about 200 kB.
 */
#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "broker/worker/cursor/coder.h"
#include "broker/worker/cursor/coder_form.h"
#include "broker/worker/cursor/gzip_quick.h"
#include "protocol/buf.h"

enum {
	WINDOW_BITS = 15,
	MEMORY_LEVEL = 6,   /* what is larger is no better here */
	STORED_MAX = 65535, /* bytes in one stored block */
	STORED_HEAD_BYTES = 5,
	ZLIB_PRICE = 6, /* by ISA-L it is 1 */
};

/* One of the two. */
struct gzip {
	struct gzip_quick *quick;
	z_stream deflate;
};

static void *
create(int level)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (gzip == NULL)
		return NULL;
	if (level <= GZIP_QUICK_LEVEL_MAX && gzip_quick_is_there()) {
		gzip->quick = gzip_quick_create(level);
		if (gzip->quick != NULL)
			return gzip;
	} else if (deflateInit2(&gzip->deflate, level, Z_DEFLATED, -WINDOW_BITS,
		       MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK) {
		return gzip;
	}
	free(gzip);
	return NULL;
}

static void
destroy(void *compressor)
{
	struct gzip *gzip = compressor;

	if (gzip->quick == NULL)
		deflateEnd(&gzip->deflate);
	gzip_quick_destroy(gzip->quick);
	free(gzip);
}

static void
append_head(struct buf *out)
{
	/* Deflate, no flags, no time, no hint at the effort, Unix. */
	static const unsigned char head[] = {
	    0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3};

	buf_append(out, head, sizeof(head));
}

static void
append_number(struct buf *out, uint32_t number, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_append_char(out, (char)(number >> 8 * i & 0xFF));
}

static void
append_stored(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		uint16_t len =
		    text.len < STORED_MAX ? (uint16_t)text.len : STORED_MAX;

		buf_append_char(out, 0); /* stored, and not the last */
		append_number(out, len, 2);
		append_number(out, (uint16_t)~len, 2);
		buf_append(out, text.bytes, len);
		text = slice_of(text.bytes + len, text.len - len);
	}
}

static size_t
stored_len(size_t len)
{
	size_t blocks = (len + STORED_MAX - 1) / STORED_MAX;

	return len + blocks * STORED_HEAD_BYTES;
}

static size_t
compress_piece(void *compressor, char *room, size_t size, struct slice text,
    struct slice before)
{
	struct gzip *gzip = compressor;
	z_stream *deflating = &gzip->deflate;
	int result;

	if (gzip->quick != NULL)
		return gzip_quick_compress(
		    gzip->quick, room, size, text, before);
	result = deflateReset(deflating);
	if (result == Z_OK && before.len > 0)
		result = deflateSetDictionary(
		    deflating, (const Bytef *)before.bytes, (uInt)before.len);
	assert(result == Z_OK);
	deflating->next_in = (Bytef *)(uintptr_t)text.bytes;
	deflating->avail_in = (uInt)text.len;
	deflating->next_out = (Bytef *)room;
	deflating->avail_out = (uInt)size;
	/* As the compressor is reset, this is as good as a full flush. */
	result = deflate(deflating, Z_SYNC_FLUSH);
	assert(result == Z_OK || result == Z_BUF_ERROR);
	/* Room that is left says that the flush is done. */
	return deflating->avail_out > 0 ? size - deflating->avail_out : 0;
}

static unsigned
price_of(const void *compressor)
{
	const struct gzip *gzip = compressor;

	return gzip->quick != NULL ? 1 : ZLIB_PRICE;
}

static void
aim_at(void *compressor, enum coder_aim aim)
{
	struct gzip *gzip = compressor;

	if (gzip->quick != NULL)
		gzip_quick_aim(gzip->quick, aim);
}

static void
append_end(struct buf *out, const struct coder_sum *sum)
{
	/* A last block with nothing in it. */
	buf_append(out, "\x03", 2);
	append_number(out, sum->checksum, 4);
	append_number(out, sum->bytes, 4);
}

static uint32_t
checksum_of(uint32_t checksum, struct slice text)
{
	return (uint32_t)crc32_z(checksum, (const Bytef *)text.bytes, text.len);
}

static uint32_t
join(uint32_t first, const struct coder_sum *next)
{
	return (uint32_t)crc32_combine(
	    first, next->checksum, (z_off_t)next->bytes);
}

const struct coder_form gzip_form = {
    .create = create,
    .destroy = destroy,
    .append_head = append_head,
    .append_end = append_end,
    .append_stored = append_stored,
    .stored_len = stored_len,
    .compress = compress_piece,
    .price = price_of,
    .aim = aim_at,
    .checksum = checksum_of,
    .join = join,
};
