/*
 * Fuzzes what is shared of zstd streams: whatever the texts are, and in which
 * order pieces of them stand in a stream, each comes out as it was; and blocks
 * that somebody made up come out as the check has seen them, or are refused.
 */
#include <string.h>
#include <zstd.h>

#include "broker/worker/cursor/coder.h"
#include "broker/worker/cursor/zstd_check.h"
#include "protocol/buf.h"
#include "tests/fuzz/fuzz.h"

enum { TEXTS_MAX = 24, ROOM = 1 << 18 };

static struct coder *coder;
static struct zstd_check *check;
static ZSTD_DCtx *decoder;
static char room[ROOM];

/* Takes bytes of a stream, which bring just that. */
static void
take(struct slice bytes, struct slice expected)
{
	ZSTD_inBuffer in = {bytes.bytes, bytes.len, 0};
	ZSTD_outBuffer out = {room, sizeof(room), 0};

	while (in.pos < in.size)
		must(!ZSTD_isError(ZSTD_decompressStream(decoder, &out, &in)));
	must(slice_equal(slice_of(room, out.pos), expected));
}

static void
take_buf(struct buf *bytes, struct slice expected)
{
	must(!buf_failed(bytes));
	take(slice_of(buf_bytes(bytes), buf_length(bytes)), expected);
	buf_clear(bytes);
}

/* The bytes up to the next line feed. */
static struct slice
cut(struct slice *rest)
{
	const char *end =
	    rest->len > 0 ? memchr(rest->bytes, '\n', rest->len) : NULL;
	size_t len = end == NULL ? rest->len : (size_t)(end + 1 - rest->bytes);
	struct slice part = slice_of(rest->bytes, len);

	*rest = slice_of(rest->bytes + len, rest->len - len);
	return part;
}

/* Each text behind each other one, in a stream that goes on. */
static void
check_stream(struct slice input)
{
	struct slice texts[TEXTS_MAX];
	size_t count = 0;
	struct buf out;

	buf_init(&out, 0);
	coder_append_head(CODING_ZSTD, &out);
	take_buf(&out, slice_of(NULL, 0));
	while (count < TEXTS_MAX && input.len > 0)
		texts[count++] = cut(&input);
	for (size_t i = 0; i < count * count; i++) {
		struct slice first = texts[i / count], next = texts[i % count];
		char *before = fuzz_copy(first.bytes, first.len);

		coder_append(coder, &out, first, slice_of(NULL, 0));
		take_buf(&out, first);
		coder_append(coder, &out, next, slice_of(before, first.len));
		take_buf(&out, next);
		free(before);
	}
	buf_finish(&out);
}

/* Decodes what a frame begins with, and these blocks to its end; what comes of
 * it, or what ZSTD_isError() knows. */
static size_t
decode(char *out, struct slice begin, struct slice blocks)
{
	static char frame[ROOM];

	if (begin.len + blocks.len > sizeof(frame))
		return (size_t)-1;
	memcpy(frame, begin.bytes, begin.len);
	memcpy(frame + begin.len, blocks.bytes, blocks.len);
	return ZSTD_decompressDCtx(
	    decoder, out, ROOM, frame, begin.len + blocks.len);
}

/* Blocks that bring a text where a frame begins, and are sound, bring it behind
 * other repeat offsets and tables, too. */
static void
check_blocks(struct slice blocks)
{
	/* A head; a raw block, "abcdefgh"; and one of three literals, "xyz",
	 * with a sequence each: offsets 5 to 7, matches of 3. */
	static const char past[] = "\x28\xB5\x2F\xFD\0\x38\x40\0\0"
				   "abcdefgh\x5C\0\0\x18xyz\3\x54\1\3\0\x0A\2";
	static const char brought[] = "abcdefghxefgyhxezfgy";
	static char text[ROOM];
	size_t len = decode(text, slice_of(past, 6), blocks), skipped;

	if (ZSTD_isError(len) || !zstd_check_sound(check, blocks,
				     slice_of(text, len), slice_of(NULL, 0)))
		return;
	skipped = strlen(brought);
	must(decode(room, slice_of(past, sizeof(past) - 1), blocks) ==
	     skipped + len);
	must(memcmp(room, brought, skipped) == 0);
	must(memcmp(room + skipped, text, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_of((const char *)data, size);

	if (coder == NULL) {
		coder = coder_create(CODING_ZSTD, 3);
		check = zstd_check_create();
		decoder = ZSTD_createDCtx();
		must(coder != NULL && check != NULL && decoder != NULL);
	}
	ZSTD_DCtx_reset(decoder, ZSTD_reset_session_only);
	check_stream(input);
	check_blocks(input);
	return 0;
}
