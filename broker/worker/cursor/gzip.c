/* gzip: pieces of streams. See gzip.h. */
#include "broker/worker/cursor/gzip.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "protocol/buf.h"

enum {
	WINDOW_BITS = 15,
	MEMORY_LEVEL = 6,   /* what is larger is no better here */
	STORED_MAX = 65535, /* bytes in one stored block */
	STORED_HEAD_BYTES = 5,
};

struct gzip {
	z_stream deflate;
};

struct gzip *
gzip_create(int level)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (gzip == NULL)
		return NULL;
	if (deflateInit2(&gzip->deflate, level, Z_DEFLATED, -WINDOW_BITS,
		MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(gzip);
		return NULL;
	}
	return gzip;
}

void
gzip_destroy(struct gzip *gzip)
{
	if (gzip == NULL)
		return;
	deflateEnd(&gzip->deflate);
	free(gzip);
}

void
gzip_append_head(struct buf *out)
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

void
gzip_append_stored(struct buf *out, struct slice text)
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

/* Compresses it into room for size bytes; 0: that is not enough. */
static size_t
compress_into(struct gzip *gzip, char *room, size_t size, struct slice text,
    struct slice before)
{
	z_stream *deflating = &gzip->deflate;
	int result = deflateReset(deflating);

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

void
gzip_append(
    struct gzip *gzip, struct buf *out, struct slice text, struct slice before)
{
	size_t len = 0, size = stored_len(text.len);
	char *room;

	if (text.len > GZIP_TEXT_MAX) {
		gzip_append_stored(out, text);
		return;
	}
	room = buf_reserve(out, size);
	if (room == NULL)
		return;
	if (before.len > GZIP_BEFORE_MAX)
		before = slice_of(before.bytes + before.len - GZIP_BEFORE_MAX,
		    GZIP_BEFORE_MAX);
	len = compress_into(gzip, room, size, text, before);
	if (len > 0)
		buf_commit(out, len);
	else
		gzip_append_stored(out, text);
}

void
gzip_append_end(struct buf *out, const struct gzip_sum *sum)
{
	/* A last block with nothing in it. */
	buf_append(out, "\x03", 2);
	append_number(out, sum->crc, 4);
	append_number(out, sum->bytes, 4);
}

void
gzip_sum_add(struct gzip_sum *sum, struct slice text)
{
	sum->crc =
	    (uint32_t)crc32_z(sum->crc, (const Bytef *)text.bytes, text.len);
	sum->bytes += (uint32_t)text.len;
}

void
gzip_sum_join(struct gzip_sum *sum, const struct gzip_sum *next)
{
	sum->crc =
	    (uint32_t)crc32_combine(sum->crc, next->crc, (z_off_t)next->bytes);
	sum->bytes += next->bytes;
}
