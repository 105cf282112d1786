/* unpack: a gzip stream, as it comes in. See unpack.h. */
#include "tests/bench/unpack.h"

#include <stdlib.h>

#define ZLIB_CONST /* what it reads */
#include <zlib.h>

enum { ROOM = 1 << 16, GZIP_WINDOW = 15 + 16 };

struct unpack {
	z_stream stream;
};

struct unpack *
unpack_create(void)
{
	struct unpack *unpack = calloc(1, sizeof(*unpack));

	if (unpack != NULL &&
	    inflateInit2(&unpack->stream, GZIP_WINDOW) != Z_OK) {
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
	inflateEnd(&unpack->stream);
	free(unpack);
}

int
unpack_take(struct unpack *unpack, const char *bytes, size_t len,
    unpack_on_bytes *on_bytes, void *context)
{
	static char room[ROOM];
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
