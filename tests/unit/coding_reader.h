/* coding_reader: what a client has of a compressed stream, as it comes in. */
#ifndef SSEMUX_UNIT_CODING_READER_H
#define SSEMUX_UNIT_CODING_READER_H

#include <check.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#ifndef SSEMUX_NO_ZSTD
#include <zstd.h>
#endif

#include "broker/shared/coding.h"
#include "protocol/buf.h"
#include "protocol/slice.h"

enum { READER_ROOM = 65536 };

enum reader_state { READER_GOES_ON, READER_ENDED, READER_BROKEN };

struct coding_reader {
	enum coding coding;
	enum reader_state state;
	struct buf seen; /* what the last bytes brought */
	z_stream inflating;
#ifndef SSEMUX_NO_ZSTD
	ZSTD_DCtx *decoding;
#endif
};

static inline void
reader_init(struct coding_reader *reader, enum coding coding)
{
	memset(reader, 0, sizeof(*reader));
	reader->coding = coding;
	buf_init(&reader->seen, 0);
	ck_assert_int_eq(
	    inflateInit2(&reader->inflating, 16 + MAX_WBITS), Z_OK);
#ifndef SSEMUX_NO_ZSTD
	reader->decoding = ZSTD_createDCtx();
	ck_assert_ptr_nonnull(reader->decoding);
#endif
}

static inline void
reader_finish(struct coding_reader *reader)
{
	inflateEnd(&reader->inflating);
#ifndef SSEMUX_NO_ZSTD
	ZSTD_freeDCtx(reader->decoding);
#endif
	buf_finish(&reader->seen);
}

static inline void
reader_inflate(struct coding_reader *reader, struct slice bytes)
{
	z_stream *inflating = &reader->inflating;
	int result = Z_OK;

	inflating->next_in = (Bytef *)(uintptr_t)bytes.bytes;
	inflating->avail_in = (uInt)bytes.len;
	do {
		char *room = buf_reserve(&reader->seen, READER_ROOM);

		inflating->next_out = (Bytef *)room;
		inflating->avail_out = READER_ROOM;
		result = inflate(inflating, Z_SYNC_FLUSH);
		buf_commit(&reader->seen, READER_ROOM - inflating->avail_out);
	} while (result == Z_OK && inflating->avail_out == 0);
	if (result == Z_STREAM_END)
		reader->state = READER_ENDED;
	else if (result != Z_OK && result != Z_BUF_ERROR)
		reader->state = READER_BROKEN;
}

#ifndef SSEMUX_NO_ZSTD
static inline void
reader_unzstd(struct coding_reader *reader, struct slice bytes)
{
	ZSTD_inBuffer in = {bytes.bytes, bytes.len, 0};
	ZSTD_outBuffer out;
	size_t result;

	do {
		out = (ZSTD_outBuffer){
		    buf_reserve(&reader->seen, READER_ROOM), READER_ROOM, 0};
		result = ZSTD_decompressStream(reader->decoding, &out, &in);
		buf_commit(&reader->seen, out.pos);
	} while (!ZSTD_isError(result) && result != 0 &&
		 (in.pos < in.size || out.pos == out.size));
	if (ZSTD_isError(result) || in.pos < in.size)
		reader->state = READER_BROKEN;
	else if (result == 0)
		reader->state = READER_ENDED;
}
#endif

/* Takes bytes; `seen` is then all that they bring. */
static inline enum reader_state
reader_take(struct coding_reader *reader, struct slice bytes)
{
	buf_clear(&reader->seen);
#ifndef SSEMUX_NO_ZSTD
	if (reader->coding == CODING_ZSTD)
		reader_unzstd(reader, bytes);
#endif
	if (reader->coding == CODING_GZIP)
		reader_inflate(reader, bytes);
	return reader->state;
}

/* The same of what the buffer holds, which is empty then. */
static inline enum reader_state
reader_take_buf(struct coding_reader *reader, struct buf *bytes)
{
	enum reader_state state =
	    reader_take(reader, slice_of(buf_bytes(bytes), buf_length(bytes)));

	buf_clear(bytes);
	return state;
}

static inline void
reader_assert_seen(const struct coding_reader *reader, struct slice expected)
{
	ck_assert_int_eq(reader->state, READER_GOES_ON);
	ck_assert_uint_eq(buf_length(&reader->seen), expected.len);
	ck_assert_mem_eq(
	    buf_bytes(&reader->seen), expected.bytes, expected.len);
}

#endif
