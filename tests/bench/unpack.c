/* unpack: a compressed stream, as it comes in. See unpack.h. */
#include "tests/bench/unpack.h"

#include <stdlib.h>

#define ZLIB_CONST /* what it reads */
#include <zlib.h>

#ifndef SSEMUX_NO_ZSTD
#include <zstd.h>
#endif

enum { ROOM = 1 << 16, GZIP_WINDOW = 15 + 16 };

struct unpack {
	z_stream stream;
#ifndef SSEMUX_NO_ZSTD
	ZSTD_DCtx *decoder; /* NULL: it is gzip */
#endif
};

static char room[ROOM];

#ifndef SSEMUX_NO_ZSTD

static int
begin_zstd(struct unpack *unpack)
{
	unpack->decoder = ZSTD_createDCtx();
	return unpack->decoder != NULL ? 0 : -1;
}

static int
take_zstd(struct unpack *unpack, const char *bytes, size_t len,
    unpack_on_bytes *on_bytes, void *context)
{
	ZSTD_inBuffer in = {bytes, len, 0};
	ZSTD_outBuffer out;

	do {
		out = (ZSTD_outBuffer){room, sizeof(room), 0};
		if (ZSTD_isError(
			ZSTD_decompressStream(unpack->decoder, &out, &in)))
			return -1;
		if (out.pos > 0)
			on_bytes(room, out.pos, context);
	} while (in.pos < in.size || out.pos == out.size);
	return 0;
}

#endif

struct unpack *
unpack_create(enum unpack_coding coding)
{
	struct unpack *unpack = calloc(1, sizeof(*unpack));
	int result = -1;

	if (unpack == NULL)
		return NULL;
#ifndef SSEMUX_NO_ZSTD
	if (coding == UNPACK_ZSTD)
		result = begin_zstd(unpack);
#endif
	if (coding == UNPACK_GZIP &&
	    inflateInit2(&unpack->stream, GZIP_WINDOW) == Z_OK)
		result = 0;
	if (result == -1) {
		free(unpack);
		return NULL;
	}
	return unpack;
}

void
unpack_destroy(struct unpack *unpack)
{
	if (unpack == NULL)
		return;
#ifndef SSEMUX_NO_ZSTD
	ZSTD_freeDCtx(unpack->decoder);
#endif
	inflateEnd(&unpack->stream);
	free(unpack);
}

static int
take_gzip(struct unpack *unpack, const char *bytes, size_t len,
    unpack_on_bytes *on_bytes, void *context)
{
	z_stream *stream = &unpack->stream;

	stream->next_in = (const Bytef *)bytes;
	stream->avail_in = (uInt)len;
	do {
		int status;

		stream->next_out = (Bytef *)room;
		stream->avail_out = sizeof(room);
		status = inflate(stream, Z_SYNC_FLUSH);
		if (stream->avail_out < sizeof(room))
			on_bytes(
			    room, sizeof(room) - stream->avail_out, context);
		/* Z_BUF_ERROR: all that is there has been handed on. */
		if (status != Z_OK && status != Z_BUF_ERROR)
			return -1;
	} while (stream->avail_in > 0 || stream->avail_out == 0);
	return 0;
}

int
unpack_take(struct unpack *unpack, const char *bytes, size_t len,
    unpack_on_bytes *on_bytes, void *context)
{
#ifndef SSEMUX_NO_ZSTD
	if (unpack->decoder != NULL)
		return take_zstd(unpack, bytes, len, on_bytes, context);
#endif
	return take_gzip(unpack, bytes, len, on_bytes, context);
}
